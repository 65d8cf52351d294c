//! Importing a file: its bytes become evidence, its results findings, its controls the release's, and what is bad enough
//! blockers.

use super::book::Book;
use super::{Engine, Error, entries};
use crate::audit::{Event, Place};
use crate::context::Ctx;
use crate::domain::*;
use crate::import::{self, ControlReport, Format, Scan};
use crate::store::{Entry, ListFilter, NewEvidence, NewFinding, WriteTx};
use serde::Serialize;
use serde_json::json;
use std::fmt;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// The release's key.
    pub release: String,
    /// The format that was read.
    pub format: String,
    /// Runs in the file.
    pub runs: usize,
    /// Keys of the evidence that was kept.
    pub evidence_ids: Vec<String>,
    /// Results in the file, raw.
    pub results: usize,
    /// Results that are no failures.
    pub not_failures: usize,
    /// Findings that nobody had seen before.
    pub new_findings: usize,
    /// Findings that were known.
    pub known_findings: usize,
    /// Findings that were suppressed where they were found.
    pub suppressed: usize,
    /// Controls that the release did not have before.
    pub new_controls: u64,
    /// Controls that have another status than before.
    pub changed_controls: u64,
    /// Blockers that were made.
    pub blockers: i64,
    /// Whether everything in the file was known: nothing was written.
    pub unchanged: bool,
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs == 0 {
            return write!(f, "The file is valid and holds no runs: nothing was written.");
        }
        if self.unchanged {
            return write!(
                f,
                "These bytes are evidence of {} already: nothing was written.",
                self.release
            );
        }
        write!(
            f,
            "{}: {} new findings, {} known, {} suppressed, from {} results in {} run(s); ",
            self.release, self.new_findings, self.known_findings, self.suppressed, self.results, self.runs
        )?;
        if self.new_controls + self.changed_controls > 0 {
            write!(
                f,
                "{} new controls, {} with another status; ",
                self.new_controls, self.changed_controls
            )?;
        }
        write!(
            f,
            "{} new blockers. Evidence {}.",
            self.blockers,
            self.evidence_ids.join(", ")
        )
    }
}

impl Engine {
    /// Imports a file for a release. `collected_at`: what the importer was told, where the file does not say.
    pub async fn import(
        &self,
        ctx: &Ctx,
        release_key: &str,
        file_name: &str,
        bytes: Vec<u8>,
        format: Option<Format>,
        collected_at: Option<Timestamp>,
    ) -> Result<ImportReport, Error> {
        self.authorize(ctx, Command::Import).await?;
        let unreadable = |error: import::ImportError| Error::field("", format!("{file_name}: {error}"));
        let (format, scans) = match format {
            Some(format) => (format, import::read(format, &bytes).map_err(unreadable)?),
            None => import::read_any(&bytes).map_err(unreadable)?,
        };
        let report = ImportReport {
            release: release_key.to_owned(),
            format: format.as_str().to_owned(),
            runs: scans.len(),
            results: scans.iter().map(|scan| scan.results).sum(),
            not_failures: scans.iter().map(|scan| scan.not_failures).sum(),
            ..ImportReport::default()
        };
        let file = File {
            name: file_name.to_owned(),
            bytes,
            format,
            collected_at,
        };
        let (key, book) = (release_key.to_owned(), self.book.clone());
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move { keep(tx, &book, &key, file, scans, report).await })
            })
            .await
    }
}

struct File {
    name: String,
    bytes: Vec<u8>,
    format: Format,
    collected_at: Option<Timestamp>,
}

