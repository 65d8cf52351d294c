//! The provider's signing key: P-256, made when the program starts and gone when it ends.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{DemoIdpError, secret};

/// PKCS #8 (RFC 5208) around an EC private key (RFC 5915) on P-256 without its public half, up to the 32 bytes of the
/// key. Written out because the only thing that varies is those bytes; the library derives the public half.
const P256_PKCS8_PREFIX: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, // PrivateKeyInfo, version 0
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // prime256v1
    0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20, // ECPrivateKey, version 1
];

/// How often to draw again where 32 random bytes are no P-256 key. One draw in four thousand million is not one.
const DRAWS: usize = 8;

/// A private key with the public key that goes into the JWKS.
pub(super) struct SigningKey {
    private: EncodingKey,
    public: Jwk,
    header: Header,
}

impl SigningKey {
    pub(super) fn generate() -> Result<Self, DemoIdpError> {
        let mut refused = jsonwebtoken::errors::ErrorKind::InvalidEcdsaKey.into();
        for _ in 0..DRAWS {
            let scalar = secret::random_bytes().map_err(DemoIdpError::Randomness)?;
            let private = EncodingKey::from_ec_der(&[&P256_PKCS8_PREFIX[..], &scalar].concat());
            match Jwk::from_encoding_key(&private, Algorithm::ES256) {
                Ok(public) => return Ok(Self::of(private, public)),
                Err(error) => refused = error,
            }
        }
        Err(DemoIdpError::Key(refused))
    }

    fn of(private: EncodingKey, mut public: Jwk) -> Self {
        // RFC 7638: a key's thumbprint names it without a counter to keep.
        let id = public.thumbprint(ThumbprintHash::SHA256);
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(id);
        Self {
            private,
            public,
            header,
        }
    }

    /// The public half, as the JWKS holds it.
    pub(super) fn public(&self) -> &Jwk {
        &self.public
    }

    /// The claims as a signed JWT.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&self.header, claims, &self.private)
    }
}
