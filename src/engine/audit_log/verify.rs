//! Verification of a whole log in the database: entries, tree, checkpoints, and the tables that the entries are about.

use super::verify_actions::lost_action;
use super::{check_entry, read_checkpoint};
use crate::context::Ctx;
use crate::domain::TenantId;
use crate::engine::{Engine, Error};
use crate::log_keys::LogKeys;
use crate::store::{AuditRecord, ReadTx, StoreError, StoredCheckpoint};
use loopiq_audit_log::{Checkpoint, Hash, Node, Note, Tree};
use serde::Serialize;
use std::collections::VecDeque;
use std::num::NonZero;

/// Entries in one read of a verification.
const STRETCH: i64 = 1_000;

/// The result of verifying a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// The tenant that owns the log.
    pub tenant: TenantId,
    /// The number of verified entries.
    pub entries: i64,
    /// The number of entries that a valid checkpoint covers.
    pub signed: u64,
    /// The number of actions that were compared with their entries.
    pub actions: u64,
    /// The first invalid entry, and what is wrong with it. 0 if the fault is in no entry.
    pub bad: Option<(i64, String)>,
}

/// The state of a verification.
struct Verification {
    tenant: TenantId,
    /// `None` if the program has no keys: seals and signatures are not checked then.
    keys: Option<LogKeys>,
    tree: Tree,
    /// The checkpoints that are still ahead, in the order of their sizes: those of the database and those that the verifier was given.
    ahead: VecDeque<Checkpoint>,
    signed: u64,
    /// The first entry since the last checkpoint that has not a seal of this service.
    unsealed: Option<i64>,
    /// The nodes that the database should have for the current stretch.
    nodes: Vec<(Node, Hash)>,
}

/// What an entry is by itself.
struct Checked {
    seq: i64,
    /// The hash of its leaf, and whether the entry has a seal of this service; or what is wrong with the entry.
    leaf: Result<(Hash, bool), &'static str>,
}

impl Verification {
    /// Checks each entry by itself, on all processors.
    fn check(&self, records: &[AuditRecord]) -> Vec<Checked> {
        let (tenant, keys) = (&self.tenant, self.keys.as_ref());
        let check = |record: &AuditRecord| Checked {
            seq: record.seq,
            leaf: check_entry(record, tenant).map(|leaf| {
                let is_sealed = keys.is_none_or(|keys| keys.sealed(&leaf, &record.seal));
                (leaf, is_sealed)
            }),
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = records.len().div_ceil(processors).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> = records
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().map(check).collect::<Vec<_>>()))
                .collect();
            let joined = parts.into_iter().map(|part| part.join());
            joined
                .flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    /// Adds the next entry. Returns what is wrong with it.
    fn add(&mut self, entry: &Checked) -> Option<(i64, String)> {
        let expected = self.tree.size() as i64 + 1;
        if entry.seq != expected {
            return Some((expected, "is missing".to_owned()));
        }
        let (leaf, is_sealed) = match entry.leaf {
            Ok(checked) => checked,
            Err(why) => return Some((entry.seq, why.to_owned())),
        };
        if self.unsealed.is_none() && !is_sealed {
            self.unsealed = Some(entry.seq);
        }
        let nodes = &mut self.nodes;
        self.tree.push(leaf, |node, hash| nodes.push((node, hash)));
        while self.ahead.front().is_some_and(|next| next.size == self.tree.size()) {
            let Some(checkpoint) = self.ahead.pop_front() else {
                break;
            };
            if checkpoint.root != self.tree.root() {
                let size = checkpoint.size;
                return Some(match self.unsealed {
                    Some(seq) => (
                        seq,
                        format!(
                            "was not written by this service; the checkpoint of {size} entries has another root hash"
                        ),
                    ),
                    None => {
                        let first = self.signed as i64 + 1;
                        let why = format!(
                            "or one of those after it, up to {size}, is not what was signed: the checkpoint has another root hash"
                        );
                        (first, why)
                    }
                });
            }
            // The service checks the seals before it signs, so the checkpoint vouches for entries whose seals no known key made.
            (self.signed, self.unsealed) = (checkpoint.size, None);
        }
        None
    }

    /// What is wrong at the end of the log.
    fn end(&self, head: i64) -> Option<(i64, String)> {
        let entries = self.tree.size() as i64;
        if entries < head {
            return Some((entries + 1, "is missing".to_owned()));
        }
        if let Some(ahead) = self.ahead.front() {
            let why = format!("is missing: a checkpoint covers {} entries", ahead.size);
            return Some((entries + 1, why));
        }
        let why = "was not written by this service: it has no valid seal, and no checkpoint covers it";
        self.unsealed.map(|seq| (seq, why.to_owned()))
    }
}

