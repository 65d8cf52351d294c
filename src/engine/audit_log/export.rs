//! Writes a bundle of a tenant's log, which anybody can verify with the log's public key.

use super::keys;
use crate::audit::{Content, Event};
use crate::context::Ctx;
use crate::engine::{Engine, Error, Signed, audit_entries};
use crate::store::{Entry, StoredCheckpoint};
use loopiq_audit_log::bundle::{BundleEntry, BundleHead, BundleWriter, WriteError, Written};
use loopiq_audit_log::{Cosigner, Leaf, Note};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;

/// Entries in one read.
const STRETCH: i64 = 1_000;
/// Checkpoints in one read.
const CHECKPOINTS: i64 = 500;
/// About how many older checkpoints a bundle contains: enough to tell where a log was changed, and few for who verifies their signatures.
const OLDER: usize = 200;

/// A log that could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log cannot be read, or an entry cannot be recorded.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The bundle cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// There is nothing to export.
    #[error("the audit log is empty")]
    Empty,
}

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// What was written.
    pub written: Written,
    /// Why no checkpoint was signed for this bundle, which ends at the latest one: the log was changed from outside.
    pub tampered: Option<String>,
}

impl Engine {
    /// Signs a checkpoint and writes a bundle with the entries that it covers, and an entry about that. `witnesses`: whose cosignatures the
    /// bundle contains. `progress` is called with the number of entries written and of all.
    ///
    /// A log that was changed from outside is exported up to its latest checkpoint, so that a verifier can name the first bad entry.
    ///
    /// # Errors
    /// The log is empty or cannot be read, or the output failed.
    pub async fn export_bundle<W: Write>(
        &self,
        ctx: &Ctx,
        out: W,
        contents: bool,
        witnesses: &[Cosigner],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(W, Exported), ExportError> {
        let (checkpoint, tampered) = self.checkpoint_to_export(ctx).await?;
        let size = checkpoint.size;
        let head = BundleHead {
            tenant: ctx.tenant().to_string(),
            contents,
            keys: keys(&self.store.read(ctx).await.map_err(Error::from)?)?.public(),
            witnesses: witnesses.to_vec(),
            older: self.older_checkpoints(ctx, size, witnesses).await?,
            checkpoint: checkpoint.note,
            created: u64::try_from(ctx.now().0 / 1_000_000).unwrap_or_default(),
        };
        let mut writer = BundleWriter::new(out, &head)?;
        let (mut after, mut done) = (0, 0);
        progress(done, size);
        loop {
            // A transaction for each stretch, so that no snapshot is held for as long as the output takes.
            let mut tx = self.store.read(ctx).await.map_err(Error::from)?;
            let records = tx.audit_to_export(after, size as i64, STRETCH).await;
            let records = records.map_err(Error::from)?;
            drop(tx);
            let Some(last) = records.last() else { break };
            after = last.seq;
            done += records.len() as u64;
            for record in &records {
                let leaf = &Leaf {
                    version: 1,
                    tenant: ctx.tenant().as_str(),
                    seq: record.seq,
                    at: record.at,
                    event: &record.event,
                    action_id: record.action_id.as_deref(),
                    content_hash: &record.content_hash,
                };
                let content = record.content.as_ref();
                let content = content.map(|(salt, content)| (salt.as_str(), content.as_str()));
                let leaf_hash = record.leaf_hash.as_str();
                writer.entry(&BundleEntry {
                    leaf,
                    leaf_hash,
                    content,
                })?;
            }
            progress(done, size);
        }
        let (out, written) = writer.finish()?;
        self.record_export(ctx, size, &written).await?;
        Ok((out, Exported { written, tampered }))
    }

    /// A checkpoint of all that is in the log. If the log was changed from outside: the latest one, and the reason.
    async fn checkpoint_to_export(&self, ctx: &Ctx) -> Result<(StoredCheckpoint, Option<String>), ExportError> {
        match self.sign_checkpoint(ctx.tenant()).await {
            Ok(Signed::New(checkpoint) | Signed::UpToDate(checkpoint)) => Ok((checkpoint, None)),
            Ok(Signed::Empty) => Err(ExportError::Empty),
            Err(error) => {
                let mut tx = self.store.read(ctx).await.map_err(Error::from)?;
                let latest = tx.latest_checkpoint().await.map_err(Error::from)?;
                let why = match &error {
                    Error::LogTampered { why } => why.clone(),
                    // Of a damaged tree, for example.
                    other => other.to_string(),
                };
                latest.map_or(Err(error.into()), |latest| Ok((latest, Some(why))))
            }
        }
    }

    /// Older checkpoints, evenly distributed over the log, and the latest one that each witness cosigned.
    async fn older_checkpoints(&self, ctx: &Ctx, size: u64, witnesses: &[Cosigner]) -> Result<Vec<Note>, Error> {
        let (mut kept, mut cosigned, mut stride, mut seen) = (Vec::new(), BTreeMap::new(), 1, 0_u64);
        let mut after = 0;
        loop {
            let page = self
                .store
                .read(ctx)
                .await?
                .checkpoints_after(after, CHECKPOINTS)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.size;
            for checkpoint in page.into_iter().filter(|checkpoint| checkpoint.size < size) {
                for signature in &checkpoint.note.signatures {
                    if witnesses.iter().any(|witness| witness.name() == signature.name) {
                        cosigned.insert(signature.name.clone(), checkpoint.clone());
                    }
                }
                if seen.is_multiple_of(stride) {
                    kept.push(checkpoint);
                }
                seen += 1;
                if kept.len() >= 2 * OLDER {
                    let mut number = 0;
                    kept.retain(|_| {
                        number += 1;
                        number % 2 == 1
                    });
                    stride *= 2;
                }
            }
        }
        let all: BTreeMap<u64, Note> = kept
            .into_iter()
            .chain(cosigned.into_values())
            .map(|checkpoint| (checkpoint.size, checkpoint.note))
            .collect();
        Ok(all.into_values().collect())
    }

    async fn record_export(&self, ctx: &Ctx, size: u64, written: &Written) -> Result<(), Error> {
        let content = Content {
            details: json!({
                "format": "bundle", "first": 1, "last": size, "contents": written.contents, "bytes": written.bytes, "digest": written.digest,
            }),
            ..audit_entries::content(ctx)
        };
        let entry = Entry {
            event: Event::Exported,
            action_id: None,
            content,
        };
        self.write_entry(ctx, entry).await
    }
}
