//! The envelope: the bytes that an approval is bound to. Built once, when the action is proposed, and never rebuilt.

use super::{ActionId, ChangeSet, EvidenceId, Risk, TenantId, Timestamp, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The content of an envelope, version 1. Its canonical JSON (RFC 8785) is stored, and the SHA-256 of that is the
/// action's digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Always 1.
    pub envelope_version: u32,
    /// The tenant that owns the action.
    pub tenant: TenantId,
    /// The action's ID.
    pub action_id: ActionId,
    /// The tool's name.
    pub tool: String,
    /// The version of the tool that planned it.
    pub tool_version: u32,
    /// The arguments without those of the call itself (idempotency key and dry run).
    pub payload: Value,
    /// The changes that executing the action writes.
    pub change_set: ChangeSet,
    /// The cited evidence at the time of the proposal.
    pub evidence: Vec<EvidenceDigest>,
    /// The risk class at the time of the proposal.
    pub risk: Risk,
    /// When the action expires.
    pub expires_at: Timestamp,
    /// The action that this action supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes_action_id: Option<ActionId>,
}

/// Evidence at the time of the proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceDigest {
    /// The evidence's ID.
    pub id: EvidenceId,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// When it was collected.
    pub collected_at: Timestamp,
}

impl Envelope {
    /// The version that this code writes.
    pub const VERSION: u32 = 1;

    /// The bytes to store, and their digest.
    pub fn seal(&self) -> Result<(String, String), canonical::NotCanonical> {
        let bytes = canonical::to_string(self)?;
        let digest = canonical::digest(bytes.as_bytes());
        Ok((bytes, digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_digest_is_that_of_the_bytes_and_of_everything_in_them() {
        let envelope = Envelope {
            envelope_version: Envelope::VERSION,
            tenant: TenantId::parse("acme").unwrap(),
            action_id: ActionId::from_bits(1),
            tool: "loopiq_link_evidence".to_owned(),
            tool_version: 1,
            payload: json!({ "b": 1, "a": 2 }),
            change_set: ChangeSet::default(),
            evidence: Vec::new(),
            risk: Risk::Low,
            expires_at: Timestamp(0),
            supersedes_action_id: None,
        };
        let (bytes, digest) = envelope.seal().unwrap();
        assert_eq!(digest, canonical::digest(bytes.as_bytes()));
        assert_eq!(serde_json::from_str::<Envelope>(&bytes).unwrap(), envelope);
        let higher = Envelope {
            risk: Risk::High,
            ..envelope
        };
        assert_ne!(higher.seal().unwrap().1, digest);
    }
}