impl Engine {
    /// Verifies a tenant's whole log: every entry is present, is what was written, and was written by this service; the stored tree fits; the
    /// tree fits every checkpoint; and every action and decision fits its entries. `kept`: checkpoints that the verifier has kept
    /// elsewhere, which show what was rewritten since.
    pub async fn verify_audit(&self, tenant: &TenantId, kept: &[Note]) -> Result<AuditReport, Error> {
        let ctx = Ctx::system(tenant.clone(), &self.runtime);
        let mut report = AuditReport {
            tenant: tenant.clone(),
            entries: 0,
            signed: 0,
            actions: 0,
            bad: None,
        };
        let (mut verification, head) = match self.begin(&ctx, kept).await? {
            Ok(begun) => begun,
            Err(why) => {
                report.bad = Some((0, why));
                return Ok(report);
            }
        };
        report.bad = loop {
            if let Some(bad) = self.stretch(&ctx, &mut verification, head).await? {
                break Some(bad);
            }
            let verified = verification.tree.size() as i64;
            if verified >= head || verified == report.entries {
                break match verification.end(head) {
                    None => self.beyond_the_head(&ctx).await?,
                    bad => bad,
                };
            }
            report.entries = verified;
        };
        report.entries = verification.tree.size() as i64;
        report.signed = verification.signed;
        if report.bad.is_none() {
            (report.actions, report.bad) = self.verify_actions(&ctx).await?;
        }
        Ok(report)
    }

    /// The checkpoints to verify, and the number of the last entry. The inner error says which checkpoint is not valid.
    async fn begin(&self, ctx: &Ctx, kept: &[Note]) -> Result<Result<(Verification, i64), String>, Error> {
        let (keys, tenant) = (self.runtime.log_keys().cloned(), ctx.tenant());
        // Read before the database, because the service may sign a checkpoint in the meantime.
        let remembered = keys.as_ref().and_then(|keys| keys.remembered(tenant.as_str()));
        let tx = &mut self.store.read(ctx).await?;
        let mut stored = match tx.checkpoints_after(0, i64::MAX).await {
            Err(error @ StoreError::Damaged { .. }) => return Ok(Err(error.to_string())),
            stored => stored?,
        };
        if let Some(last) = remembered
            && stored.iter().all(|one| one.size != last.size)
        {
            return Ok(Err(format!(
                "this node has seen a checkpoint of {} entries, which the database does not have: it was set back, or restored from an older backup",
                last.size
            )));
        }
        for note in kept {
            let size = note.text.parse::<Checkpoint>().map(|checkpoint| checkpoint.size);
            let Ok(size) = size else {
                return Ok(Err("the given checkpoint is not a checkpoint".to_owned()));
            };
            let (note, at) = (note.clone(), ctx.now());
            stored.push(StoredCheckpoint { size, at, note });
        }
        stored.sort_by_key(|checkpoint| checkpoint.size);
        let read = |keys: &LogKeys| stored.iter().map(|one| read_checkpoint(one, tenant, keys)).collect();
        let ahead: Result<VecDeque<_>, String> = keys.as_ref().map_or_else(|| Ok(VecDeque::new()), read);
        let head = tx.audit_head().await?;
        Ok(ahead.map(|ahead| {
            let verification = Verification {
                tenant: tenant.clone(),
                keys,
                tree: Tree::default(),
                ahead,
                signed: 0,
                unsealed: None,
                nodes: Vec::new(),
            };
            (verification, head)
        }))
    }

    /// An entry beyond the number that the head says.
    async fn beyond_the_head(&self, ctx: &Ctx) -> Result<Option<(i64, String)>, Error> {
        let tx = &mut self.store.read(ctx).await?;
        let head = tx.audit_head().await?;
        let beyond = tx.audit_leaves(head, 1).await?.pop();
        Ok(beyond.map(|leaf| (leaf.seq, "is beyond the end of the log".to_owned())))
    }

    /// Verifies the next entries. Returns the first fault.
    async fn stretch(
        &self,
        ctx: &Ctx,
        verification: &mut Verification,
        head: i64,
    ) -> Result<Option<(i64, String)>, Error> {
        let tx = &mut self.store.read(ctx).await?;
        let after = verification.tree.size() as i64;
        let records = match tx.audit_stretch(after, STRETCH).await {
            Err(StoreError::Damaged { why, .. }) => return Ok(Some(unreadable(tx, after, &why).await?)),
            records => records?,
        };
        let up_to_head = records.partition_point(|record| record.seq <= head);
        for entry in verification.check(&records[..up_to_head]) {
            if let Some(bad) = verification.add(&entry) {
                return Ok(Some(bad));
            }
        }
        if let Some(bad) = lost_action(tx, &records[..up_to_head]).await? {
            return Ok(Some(bad));
        }
        let computed = std::mem::take(&mut verification.nodes);
        let differs = match tx.differing_node(&computed).await {
            Err(StoreError::Damaged { what, why }) => {
                let last = verification.tree.size() as i64;
                let why = format!(
                    "or one of the {STRETCH} before it has a hash of the tree that cannot be read ({what}: {why})"
                );
                return Ok(Some((last, why)));
            }
            differs => differs?,
        };
        Ok(differs.map(|node| {
            let last = node.first_leaf() + (1 << node.level);
            (
                last as i64,
                "completes a part of the tree whose stored hash is another one".to_owned(),
            )
        }))
    }
}

/// The first entry after `after` that cannot be read.
async fn unreadable(tx: &mut ReadTx, after: i64, why: &str) -> Result<(i64, String), Error> {
    let bad = |seq: i64| (seq, format!("cannot be read: {why}"));
    for seq in after + 1..=after + STRETCH {
        match tx.audit_record(seq).await {
            Err(StoreError::Damaged { .. }) => return Ok(bad(seq)),
            record => drop(record?),
        }
    }
    Ok(bad(after + 1))
}
