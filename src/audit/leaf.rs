//! The leaf of an audit entry and its hashes.

use crate::domain::canonical::{self, NotCanonical};
use crate::domain::{ActionId, TenantId, Timestamp};
use serde::Serialize;

/// The leaf, version 1. Its hash commits the log to the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leaf<'a> {
    /// Always 1.
    pub version: u32,
    /// The tenant that owns the log.
    pub tenant: &'a TenantId,
    /// The entry's number in the tenant's log, from 1, without gaps.
    pub seq: i64,
    /// Microseconds since 1970 in UTC.
    pub at: i64,
    /// The event's name.
    pub event: &'a str,
    /// The action that the event is about.
    pub action_id: Option<&'a ActionId>,
    /// The salted hash of the content.
    pub content_hash: &'a str,
}

impl Leaf<'_> {
    /// The leaf hash: SHA-256 of a zero byte and the leaf's canonical JSON (RFC 6962, section 2.1).
    pub fn hash(&self) -> Result<String, NotCanonical> {
        let text = canonical::to_string(self)?;
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.push(0);
        bytes.extend_from_slice(text.as_bytes());
        Ok(canonical::digest(&bytes))
    }

    /// A leaf of version 1.
    pub fn new<'a>(
        tenant: &'a TenantId,
        seq: i64,
        at: Timestamp,
        event: &'a str,
        action_id: Option<&'a ActionId>,
        content_hash: &'a str,
    ) -> Leaf<'a> {
        Leaf {
            version: 1,
            tenant,
            seq,
            at: at.0,
            event,
            action_id,
            content_hash,
        }
    }
}

/// The salted hash of a content: SHA-256 of the salt (16 bytes, in hex) and the content's canonical JSON.
pub fn content_hash(salt: &str, content: &str) -> String {
    canonical::digest(format!("{salt}{content}").as_bytes())
}
