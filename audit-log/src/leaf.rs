//! The leaf of an audit entry and its hashes.

use crate::Hash;
use serde::Serialize;

/// The leaf, version 1. Its hash commits the log to the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaf<'a> {
    /// Always 1.
    pub version: u32,
    /// The ID of the tenant that owns the log.
    pub tenant: &'a str,
    /// The entry's number in the tenant's log, from 1, without gaps.
    pub seq: i64,
    /// Microseconds since 1970 in UTC.
    pub at: i64,
    /// The event's name.
    pub event: &'a str,
    /// The action that the event is about.
    pub action_id: Option<&'a str>,
    /// The salted hash of the content.
    pub content_hash: &'a str,
}

/// A value without a canonical form in JSON.
#[derive(Debug, thiserror::Error)]
#[error("no canonical form in JSON: {0}")]
pub struct NotCanonical(String);

/// The canonical JSON of a value (RFC 8785).
///
/// # Errors
/// The value contains a number that JSON cannot represent exactly, or a map key that is not text.
pub fn canonical<T: Serialize>(value: &T) -> Result<String, NotCanonical> {
    let bytes = serde_json_canonicalizer::to_vec(value).map_err(|error| NotCanonical(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| NotCanonical(error.to_string()))
}

impl Leaf<'_> {
    /// The bytes that the tree contains: the canonical JSON.
    ///
    /// # Errors
    /// A number is beyond 2^53.
    pub fn bytes(&self) -> Result<String, NotCanonical> {
        canonical(self)
    }

    /// The leaf hash: SHA-256 of a zero byte and the leaf's canonical JSON (RFC 6962, section 2.1).
    ///
    /// # Errors
    /// A number is beyond 2^53.
    pub fn hash(&self) -> Result<Hash, NotCanonical> {
        Ok(Hash::of_leaf(self.bytes()?.as_bytes()))
    }
}

/// The salted hash of a content: SHA-256 of the salt (16 bytes, in hex) and the content's canonical JSON.
pub fn content_hash(salt: &str, content: &str) -> Hash {
    Hash::of(format!("{salt}{content}").as_bytes())
}
