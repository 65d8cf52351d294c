//! Signed notes (C2SP signed-note): a text, an empty line, and lines of signatures.

use crate::{Cosigner, PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// The longest note that is read. A checkpoint with ten signatures has less than 2 KiB.
const MAX_BYTES: usize = 64 << 10;
/// The most signatures of a note.
const MAX_SIGNATURES: usize = 100;
/// An em dash and a space begin the line of a signature.
const LINE_START: &str = "\u{2014} ";

/// A signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The ID of the key.
    pub key_id: [u8; 4],
    /// What the key's algorithm wrote.
    pub bytes: Vec<u8>,
}

/// A text with signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text with the line feed at its end.
    pub text: String,
    /// The signatures, in their order.
    pub signatures: Vec<Signature>,
}

/// Why a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes are not a note.
    #[error("this is not a signed note: {0}")]
    Malformed(&'static str),
    /// No key of the reader's signed it.
    #[error("none of the given keys signed this note")]
    Unsigned,
    /// A signature carries a known key's name and ID but does not fit the text.
    #[error("the signature by {0} does not fit the text")]
    Forged(String),
}

impl Signature {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("a line of a signature is a dash, a name and base64");
        let (name, encoded) = line
            .strip_prefix(LINE_START)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(malformed.clone())?;
        let bytes = BASE64.decode(encoded).map_err(|_| malformed.clone())?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>().ok_or(malformed.clone())?;
        if name.is_empty() || bytes.is_empty() {
            return Err(malformed);
        }
        Ok(Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_vec(),
        })
    }

    /// A line of a signature alone, as a witness answers it.
    ///
    /// # Errors
    /// The line is not one of a signature.
    pub fn from_line(line: &str) -> Result<Self, NoteError> {
        if line.len() > MAX_BYTES {
            return Err(NoteError::Malformed("it is too long"));
        }
        Self::parse(line)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.bytes].concat();
        write!(f, "{LINE_START}{} {}", self.name, BASE64.encode(bytes))
    }
}

impl Note {
    /// A note without signatures. `text` ends with a line feed.
    pub fn new(text: String) -> Self {
        Self {
            text,
            signatures: Vec::new(),
        }
    }

    /// Adds the key's signature.
    pub fn sign(&mut self, key: &SigningKey) {
        self.signatures.push(Signature {
            name: key.public().name().to_owned(),
            key_id: key.public().id(),
            bytes: key.sign(self.text.as_bytes()).to_vec(),
        });
    }

    /// The signature of a witness that saw the note at `time` (seconds since 1970 in UTC).
    pub fn cosignature(&self, witness: &SigningKey, time: u64) -> Signature {
        let cosigner = witness.cosigner();
        Signature {
            name: cosigner.name().to_owned(),
            key_id: cosigner.id(),
            bytes: witness.cosign(&self.text, time),
        }
    }

    /// Checks that one of the keys signed the note, and returns that key.
    ///
    /// # Errors
    /// No key signed it, or a signature with a key's name and ID does not fit.
    pub fn verify<'k>(&self, keys: &'k [PublicKey]) -> Result<&'k PublicKey, NoteError> {
        let mut signed = None;
        for signature in &self.signatures {
            let mut named = keys
                .iter()
                .filter(|key| key.name() == signature.name && key.id() == signature.key_id);
            let Some(key) = named.next() else { continue };
            if !key.verifies(self.text.as_bytes(), &signature.bytes) {
                return Err(NoteError::Forged(signature.name.clone()));
            }
            signed = signed.or(Some(key));
        }
        signed.ok_or(NoteError::Unsigned)
    }

    /// The time (seconds since 1970 in UTC) at which the witness saw the note.
    ///
    /// # Errors
    /// The witness did not sign the note, or its signature does not fit.
    pub fn verify_witness(&self, witness: &Cosigner) -> Result<u64, NoteError> {
        let signature = self
            .signatures
            .iter()
            .find(|one| one.name == witness.name() && one.key_id == witness.id())
            .ok_or(NoteError::Unsigned)?;
        witness
            .verified_time(&self.text, &signature.bytes)
            .ok_or_else(|| NoteError::Forged(signature.name.clone()))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError::Malformed("it is too long"));
        }
        if note.chars().any(|char| char != '\n' && char.is_control()) {
            return Err(NoteError::Malformed("it contains control characters"));
        }
        // The last empty line separates the text from the signatures.
        let unsigned = NoteError::Malformed("it has no empty line before its signatures");
        let split = note.as_bytes().windows(2).rposition(|pair| pair == b"\n\n");
        let split = split.ok_or(unsigned.clone())?;
        let (text, lines) = note.get(..=split).zip(note.get(split + 2..)).ok_or(unsigned)?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(NoteError::Malformed("its last line has no end"))?;
        let signatures: Vec<Signature> = lines.split('\n').map(Signature::parse).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("it has too many signatures"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
