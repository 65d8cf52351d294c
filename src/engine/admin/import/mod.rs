//! Imports a file: its bytes become evidence, its results findings, its controls the release's controls, and severe
//! findings blockers.
//!
//! A small file is one transaction. A large file would block the writer, so it is imported in batches ([`batches`]),
//! and its evidence becomes visible with the last batch.

mod batches;
mod plan;
mod report;
mod restore;
mod revisions;
mod verdicts;

pub use report::ImportReport;

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::pauses;
use crate::engine::{Engine, Error, audit_entries};
use crate::import;
use crate::import::Format;
use crate::store::{Entry, KeptEvidence, ListFilter, PART, WantingFrom, WriteTx};
use plan::{Held, Plan};
use serde_json::json;
use std::sync::Arc;

/// The most records that one transaction of an import stores.
const AT_ONCE: usize = 500;

/// The most characters in the name of what was scanned.
const LONGEST_COMPONENT: usize = 200;

/// A file to import.
#[derive(Debug, Clone)]
pub struct ImportFile {
    /// The file's name.
    pub name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
    /// The file's format; `None` to detect it.
    pub format: Option<Format>,
    /// When the file was made, for files without a time.
    pub collected_at: Option<Timestamp>,
    /// What was scanned, if the importer knows better than the file. It keeps the findings of two repositories or modules apart.
    pub component: Option<String>,
}

/// The progress of an import in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStep {
    /// Stored records.
    pub done: usize,
    /// Records in the file.
    pub total: usize,
}

impl Engine {
    /// Imports a file for a release. `collected_at` is used for files without a time.
    pub async fn import(
        &self,
        ctx: &Ctx,
        release_key: &str,
        file_name: &str,
        bytes: Vec<u8>,
        format: Option<Format>,
        collected_at: Option<Timestamp>,
    ) -> Result<ImportReport, Error> {
        let file = ImportFile {
            name: file_name.to_owned(),
            bytes,
            format,
            collected_at,
            component: None,
        };
        self.import_file(ctx, release_key, file, |_| {}).await
    }

    /// Like [`Engine::import`], and reports each batch. An interrupted import continues when the same file is imported
    /// again.
    pub async fn import_file(
        &self,
        ctx: &Ctx,
        release_key: &str,
        file: ImportFile,
        progress: impl FnMut(ImportStep) + Send,
    ) -> Result<ImportReport, Error> {
        let release = self.release_to_import(ctx, release_key).await?;
        let file = ImportFile {
            component: file.component.map(|name| component_name(&name)).transpose()?,
            ..file
        };
        let now = ctx.now();
        // Reading a large file takes a second, in which the other tasks of this thread would wait.
        let read = tokio::task::spawn_blocking(move || {
            let unreadable = |error: import::ImportError| Error::field("", format!("{}: {error}", file.name));
            let (format, scans) = match file.format {
                Some(format) => (format, import::read(format, &file.bytes).map_err(unreadable)?),
                None => import::read_any(&file.bytes).map_err(unreadable)?,
            };
            Ok::<_, Error>(Plan::new(release, format, file, scans, now))
        });
        let plan = Arc::new(read.await.map_err(Error::internal)??);
        if plan.runs.is_empty() {
            return Ok(plan.report.clone());
        }
        let restored = self.restore_if_damaged(ctx, &plan).await?;
        let report = self.import_plan(ctx, plan, progress).await?;
        Ok(ImportReport { restored, ..report })
    }

    /// Imports at once or in batches.
    async fn import_plan(
        &self,
        ctx: &Ctx,
        plan: Arc<Plan>,
        progress: impl FnMut(ImportStep) + Send,
    ) -> Result<ImportReport, Error> {
        let wanting = self.wanting_blockers(ctx, &plan).await?;
        if plan.records.len() <= AT_ONCE
            && plan.file.bytes.len() <= PART
            && plan.statements.iter().map(Vec::len).sum::<usize>() <= AT_ONCE
            && wanting.len() <= AT_ONCE
            && let Some(report) = self.import_at_once(ctx, plan.clone(), wanting).await?
        {
            return Ok(report);
        }
        self.import_in_batches(ctx, plan, progress).await
    }

    /// Refuses an import that is not permitted or names no release, for callers that want to know before they receive the file.
    pub async fn check_import(&self, ctx: &Ctx, release_key: &str) -> Result<(), Error> {
        self.release_to_import(ctx, release_key).await.map(drop)
    }

    async fn release_to_import(&self, ctx: &Ctx, key: &str) -> Result<Release, Error> {
        self.authorize(ctx, Permission::Import).await?;
        pauses::refuse_paused_program(&mut self.store.read(ctx).await?).await?;
        self.release_of_key(ctx, key).await
    }

    async fn release_of_key(&self, ctx: &Ctx, key: &str) -> Result<Release, Error> {
        let wanted = ListFilter {
            release: Some(key.to_owned()),
            limit: 1,
            ..ListFilter::default()
        };
        let found = {
            let tx = &mut self.store.read(ctx).await?;
            tx.list_releases(&wanted).await?.pop()
        };
        found.ok_or_else(|| Error::NotFound {
            kind: RecordKind::Release,
            id: key.to_owned(),
        })
    }

