//! Values that only this service can make and read: client IDs, and the requests in consent forms. AES-256-GCM, with a key that is derived from the
//! service's secret, so that all nodes of a service read each other's values.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use loopiq::context::Runtime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// Separates this key from all other uses of the service's secret.
const PURPOSE: &[u8] = b"loopiq sealed values v1";
/// The length of a nonce, in bytes. Nonces are random, which is safe for 2^32 values of one key.
const NONCE: usize = 12;

/// What a value is for. A value of one kind is not read as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The metadata of a client that registered.
    Client,
    /// A request that a person was asked about.
    Consent,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Purpose::Client => b"client",
            Purpose::Consent => b"consent",
        }
    }
}

/// Seals values, and opens them.
pub(super) struct Sealer {
    cipher: Aes256Gcm,
    runtime: Runtime,
}

impl Sealer {
    /// Derives the key from the service's secret.
    ///
    /// # Panics
    /// Never: the code accepts a key of any length.
    pub(super) fn new(secret: &[u8; 32], runtime: Runtime) -> Self {
        let code = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret).expect("a key of any length");
        let derived: [u8; 32] = code.chain_update(PURPOSE).finalize().into_bytes().into();
        Self {
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(derived)),
            runtime,
        }
    }

    /// The value as text of letters, digits, `-` and `_`. `None` if it cannot be serialized.
    pub(super) fn seal(&self, purpose: Purpose, value: &impl Serialize) -> Option<String> {
        let plain = serde_json::to_vec(value).ok()?;
        let nonce: [u8; NONCE] = self.runtime.random();
        let payload = Payload {
            msg: &plain,
            aad: purpose.name(),
        };
        let mut sealed = nonce.to_vec();
        sealed.extend(self.cipher.encrypt(&Nonce::from(nonce), payload).ok()?);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The value that this service has sealed for this purpose.
    pub(super) fn open<T: DeserializeOwned>(&self, purpose: Purpose, text: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg,
            aad: purpose.name(),
        };
        let plain = self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopiq_testing::fixtures::TestClock;

    #[test]
    fn only_this_services_values_of_the_same_purpose_are_opened() {
        let runtime = TestClock::still("2026-11-26T09:00:00Z").runtime();
        let sealer = Sealer::new(&[1; 32], runtime.clone());
        let sealed = sealer.seal(Purpose::Client, &"value").unwrap();
        assert_eq!(
            sealer.open::<String>(Purpose::Client, &sealed).as_deref(),
            Some("value")
        );
        assert_ne!(sealer.seal(Purpose::Client, &"value").unwrap(), sealed, "another nonce");
        let node = Sealer::new(&[1; 32], runtime.clone());
        assert_eq!(node.open::<String>(Purpose::Client, &sealed).as_deref(), Some("value"));
        assert_eq!(sealer.open::<String>(Purpose::Consent, &sealed), None);
        assert_eq!(
            Sealer::new(&[2; 32], runtime).open::<String>(Purpose::Client, &sealed),
            None
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of base64 has bits that mean nothing, which the decoder refuses if they are set.
            assert_eq!(sealer.open::<String>(Purpose::Client, &changed), None, "{at}");
        }
        for text in ["", "A", "not base64!", &"A".repeat(100)] {
            assert_eq!(sealer.open::<String>(Purpose::Client, text), None, "{text}");
        }
    }
}
