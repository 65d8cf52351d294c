//! An import in several short transactions, between which other writers get their turn.
//!
//! The first transaction records the start and stores the evidence as incomplete: no reader sees incomplete evidence
//! and no proposal can cite it. Findings and controls are visible as they arrive, because each is true on its own.
//! Blockers follow. The last transaction publishes the evidence and records the totals. Visible evidence therefore has
//! all its findings, and each of these has its blocker. An interrupted import continues when the same file is imported
//! again; two processes can share one import.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::{Timestamp, text};
use crate::engine::admin::import::plan::{Held, Plan};
use crate::engine::admin::import::{AT_ONCE, ImportReport, ImportStep, hold, imported, keys, unchanged, verdicts};
use crate::engine::admin::pauses;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Entry, Progress, WriteTx};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The records in the first batch. Later batches have as many as fit into [`Pace::work`].
const FIRST: usize = 100;
/// The fewest records in a batch, below which the overhead dominates.
const FEWEST: usize = 25;

/// How long a batch works, and how long the import pauses after it.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The intended duration of a batch, in microseconds.
    work: i64,
    /// The shortest pause after a batch.
    least: Duration,
    /// The longest pause. A pause lasts as long as its batch did, including the wait for the writer.
    most: Duration,
}

/// SQLite has one writer and no queue: a waiting writer polls, first every 25 ms and later every 100 ms.
const ONE_WRITER: Pace = Pace {
    work: 20_000,
    least: Duration::from_millis(30),
    most: Duration::from_millis(200),
};

/// On PostgreSQL only decisions of the same tenant wait, in a queue.
const MANY_WRITERS: Pace = Pace {
    work: 50_000,
    least: Duration::from_millis(5),
    most: Duration::from_millis(20),
};

/// A stored batch.
struct Batch {
    /// How many of the file's records are stored.
    done: usize,
    /// How long the batch took, in microseconds.
    took: i64,
}

impl Engine {
    /// Imports a file in batches, or continues an interrupted import.
    pub(crate) async fn import_in_batches(
        &self,
        ctx: &Ctx,
        plan: Arc<Plan>,
        mut progress: impl FnMut(ImportStep) + Send,
    ) -> Result<ImportReport, Error> {
        let pace = if self.store.is_shared() {
            MANY_WRITERS
        } else {
            ONE_WRITER
        };
        let total = plan.records.len();
        let begun = plan.clone();
        let held = self
            .store
            .write(ctx, move |tx| Box::pin(async move { begin(tx, &begun).await }))
            .await?;
        let (held, mut done) = match held {
            Begun::Import(held, done) => (held, done),
            Begun::Known(known) => return Ok(unchanged(&plan, known)),
        };
        let held: Arc<[Option<Held>]> = held.into();
        progress(ImportStep { done, total });
        for part in 0..plan.parts() {
            let work = plan.clone();
            let began = ctx.now();
            self.store
                .write(ctx, move |tx| {
                    Box::pin(async move {
                        Ok::<_, Error>(tx.keep_part(&work.key.sha256, part as i64, work.part(part)).await?)
                    })
                })
                .await?;
            pace.pause(ctx, began).await;
        }
        for part in verdicts::parts(&plan) {
            let (work, kept) = (plan.clone(), held.clone());
            let began = ctx.now();
            let stored = self.store.write(ctx, move |tx| {
                Box::pin(async move { verdicts::keep_statements(tx, &work, &kept, &part).await })
            });
            stored.await?;
            pace.pause(ctx, began).await;
        }
        let mut size = FIRST;
        while done < total {
            let (work, kept, policies) = (plan.clone(), held.clone(), self.policies.clone());
            let began = ctx.now();
            let batch = self
                .store
                .write(ctx, move |tx| {
                    Box::pin(async move { keep_some(tx, &policies, &work, &kept, size).await })
                })
                .await?;
            let Some(batch) = batch else {
                return Ok(unchanged(&plan, Vec::new()));
            };
            done = batch.done;
            progress(ImportStep { done, total });
            size = pace.next_size(size, batch.took);
            pace.pause(ctx, began).await;
        }
        for part in verdicts::parts(&plan) {
            let (work, kept) = (plan.clone(), held.clone());
            let began = ctx.now();
            let judged = self.store.write(ctx, move |tx| {
                Box::pin(async move {
                    let Some((mut progress, mut report)) = under_way(tx, &work).await? else {
                        return Ok::<_, Error>(());
                    };
                    verdicts::judge(tx, &work, &kept, &part, &mut report).await?;
                    progress.report = json!(report);
                    Ok(tx.keep_import_progress(&work.key, &progress).await?)
                })
            });
            judged.await?;
            pace.pause(ctx, began).await;
        }
        let mut wanting = self.wanting_blockers(ctx, &plan).await?;
        while !wanting.is_empty() {
            let rest = wanting.split_off(size.min(wanting.len()));
            let (work, policies) = (plan.clone(), self.policies.clone());
            let began = ctx.now();
            let batch = self.store.write(ctx, move |tx| {
                Box::pin(async move {
                    let began = tx.ctx().now();
                    tx.forget_plans().await?;
                    let Some((mut kept, mut report)) = under_way(tx, &work).await? else {
                        return Ok::<_, Error>(None);
                    };
                    let threshold = work.threshold(tx, &policies).await?;
                    report.blockers += tx.raise_blockers(&work.key.release, threshold, &wanting).await?;
                    kept.report = json!(report);
                    tx.keep_import_progress(&work.key, &kept).await?;
                    Ok(Some(since(tx.ctx(), began)))
                })
            });
            let Some(took) = batch.await? else {
                return Ok(unchanged(&plan, Vec::new()));
            };
            size = pace.next_size(size, took);
            pace.pause(ctx, began).await;
            wanting = rest;
        }
        self.store
            .write(ctx, move |tx| Box::pin(async move { finish(tx, &plan, &held).await }))
            .await
    }
}

