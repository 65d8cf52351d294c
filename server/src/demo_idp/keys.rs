//! The provider's signing key: P-256, created at start and kept only in memory.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Error, Signature};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{DemoIdpError, secret};

/// The number of attempts to create a key. About one in four thousand million random 32-byte values is not a P-256 key.
const ATTEMPTS: usize = 8;

/// A private key with the public key that goes into the JWKS.
pub(crate) struct SigningKey {
    private: p256::ecdsa::SigningKey,
    public: Value,
    header: String,
}

impl SigningKey {
    pub(super) fn generate() -> Result<Self, DemoIdpError> {
        let mut refused = Error::new();
        for _ in 0..ATTEMPTS {
            let scalar = secret::random_bytes().map_err(DemoIdpError::Randomness)?;
            match Self::from_bytes(&scalar) {
                Ok(key) => return Ok(key),
                Err(error) => refused = error,
            }
        }
        Err(DemoIdpError::Key(refused))
    }

    /// The key with these bytes, if they are a valid P-256 key.
    pub(crate) fn from_bytes(scalar: &[u8; 32]) -> Result<Self, Error> {
        let private = p256::ecdsa::SigningKey::from_slice(scalar)?;
        let point = private.verifying_key().to_sec1_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            return Err(Error::new());
        };
        let (x, y) = (encoded(x), encoded(y));
        // The thumbprint (RFC 7638) as key ID needs no stored counter.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = encoded(Sha256::digest(members.as_bytes()));
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": id }).to_string();
        let public = json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": id,
        });
        Ok(Self {
            private,
            public,
            header: encoded(header),
        })
    }

    /// The public key in the format of a JWKS.
    pub(crate) fn public(&self) -> &Value {
        &self.public
    }

    /// The claims as a signed JWT.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, serde_json::Error> {
        let message = format!("{}.{}", self.header, encoded(serde_json::to_vec(claims)?));
        let signature = self.signature(&message);
        Ok(format!("{message}.{signature}"))
    }

    /// The signature of a JWT's first two parts (RFC 7518, 3.4).
    pub(crate) fn signature(&self, message: &str) -> String {
        let signature: Signature = self.private.sign(message.as_bytes());
        encoded(signature.to_bytes())
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