    /// Imports everything in one transaction; `None` if an import in batches has started on the file.
    async fn import_at_once(
        &self,
        ctx: &Ctx,
        plan: Arc<Plan>,
        wanting: Vec<String>,
    ) -> Result<Option<ImportReport>, Error> {
        let policies = self.policies.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let Some((held, known)) = hold(tx, &plan, true).await? else {
                        return Ok(None);
                    };
                    let mut report = plan.report.clone();
                    if held.iter().all(|held| held.is_none()) {
                        return Ok(Some(unchanged(&plan, known)));
                    }
                    let statements = verdicts::parts(&plan);
                    for part in &statements {
                        verdicts::keep_statements(tx, &plan, &held, part).await?;
                    }
                    let mut subjects = plan.keep(tx, &policies, &held, &plan.records, &mut report).await?;
                    for part in &statements {
                        subjects.extend(verdicts::judge(tx, &plan, &held, part, &mut report).await?);
                    }
                    subjects.extend(wanting);
                    let threshold = plan.threshold(tx, &policies).await?;
                    report.blockers += tx
                        .raise_blockers(&plan.key.release, threshold, &distinct(subjects))
                        .await?;
                    imported(tx, &plan, &held, &mut report).await?;
                    Ok(Some(report))
                })
            })
            .await
    }

    /// The findings and controls of the release that need a blocker before the import, because the threshold may have
    /// changed. Uses a reader, which blocks no writer.
    async fn wanting_blockers(&self, ctx: &Ctx, plan: &Arc<Plan>) -> Result<Vec<String>, Error> {
        let mut wanting = Vec::new();
        let mut from = Some(WantingFrom::Finding(String::new()));
        while let Some(place) = from {
            let (plan, policies) = (plan.clone(), self.policies.clone());
            let page = {
                let tx = &mut self.store.read(ctx).await?;
                tx.forget_plans().await?;
                let threshold = plan.threshold(tx, &policies).await?;
                tx.wanting_blockers(&plan.key.release, threshold, &place).await?
            };
            wanting.extend(page.subjects);
            from = page.next;
        }
        Ok(wanting)
    }
}

/// The name of what was scanned, without white space at its ends.
fn component_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_COMPONENT {
        return Err(Error::field(
            "/component",
            format!("must have 1 to {LONGEST_COMPONENT} characters"),
        ));
    }
    match text::forbidden_in(&json!(name)).pop() {
        Some(error) => Err(Error::field("/component", error.message)),
        None => Ok(name.to_owned()),
    }
}

/// Stores the file and the evidence of its runs. Returns the evidence that is to be filled, run by run, and the keys of the evidence that is
/// stored already. `None` if an import in batches has stored some of the evidence, because only that import can finish it.
#[allow(clippy::type_complexity)]
async fn hold(
    tx: &mut WriteTx,
    plan: &Plan,
    complete: bool,
) -> Result<Option<(Vec<Option<Held>>, Vec<String>)>, Error> {
    pauses::refuse_paused_program(tx).await?;
    tx.keep_file(&plan.key.sha256, &plan.file.bytes).await?;
    let (mut held, mut known) = (Vec::with_capacity(plan.runs.len()), Vec::new());
    for run in &plan.runs {
        held.push(match tx.insert_evidence(run, complete).await? {
            KeptEvidence::New(id, key) => Some(Held {
                id,
                key,
                collected_at: plan.counted_at(run.collected_at),
            }),
            KeptEvidence::Incomplete(..) if complete => return Ok(None),
            KeptEvidence::Incomplete(id, key, collected_at) => Some(Held {
                id,
                key,
                collected_at: plan.counted_at(collected_at),
            }),
            KeptEvidence::Known(key) => {
                known.push(key);
                None
            }
        });
    }
    Ok(Some((held, known)))
}

/// The report of an import that wrote nothing, because the release has the evidence with these keys already.
fn unchanged(plan: &Plan, known: Vec<String>) -> ImportReport {
    ImportReport {
        unchanged: true,
        evidence_ids: known,
        ..plan.report.clone()
    }
}

/// Records a finished import, whose evidence is complete.
async fn imported(
    tx: &mut WriteTx,
    plan: &Plan,
    held: &[Option<Held>],
    report: &mut ImportReport,
) -> Result<(), Error> {
    revisions::miss_findings(tx, plan, held, report).await?;
    tx.keep_import_result(&plan.key.sha256, plan.hashed_at).await?;
    let ids: Vec<&str> = held.iter().flatten().map(|held| held.id.as_str()).collect();
    report.evidence_ids = keys(held);
    let mut content = audit_entries::content(tx.ctx());
    content.release = Some(plan.place());
    content.headline = Some(format!("Import {}", text::visible(&plan.file.name)));
    content.record_keys = report.evidence_ids.clone();
    content.records = ids.into_iter().map(str::to_owned).collect();
    content.details = json!({ "sha256": plan.key.sha256, "report": report });
    tx.record(Entry {
        event: Event::Imported,
        action_id: None,
        content,
    });
    Ok(())
}

/// The keys of the evidence.
fn keys(held: &[Option<Held>]) -> Vec<String> {
    held.iter().flatten().map(|held| held.key.clone()).collect()
}

fn distinct(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