/// The start of an import in batches.
enum Begun {
    /// The evidence to fill, and the number of records that are stored.
    Import(Vec<Option<Held>>, usize),
    /// Everything is stored, in the evidence with these keys.
    Known(Vec<String>),
}

/// Records the start of the import, unless it has started.
async fn begin(tx: &mut WriteTx, plan: &Plan) -> Result<Begun, Error> {
    let Some((held, stored)) = hold(tx, plan, false).await? else {
        return Ok(Begun::Known(Vec::new()));
    };
    if held.iter().all(Option::is_none) {
        return Ok(Begun::Known(stored));
    }
    let known = tx.import_progress(&plan.key).await?;
    if let Some(known) = known.as_ref().filter(|known| known.plan == plan.digest) {
        return Ok(Begun::Import(held, usize::try_from(known.done).unwrap_or_default()));
    }
    // An import of another program version has another plan. It starts again; storing a record twice changes nothing.
    let progress = Progress {
        plan: plan.digest.clone(),
        done: 0,
        report: json!(plan.report),
    };
    tx.keep_import_progress(&plan.key, &progress).await?;
    if known.is_none() {
        let mut content = audit_entries::content(tx.ctx());
        content.release = Some(plan.place());
        content.headline = Some(format!("Import {}", text::visible(&plan.file.name)));
        content.records = held.iter().flatten().map(|held| held.id.as_str().to_owned()).collect();
        content.record_keys = keys(&held);
        content.details = json!({ "sha256": plan.key.sha256, "records": plan.records.len() });
        tx.record(Entry {
            event: Event::ImportStarted,
            action_id: None,
            content,
        });
    }
    Ok(Begun::Import(held, 0))
}

/// The progress of this import; `None` if another process has finished it.
async fn under_way(tx: &mut WriteTx, plan: &Plan) -> Result<Option<(Progress, ImportReport)>, Error> {
    let Some(progress) = tx.import_progress(&plan.key).await? else {
        return Ok(None);
    };
    if progress.plan != plan.digest {
        return Err(Error::Setting {
            message: "another version of this program is importing the same file. Wait until it has finished, and import the file again."
                .to_owned(),
        });
    }
    let report = serde_json::from_value(progress.report.clone()).map_err(Error::internal)?;
    Ok(Some((progress, report)))
}

/// Stores the next records, at most `size`.
async fn keep_some(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    plan: &Plan,
    held: &[Option<Held>],
    size: usize,
) -> Result<Option<Batch>, Error> {
    let began = tx.ctx().now();
    pauses::refuse_paused_program(tx).await?;
    tx.forget_plans().await?;
    let Some((mut progress, mut report)) = under_way(tx, plan).await? else {
        return Ok(None);
    };
    let from = usize::try_from(progress.done).unwrap_or_default();
    let records = plan.records.get(from..).unwrap_or_default();
    let records = &records[..size.min(records.len())];
    plan.keep(tx, policies, held, records, &mut report).await?;
    let done = from + records.len();
    progress.done = done as i64;
    progress.report = json!(report);
    tx.keep_import_progress(&plan.key, &progress).await?;
    Ok(Some(Batch {
        done,
        took: since(tx.ctx(), began),
    }))
}

/// Publishes the evidence, and records the totals.
async fn finish(tx: &mut WriteTx, plan: &Plan, held: &[Option<Held>]) -> Result<ImportReport, Error> {
    pauses::refuse_paused_program(tx).await?;
    let Some((_, mut report)) = under_way(tx, plan).await? else {
        return Ok(unchanged(plan, Vec::new()));
    };
    let ids: Vec<&str> = held.iter().flatten().map(|held| held.id.as_str()).collect();
    tx.complete_evidence(&ids).await?;
    tx.end_import(&plan.key).await?;
    imported(tx, plan, held, &mut report).await?;
    Ok(report)
}

/// The time since `began`, in microseconds, at least 1.
fn since(ctx: &Ctx, began: Timestamp) -> i64 {
    ctx.now().0.saturating_sub(began.0).max(1)
}

impl Pace {
    /// The size of the next batch, from the duration of the last; at most double and at least half of it.
    fn next_size(self, size: usize, took: i64) -> usize {
        let fits = (size as i64).saturating_mul(self.work) / took.max(1);
        usize::try_from(fits)
            .unwrap_or(AT_ONCE)
            .clamp(size / 2, size * 2)
            .clamp(FEWEST, AT_ONCE)
    }

    /// Pauses for as long as other writers had to wait.
    async fn pause(self, ctx: &Ctx, began: Timestamp) {
        let took = Duration::from_micros(since(ctx, began).unsigned_abs());
        tokio::time::sleep(took.clamp(self.least, self.most)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_as_many_records_as_fit() {
        for pace in [ONE_WRITER, MANY_WRITERS] {
            assert_eq!(pace.next_size(100, pace.work), 100);
            assert_eq!(pace.next_size(100, pace.work / 4), 200, "at most twice as many");
            assert_eq!(pace.next_size(400, 1), AT_ONCE);
            assert_eq!(pace.next_size(100, pace.work * 10), 50, "at least half as many");
            assert_eq!(pace.next_size(FEWEST, i64::MAX), FEWEST);
            assert_eq!(pace.next_size(100, 0), 200);
        }
    }
}
