//! Keys of notes (C2SP signed-note): who signs, and which public key belongs to the name.

use crate::{Hash, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, VerifyingKey};
use std::fmt;
use std::str::FromStr;

/// The signature types of C2SP signed-note: the log's own, and a witness's with a time (tlog-cosignature).
const ED25519: u8 = 1;
const COSIGNATURE: u8 = 4;

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// The text has not the parts of a key.
    #[error("a public key is `name+hash+base64`, as in the keys of an export")]
    Format,
    /// The text has not the parts of a private key.
    #[error("a private key is `PRIVATE+KEY+name+hash+base64`")]
    PrivateFormat,
    /// A name with characters that a note cannot contain.
    #[error("the name of a key has 1 to 200 visible ASCII characters without `+`")]
    Name,
    /// The hash belongs to another name or key.
    #[error("the hash in the key does not belong to its name and bytes")]
    Hash,
    /// Another kind of key.
    #[error("the key is not an Ed25519 key")]
    Kind,
}

fn checked_name(name: &str) -> Result<&str, NotAKey> {
    let fits = (1..=200).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+');
    fits.then_some(name).ok_or(NotAKey::Name)
}

/// The first four bytes of SHA-256 over name, line feed, kind and public key.
fn key_id(name: &str, kind: u8, public: &[u8]) -> [u8; 4] {
    let bytes = [name.as_bytes(), b"\n", &[kind], public].concat();
    let [a, b, c, d, ..] = Hash::of(&bytes).0;
    [a, b, c, d]
}

/// Splits `name+hash+base64` into the name, the key's ID, and the bytes.
fn parts(text: &str, format: NotAKey) -> Result<(&str, [u8; 4], Vec<u8>), NotAKey> {
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(bytes)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format);
    };
    let id = u32::from_str_radix(id, 16).map_err(|_| format.clone())?;
    let bytes = BASE64.decode(bytes).map_err(|_| format)?;
    Ok((checked_name(name)?, id.to_be_bytes(), bytes))
}

/// The public key of a log: it verifies the log's checkpoints. Its text is `name+hash+base64` (C2SP signed-note, "verifier key").
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// The public key of a witness that signs checkpoints with the time at which it saw them (C2SP tlog-cosignature). Its text is that of a
/// [`PublicKey`] of kind 4.
#[derive(Clone, PartialEq, Eq)]
pub struct Cosigner(PublicKey);

impl PublicKey {
    fn parse(text: &str, kind: u8) -> Result<Self, NotAKey> {
        let (name, id, bytes) = parts(text, NotAKey::Format)?;
        let (found, key) = bytes.split_first().ok_or(NotAKey::Format)?;
        if *found != kind {
            return Err(NotAKey::Kind);
        }
        if key_id(name, kind, key) != id {
            return Err(NotAKey::Hash);
        }
        let key = VerifyingKey::from_bytes(key.try_into().map_err(|_| NotAKey::Format)?).map_err(|_| NotAKey::Kind)?;
        Ok(Self {
            name: name.to_owned(),
            id,
            key,
        })
    }

    fn text(&self, kind: u8) -> String {
        let bytes = [&[kind], self.key.as_bytes().as_slice()].concat();
        format!("{}+{}+{}", self.name, hex(&self.id), BASE64.encode(bytes))
    }

    /// The name that signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of each signature, which tell keys of one name apart.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether the signature (64 bytes) of the message is by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl Cosigner {
    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The first bytes of each of its signatures.
    pub fn id(&self) -> [u8; 4] {
        self.0.id
    }

    /// The time (seconds since 1970 in UTC) at which the witness saw the text, if the signature is its own.
    pub(crate) fn verified_time(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        self.0.verifies(message.as_bytes(), signature).then_some(time)
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        Self::parse(text, ED25519)
    }
}

impl FromStr for Cosigner {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        PublicKey::parse(text, COSIGNATURE).map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(ED25519))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text(COSIGNATURE))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The private key of a log. Its text, `PRIVATE+KEY+name+hash+base64`, is that of Go's `golang.org/x/mod/sumdb/note`.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicKey,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key of a name from 32 random bytes.
    ///
    /// # Errors
    /// The name has characters that a note cannot contain.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NotAKey> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifying = key.verifying_key();
        Ok(Self {
            public: PublicKey {
                name: checked_name(name)?.to_owned(),
                id: key_id(name, ED25519, verifying.as_bytes()),
                key: verifying,
            },
            key,
        })
    }

    /// Reads the key's text.
    ///
    /// # Errors
    /// The text is not a private key. The error does not contain it.
    pub fn from_secret(text: &str) -> Result<Self, NotAKey> {
        let rest = text.trim().strip_prefix("PRIVATE+KEY+").ok_or(NotAKey::PrivateFormat)?;
        let (name, id, bytes) = parts(rest, NotAKey::PrivateFormat)?;
        let Some((&ED25519, seed)) = bytes.split_first() else {
            return Err(NotAKey::Kind);
        };
        let key = Self::new(name, seed.try_into().map_err(|_| NotAKey::PrivateFormat)?)?;
        if key.public.id == id {
            Ok(key)
        } else {
            Err(NotAKey::Hash)
        }
    }

    /// The key's text, which is a secret.
    pub fn to_secret(&self) -> String {
        let bytes = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let (name, id) = (&self.public.name, hex(&self.public.id));
        format!("PRIVATE+KEY+{name}+{id}+{}", BASE64.encode(bytes))
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The seed, from which other secrets can be derived.
    pub fn seed(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Signs the message: 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The public key for cosignatures by this key, if it belongs to a witness.
    pub fn cosigner(&self) -> Cosigner {
        let PublicKey { name, key, .. } = self.public.clone();
        let id = key_id(&name, COSIGNATURE, key.as_bytes());
        Cosigner(PublicKey { name, id, key })
    }

    /// A witness's signature that it saw the text at `time` (seconds since 1970 in UTC): time and signature.
    pub(crate) fn cosign(&self, text: &str, time: u64) -> Vec<u8> {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        [time.to_be_bytes().as_slice(), &self.sign(message.as_bytes())].concat()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}
