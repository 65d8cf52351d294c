//! The use cases of the audit log itself: signed checkpoints, proofs, witnesses, verification, bundles, and the comparison of an action with its entries.

pub(crate) mod action_check;
mod checkpoints;
mod export;
mod proofs;
mod record_check;
pub(crate) mod rotation;
mod verify;
mod verify_actions;
mod witnesses;

pub use checkpoints::Signed;
pub use export::{ExportError, Exported};
pub use proofs::EntryProof;
pub use verify::AuditReport;
pub use witnesses::WitnessUpdate;

use crate::domain::TenantId;
use crate::engine::Error;
use crate::log_keys::LogKeys;
use crate::store::{AuditRecord, ReadTx, StoreError, StoredCheckpoint};
use loopiq_audit_log::{Checkpoint, Hash};

/// The keys of the log. Without them nothing that is audited can be written, so that an engine that writes has them.
fn keys(tx: &ReadTx) -> Result<LogKeys, Error> {
    Ok(tx.ctx().runtime.log_keys().ok_or(StoreError::NoLogKeys)?.clone())
}

/// What is wrong with an entry by itself, in words that follow "entry 7"; otherwise its leaf hash.
fn check_entry(record: &AuditRecord, tenant: &TenantId) -> Result<Hash, &'static str> {
    if !record.is_intact(tenant) {
        return Err("is not what was written: its content or its leaf does not fit its hash");
    }
    record
        .leaf_hash
        .parse()
        .map_err(|_| "has a leaf hash that cannot be read")
}

/// The checkpoint that a stored note contains, if a key of this installation signed it for this tenant's log.
fn read_checkpoint(stored: &StoredCheckpoint, tenant: &TenantId, keys: &LogKeys) -> Result<Checkpoint, String> {
    let size = stored.size;
    let verify = || stored.note.verify(&keys.public()).map(drop);
    // Another node may have signed it with a new key.
    let verified = verify().or_else(|error| if keys.reload() { verify() } else { Err(error) });
    verified.map_err(|error| {
        format!(
            "the checkpoint of {size} entries is not valid: {error}. Either it was not signed by this service, or this program has another key than \
             the service: compare `loopiq audit keys` with what auditors have"
        )
    })?;
    let checkpoint: Checkpoint = stored.note.text.parse().map_err(|error| format!("{error}"))?;
    if checkpoint.origin != keys.origin(tenant.as_str()) {
        let origin = crate::domain::text::visible(&checkpoint.origin);
        return Err(format!(
            "the checkpoint of {size} entries is about another log, {origin}"
        ));
    }
    if checkpoint.size != size {
        return Err(format!(
            "the checkpoint of {size} entries is about {} entries",
            checkpoint.size
        ));
    }
    Ok(checkpoint)
}