async fn keep(
    tx: &mut WriteTx,
    book: &Book,
    release_key: &str,
    file: File,
    scans: Vec<Scan>,
    mut report: ImportReport,
) -> Result<ImportReport, Error> {
    let wanted = ListFilter {
        release: Some(release_key.to_owned()),
        limit: 1,
        ..ListFilter::default()
    };
    let Some(release) = tx.list_releases(&wanted).await?.pop() else {
        return Err(Error::NotFound {
            kind: RecordKind::Release,
            id: release_key.to_owned(),
        });
    };
    if scans.is_empty() {
        return Ok(report);
    }
    let sha256 = canonical::sha256_hex(&file.bytes);
    tx.keep_file(&sha256, &file.bytes).await?;
    let now = tx.ctx().now();
    let mut records = Vec::new();
    let mut controls = Vec::new();
    for (run, scan) in (0..).zip(&scans) {
        let (collected_at, collected_from) = match (scan.collected_at, file.collected_at) {
            (Some(micros), _) => (Timestamp(micros), CollectedFrom::Run),
            (None, Some(told)) => (told, CollectedFrom::Told),
            (None, None) => (now, CollectedFrom::Import),
        };
        let evidence = NewEvidence {
            release_id: release.id.as_str().to_owned(),
            provider: scan.provider.clone(),
            kind: file.format.as_str().to_owned(),
            name: file.name.clone(),
            sha256: sha256.clone(),
            run,
            size: file.bytes.len() as i64,
            collected_at,
            collected_from,
            commit: scan.commit.clone(),
        };
        let Some(id) = tx.insert_evidence(&evidence).await? else {
            continue;
        };
        let findings: Vec<NewFinding> = scan.findings.iter().map(|finding| found(scan, finding)).collect();
        let seen = tx
            .upsert_findings(&findings, &id, release.id.as_str(), collected_at)
            .await?;
        let fresh = seen.iter().filter(|finding| finding.is_new).count();
        report.new_findings += fresh;
        report.known_findings += seen.len() - fresh;
        report.suppressed += scan.findings.iter().filter(|finding| finding.suppressed).count();
        controls.push((collected_at, &scan.controls));
        records.push(id.as_str().to_owned());
    }
    report.unchanged = records.is_empty();
    if report.unchanged {
        return Ok(report);
    }
    // Documents list their latest assessment first or last; what was found last holds.
    controls.sort_by_key(|(at, _)| *at);
    for (_, reports) in controls {
        keep_controls(tx, release.id.as_str(), reports, &mut report).await?;
    }
    let everywhere = book.today(tx).await?.rules.severity.blocker_from;
    let threshold = release.severity_threshold.min(everywhere);
    report.blockers = tx.raise_blockers(release.id.as_str(), threshold).await?;
    let names: Vec<&str> = records.iter().map(String::as_str).collect();
    report.evidence_ids = tx
        .evidence(&names)
        .await?
        .into_iter()
        .map(|evidence| evidence.key)
        .collect();
    let mut content = entries::content(tx.ctx());
    content.release = Some(Place {
        id: release.id.as_str().to_owned(),
        key: release.key,
    });
    content.headline = Some(format!("Import {}", text::visible(&file.name)));
    content.record_keys = report.evidence_ids.clone();
    content.records = records;
    content.details = json!({ "sha256": sha256, "report": report });
    tx.record(Entry {
        event: Event::Imported,
        action_id: None,
        content,
    });
    Ok(report)
}

async fn keep_controls(
    tx: &mut WriteTx,
    release: &str,
    reports: &[ControlReport],
    report: &mut ImportReport,
) -> Result<(), Error> {
    let mut declared = Vec::new();
    let mut assessed = Vec::new();
    for one in reports {
        match one {
            ControlReport::Declared { key, title } => declared.push((key.as_str(), title.as_str())),
            ControlReport::Assessed { key, status } => assessed.push((key.as_str(), *status)),
        }
    }
    report.new_controls += tx.declare_controls(release, &declared).await?;
    report.changed_controls += tx.assess_controls(release, &assessed).await?;
    Ok(())
}

fn found(scan: &Scan, finding: &import::ScanFinding) -> NewFinding {
    let location = finding.location.as_ref();
    NewFinding {
        identity: finding.identity.clone(),
        provider: scan.provider.clone(),
        rule: finding.rule.clone(),
        title: finding.title.clone(),
        message: finding.message.clone(),
        severity: finding.severity,
        suppressed: finding.suppressed,
        location: location.and_then(|at| at.uri.clone().or_else(|| at.logical.clone())),
        line: location.and_then(|at| at.line).map(|line| line as i64),
        component: finding.component.clone().or_else(|| scan.component.clone()),
    }
}
