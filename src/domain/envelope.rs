//! The envelope: the bytes that an approval is bound to. Made once, when the action is proposed, and never rebuilt.

use super::{ActionId, ChangeSet, EvidenceId, Risk, TenantId, Timestamp, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an approval is bound to, version 1. Its canonical JSON (RFC 8785) is stored, and its SHA-256 is the action's digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// 1.
    pub envelope_version: u32,
    /// Whose action it is.
    pub tenant: TenantId,
    /// Which action.
    pub action_id: ActionId,
    /// The tool's name.
    pub tool: String,
    /// The version of the tool that planned it.
    pub tool_version: u32,
    /// The arguments, less what only speaks of the call (key and dry run).
    pub payload: Value,
    /// What will be written.
    pub change_set: ChangeSet,
    /// The evidence it cites, as it was.
    pub evidence: Vec<EvidenceDigest>,
    /// How much could go wrong.
    pub risk: Risk,
    /// When it stops being executable.
    pub expires_at: Timestamp,
    /// The action that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes_action_id: Option<ActionId>,
}

/// Evidence as it was when the action was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceDigest {
    /// Which evidence.
    pub id: EvidenceId,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// When it was collected.
    pub collected_at: Timestamp,
}

impl Envelope {
    /// The version this code writes.
    pub const VERSION: u32 = 1;

    /// The bytes to store, and their digest.
    pub fn seal(&self) -> Result<(String, String), canonical::NotCanonical> {
        let bytes = canonical::to_string(self)?;
        let digest = canonical::digest(bytes.as_bytes());
        Ok((bytes, digest))
    }
}
