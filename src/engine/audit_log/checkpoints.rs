//! Signing checkpoints. Before a checkpoint is signed, every entry since the last one is checked: the service signs no entry that it did not
//! write itself.

use super::{check_entry, read_checkpoint};
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::TenantId;
use crate::engine::{Engine, Error, audit_entries};
use crate::log_keys::LogKeys;
use crate::store::{Entry, StoreError, StoredCheckpoint};
use loopiq_audit_log::{Checkpoint, Tree};
use serde_json::json;

/// Entries in one read.
const STRETCH: i64 = 1_000;

/// The outcome of signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// A new checkpoint.
    New(StoredCheckpoint),
    /// Nothing happened since the last checkpoint.
    UpToDate(StoredCheckpoint),
    /// The log is empty.
    Empty,
}

impl Engine {
    /// Signs a checkpoint of a tenant's log, if there are entries since the last one.
    ///
    /// # Errors
    /// [`Error::LogTampered`]: an entry since the last checkpoint was not written by this service, or the log was changed before. Nothing is
    /// signed then.
    pub async fn sign_checkpoint(&self, tenant: &TenantId) -> Result<Signed, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let state = self.checked_state(&ctx).await.map_err(|error| match error {
            StoreError::Damaged { what, why } => Error::LogTampered {
                why: format!("{what}: {why}"),
            },
            error => error.into(),
        })?;
        let Some((checkpoint, previous)) = state else {
            let latest = self.store.read(&ctx).await?.latest_checkpoint().await?;
            return Ok(latest.map_or(Signed::Empty, Signed::UpToDate));
        };
        let mut note = checkpoint.to_note();
        let log_keys = self.runtime.log_keys().ok_or(StoreError::NoLogKeys)?;
        note.sign(&log_keys.signing());
        let size = checkpoint.size;
        let entry = Entry {
            event: Event::CheckpointSigned,
            action_id: None,
            content: crate::audit::Content {
                details: json!({
                    "size": size, "root": checkpoint.root, "previousSize": previous, "key": log_keys.signing().public().to_string(),
                }),
                ..audit_entries::content(&ctx)
            },
        };
        let stored = self.store.write(&ctx, move |tx| {
            Box::pin(async move {
                // Another node may have signed this size in the meantime.
                if tx.insert_checkpoint(size, &note).await? {
                    tx.record(entry);
                }
                tx.checkpoint(size).await
            })
        });
        let stored: Option<StoredCheckpoint> = stored.await?;
        if let Some(stored) = &stored
            && let Err(why) = log_keys.remember(tenant.as_str(), &stored.note)
        {
            tracing::warn!(%tenant, why, "the checkpoint could not be kept outside the database");
        }
        stored
            .map(Signed::New)
            .ok_or_else(|| Error::internal("a checkpoint that was just stored"))
    }

    /// The checked state of the log since the last checkpoint, and that checkpoint's size. `None` if nothing happened since then.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: the log is not what this service wrote.
    async fn checked_state(&self, ctx: &Ctx) -> Result<Option<(Checkpoint, u64)>, StoreError> {
        let (tenant, keys) = (ctx.tenant(), self.runtime.log_keys().ok_or(StoreError::NoLogKeys)?);
        // Read before the database, because another program may sign a checkpoint in the meantime.
        let remembered = keys.remembered(tenant.as_str());
        let (mut tree, previous, head) = {
            let tx = &mut self.store.read(ctx).await?;
            let latest = tx.latest_checkpoint().await?;
            let size = latest.as_ref().map_or(0, |latest| latest.size);
            if let Some(last) = remembered
                && (last.size > size || tx.audit_root(last.size).await? != last.root)
            {
                return Err(tampered(format!(
                    "this node has seen a checkpoint of {} entries, and the database has another or a shorter log; if you have restored an \
                     older backup on purpose, remove the tenant's file from the folder audit-checkpoints, which is where the key is",
                    last.size
                )));
            }
            if !tx.has_news_after(size).await? {
                // All new entries may have been removed, and the head left.
                let head = tx.audit_head().await?;
                return match tx.audit_end(head).await? {
                    (1.., None) => Err(tampered(format!("entry {head} is missing"))),
                    _ => Ok(None),
                };
            }
            let tree = tx.audit_tree(size).await?;
            if let Some(latest) = latest {
                let signed = read_checkpoint(&latest, tenant, keys).map_err(tampered)?;
                if signed.root != tree.root() {
                    return Err(tampered(format!(
                        "the first {size} entries are not those that were signed"
                    )));
                }
            }
            (tree, size, tx.audit_head().await? as u64)
        };
        while tree.size() < head {
            self.grow(ctx, keys, &mut tree, head).await?;
        }
        let root = tree.root();
        if self.store.read(ctx).await?.audit_root(head).await? != root {
            return Err(tampered(
                "the stored hashes of its tree do not fit its entries".to_owned(),
            ));
        }
        let (origin, size) = (keys.origin(tenant.as_str()), head);
        Ok(Some((Checkpoint { origin, size, root }, previous)))
    }

    /// Adds a stretch of checked entries to the tree.
    async fn grow(&self, ctx: &Ctx, keys: &LogKeys, tree: &mut Tree, head: u64) -> Result<(), StoreError> {
        let tx = &mut self.store.read(ctx).await?;
        let after = tree.size();
        let records = tx.audit_stretch(after as i64, STRETCH).await?;
        for record in records.iter().take_while(|record| record.seq as u64 <= head) {
            let seq = record.seq as u64;
            if seq != tree.size() + 1 {
                return Err(tampered(format!("entry {} is missing", tree.size() + 1)));
            }
            let leaf = check_entry(record, ctx.tenant()).map_err(|why| tampered(format!("entry {seq} {why}")))?;
            if !keys.sealed(&leaf, &record.seal) {
                return Err(tampered(format!("entry {seq} was not written by this service")));
            }
            tree.push(leaf, |_, _| ());
        }
        if tree.size() == after {
            return Err(tampered(format!("entry {} is missing", after + 1)));
        }
        Ok(())
    }
}

fn tampered(why: String) -> StoreError {
    StoreError::Damaged {
        what: "the audit log".to_owned(),
        why,
    }
}
