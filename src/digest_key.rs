//! The key of the digests under which the database stores the secrets of browsers and clients. A reader of the database cannot use a digest, and
//! a writer of the database who does not have the key cannot make one that belongs to a secret of their own.

use crate::domain::canonical::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Separates this key from all other uses of the service's secret.
const PURPOSE: &[u8] = b"loopiq digests of secrets v1";

/// The key, which all nodes of a service share.
#[derive(Clone)]
pub struct DigestKey(Hmac<Sha256>);

impl DigestKey {
    /// Derives the key from the service's secret.
    ///
    /// # Panics
    /// Never: the code accepts a key of any length.
    pub fn derive(secret: &[u8]) -> Self {
        let code = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        let derived = code(secret).chain_update(PURPOSE).finalize().into_bytes();
        Self(code(&derived))
    }

    /// The digest of a session's ID, which only the browser has: 64 hex digits.
    pub fn of_session(&self, id: &str) -> String {
        self.digest(b"session", id)
    }

    /// The digest of a bearer token, which only the client has: 64 hex digits.
    pub fn of_token(&self, secret: &str) -> String {
        self.digest(b"token", secret)
    }

    fn digest(&self, kind: &[u8], secret: &str) -> String {
        let code = self.0.clone().chain_update(kind).chain_update([0]);
        hex(&code.chain_update(secret).finalize().into_bytes())
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_needs_the_key_the_kind_and_the_secret() {
        let key = DigestKey::derive(&[1; 32]);
        let digest = key.of_session("one");
        assert_eq!(digest, DigestKey::derive(&[1; 32]).of_session("one"));
        assert_eq!(digest.len(), 64);
        for other in [
            key.of_session("two"),
            key.of_token("one"),
            DigestKey::derive(&[2; 32]).of_session("one"),
            crate::domain::canonical::sha256_hex(b"one"),
        ] {
            assert_ne!(digest, other);
        }
        assert_eq!(format!("{key:?}"), "DigestKey");
    }
}
