//! Proofs for auditors: that an entry is in the log, and that an older state of the log is the beginning of a newer one.

use crate::context::Ctx;
use crate::domain::{Permission, TenantId};
use crate::engine::{Engine, Error};
use crate::store::StoredCheckpoint;
use loopiq_audit_log::{ConsistencyProof, InclusionProof, NoteError};
use serde::Serialize;

/// Everything that shows that an entry is in the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryProof {
    /// The canonical JSON of the leaf.
    pub leaf: String,
    /// The salt of the content's hash.
    pub salt: String,
    /// The canonical JSON of the content.
    pub content: String,
    /// The proof for the tree of the checkpoint. `None` if no checkpoint covers the entry yet.
    pub inclusion: Option<InclusionProof>,
    /// The signed note of the checkpoint.
    pub checkpoint: Option<String>,
    /// The public keys of the log, the one that signs first.
    pub keys: Vec<String>,
}

impl Engine {
    /// The proof that an entry is in the log of the latest checkpoint.
    pub async fn audit_proof(&self, ctx: &Ctx, seq: i64) -> Result<EntryProof, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let tx = &mut self.store.read(ctx).await?;
        let record = tx.audit_record(seq).await?.ok_or(Error::NoAuditEntry { seq })?;
        let checkpoint = tx.latest_checkpoint().await?;
        let covering = checkpoint.filter(|checkpoint| checkpoint.size >= record.seq as u64);
        let inclusion = match &covering {
            Some(checkpoint) => tx.audit_inclusion(&[record.seq as u64], checkpoint.size).await?.pop(),
            None => None,
        };
        let leaf = record.leaf(ctx.tenant());
        Ok(EntryProof {
            leaf: leaf
                .bytes()
                .map_err(|error| Error::LogTampered { why: error.to_string() })?,
            salt: record.salt.clone(),
            content: record.content_json.clone(),
            inclusion,
            checkpoint: covering.map(|checkpoint| checkpoint.note.to_string()),
            keys: self.log_public_keys(),
        })
    }

    /// The proof that the first `old` entries are the beginning of the first `size` ones. `None` if there are no such states.
    pub async fn audit_consistency(&self, ctx: &Ctx, old: u64, size: u64) -> Result<Option<ConsistencyProof>, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let tx = &mut self.store.read(ctx).await?;
        if size > tx.audit_head().await? as u64 {
            return Ok(None);
        }
        Ok(tx.audit_consistency(old, size).await?)
    }

    /// The latest checkpoint, or the one of exactly `size` entries.
    pub async fn checkpoint(&self, ctx: &Ctx, size: Option<u64>) -> Result<Option<StoredCheckpoint>, Error> {
        self.authorize(ctx, Permission::SearchAudit).await?;
        let tx = &mut self.store.read(ctx).await?;
        Ok(match size {
            Some(size) => tx.checkpoint(size).await?,
            None => tx.latest_checkpoint().await?,
        })
    }

    /// A tenant whose latest checkpoint none of the keys signed. With these keys, none of its entries could be verified.
    pub async fn log_of_other_keys(&self) -> Result<Option<TenantId>, Error> {
        let keys = self.runtime.log_keys().map(|keys| keys.public()).unwrap_or_default();
        for tenant in self.store.tenants().await? {
            let ctx = Ctx::system(tenant.clone(), &self.runtime);
            let latest = self.store.read(&ctx).await?.latest_checkpoint().await?;
            if latest.is_some_and(|latest| matches!(latest.note.verify(&keys), Err(NoteError::Unsigned))) {
                return Ok(Some(tenant));
            }
        }
        Ok(None)
    }

    /// The public keys of the log, the one that signs first. They are no secret.
    pub fn log_public_keys(&self) -> Vec<String> {
        let keys = self.runtime.log_keys().map(|keys| keys.public()).unwrap_or_default();
        keys.iter().map(ToString::to_string).collect()
    }
}
