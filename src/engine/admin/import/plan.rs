//! The records that a file contains, in an order that depends only on the file.

use crate::audit::Place;
use crate::domain::*;
use crate::engine::Error;
use crate::engine::admin::import::{ImportFile, ImportReport};
use crate::engine::admin::import::{revisions, verdicts};
use crate::engine::policy_cache::PolicyCache;
use crate::engine::reopened_findings;
use crate::import::{self, ControlReport, Format, Scan, ScanFinding, ScanKind, VexStatement};
use crate::store::{ImportKey, NewEvidence, NewFinding, PART, ReadTx, SeenBy, WriteTx};
use sha2::{Digest, Sha256};

/// By how much clocks may differ, in microseconds, before a file is said to be dated in the future.
const CLOCK_SKEW: i64 = 5 * 60 * 1_000_000;

/// The records of one file for one release.
pub(crate) struct Plan {
    pub(crate) file: ImportFile,
    pub(crate) key: ImportKey,
    /// When the bytes of the file were hashed.
    pub(crate) hashed_at: Timestamp,
    release: Release,
    /// The evidence, one for each run.
    pub(crate) runs: Vec<NewEvidence>,
    /// What each run has examined completely: a finding of these scopes that the run does not show is not there any more.
    pub(crate) complete_scopes: Vec<Vec<String>>,
    /// The statements on vulnerabilities (VEX) of each run.
    pub(crate) statements: Vec<Vec<VexStatement>>,
    /// Findings run by run, then statements on controls, the latest last.
    pub(crate) records: Vec<Record>,
    /// SHA-256 over the records, which identifies the plan when an import continues.
    pub(crate) digest: String,
    /// The parts of the report that are known before anything is stored.
    pub(crate) report: ImportReport,
}

/// Stored evidence, and when it was collected, at the latest now.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: EvidenceId,
    pub(crate) key: String,
    pub(crate) collected_at: Timestamp,
}

/// A record of the file, with its run.
pub(crate) struct Record {
    run: usize,
    what: What,
}

enum What {
    Finding(Box<NewFinding>),
    Declared { key: String, title: String },
    Assessed { key: String, status: ControlStatus },
}

impl Record {
    /// Whether one statement can store both records.
    fn is_like(&self, other: &Record) -> bool {
        self.run == other.run && std::mem::discriminant(&self.what) == std::mem::discriminant(&other.what)
    }
}

impl Plan {
    pub(crate) fn new(
        release: Release,
        format: Format,
        file: ImportFile,
        mut scans: Vec<Scan>,
        now: Timestamp,
    ) -> Self {
        if file.component.is_some() {
            import::identify(&mut scans, file.component.as_deref());
        }
        let sha256 = canonical::sha256_hex(&file.bytes);
        let mut report = ImportReport {
            release: release.key.clone(),
            format: format.as_str().to_owned(),
            runs: scans.len(),
            results: scans.iter().map(|scan| scan.results).sum(),
            not_failures: scans.iter().map(|scan| scan.not_failures).sum(),
            ..ImportReport::default()
        };
        let (mut runs, mut records, mut controls) = (Vec::new(), Vec::new(), Vec::new());
        let (mut complete_scopes, mut statements) = (Vec::with_capacity(scans.len()), Vec::with_capacity(scans.len()));
        for (run, scan) in scans.into_iter().enumerate() {
            let (collected_at, collected_from) = match (scan.collected_at, file.collected_at) {
                (Some(micros), _) => (Timestamp(micros), CollectedFrom::Run),
                (None, Some(told)) => (told, CollectedFrom::Told),
                (None, None) => (now, CollectedFrom::Import),
            };
            report.dated_in_future |= collected_at.since(now) > CLOCK_SKEW;
            runs.push(NewEvidence {
                release_id: release.id.as_str().to_owned(),
                provider: scan.provider.clone(),
                kind: format.as_str().to_owned(),
                name: file.name.clone(),
                sha256: sha256.clone(),
                run: run as i64,
                size: file.bytes.len() as i64,
                collected_at,
                collected_from,
                commit: scan.commit.clone(),
                component: scan.component.clone(),
            });
            records.extend(scan.findings.iter().map(|finding| Record {
                run,
                what: What::Finding(Box::new(found(&scan, finding))),
            }));
            complete_scopes.push(examined(&scan));
            statements.push(scan.statements);
            controls.push((collected_at, run, scan.controls));
        }
        // Documents list their latest assessment first or last; the latest one wins.
        controls.sort_by_key(|(at, ..)| *at);
        for (_, run, reports) in controls {
            let (declared, assessed): (Vec<_>, Vec<_>) = reports
                .into_iter()
                .partition(|report| matches!(report, ControlReport::Declared { .. }));
            records.extend(declared.into_iter().chain(assessed).map(|report| Record {
                run,
                what: match report {
                    ControlReport::Declared { key, title } => What::Declared { key, title },
                    ControlReport::Assessed { key, status } => What::Assessed { key, status },
                },
            }));
        }
        Self {
            digest: digest(&records),
            key: ImportKey {
                release: release.id.as_str().to_owned(),
                sha256,
            },
            hashed_at: now,
            file,
            release,
            runs,
            complete_scopes,
            statements,
            records,
            report,
        }
    }

    /// The number of parts in which the file is stored besides its own row; 0 if that row has all of it.
    pub(crate) fn parts(&self) -> usize {
        match self.file.bytes.len() {
            0..=PART => 0,
            length => length.div_ceil(PART),
        }
    }

    /// The bytes of a part.
    pub(crate) fn part(&self, part: usize) -> &[u8] {
        self.file.bytes.chunks(PART).nth(part).unwrap_or_default()
    }

    /// The lowest severity whose open findings block the release.
    pub(crate) async fn threshold(&self, tx: &mut ReadTx, policies: &PolicyCache) -> Result<Severity, Error> {
        reopened_findings::blocker_threshold(tx, policies, &self.release).await
    }

    /// When a scan counts as made: a time in the future, of a wrong or dishonest clock, would outweigh all scans until then.
    pub(crate) fn counted_at(&self, collected_at: Timestamp) -> Timestamp {
        collected_at.min(self.hashed_at)
    }

    /// The release, for audit entries.
    pub(crate) fn place(&self) -> Place {
        Place {
            id: self.key.release.clone(),
            key: self.report.release.clone(),
        }
    }

    /// Stores records whose evidence is in `held`, and adds them to the report. Storing a record twice changes nothing.
    /// Returns the IDs of the findings and controls.
    pub(crate) async fn keep(
        &self,
        tx: &mut WriteTx,
        policies: &PolicyCache,
        held: &[Option<Held>],
        records: &[Record],
        report: &mut ImportReport,
    ) -> Result<Vec<String>, Error> {
        let release = self.key.release.as_str();
        let mut touched = Vec::new();
        for like in records.chunk_by(Record::is_like) {
            let Some(held) = like.first().and_then(|first| held.get(first.run)?.as_ref()) else {
                continue;
            };
            let (mut findings, mut declared, mut assessed) = (Vec::new(), Vec::new(), Vec::new());
            for record in like {
                match &record.what {
                    What::Finding(finding) => findings.push(&**finding),
                    What::Declared { key, title } => declared.push((key.as_str(), title.as_str())),
                    What::Assessed { key, status } => assessed.push((key.as_str(), *status)),
                }
            }
            let known = verdicts::known(tx, release, &findings).await?;
            let findings: Vec<&NewFinding> = findings.into_iter().filter(|new| !known.is_told_already(new)).collect();
            let seen_by = SeenBy {
                evidence: &held.id,
                release,
                at: held.collected_at,
                verdicts: &known.verdicts,
            };
            let seen = tx.upsert_findings(&findings, seen_by).await?;
            known.take_place(tx, release, &findings, &seen).await?;
            report.suppressed += findings.iter().filter(|finding| finding.suppressed).count();
            revisions::follow_up(tx, policies, self, held, &seen, report).await?;
            touched.extend(seen.into_iter().map(|finding| finding.id.as_str().to_owned()));
            report.new_controls += tx.declare_controls(release, &declared).await?;
            let (changed, controls) = tx.assess_controls(release, &assessed, held.collected_at).await?;
            report.changed_controls += changed;
            let passing = controls
                .iter()
                .filter(|control| control.status == ControlStatus::Passing);
            let passing: Vec<&str> = passing.map(|control| control.id.as_str()).collect();
            if !passing.is_empty() {
                tx.resolve_blockers(&passing).await?;
            }
            touched.extend(controls.into_iter().map(|control| control.id));
        }
        Ok(touched)
    }
}

fn digest(records: &[Record]) -> String {
    let mut hash = Sha256::new();
    for Record { run, what } in records {
        let (kind, name) = match what {
            What::Finding(finding) => ("finding", &finding.identity),
            What::Declared { key, .. } => ("declared", key),
            What::Assessed { key, .. } => ("assessed", key),
        };
        for part in [run.to_string().as_str(), kind, name] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    canonical::hex(&hash.finalize())
}

/// A digest of what a scan examined: the tool and the component. A newer scan of the same can miss a finding.
fn scope(scan: &Scan) -> String {
    let parts = serde_json::json!(["loopiq-scan-1", scan.provider, scan.component]);
    canonical::digest(parts.to_string().as_bytes())
}

/// The scopes that a scan has examined completely; none if the file names no tool, because then nothing says that another file is of the same.
fn examined(scan: &Scan) -> Vec<String> {
    if scan.complete
        && scan.provider != Format::CycloneDx.as_str()
        && !is_only_stated(scan)
        && matches!(scan.kind, ScanKind::Scan | ScanKind::Tests)
    {
        vec![scope(scan)]
    } else {
        Vec::new()
    }
}

/// Whether a file has statements on vulnerabilities (VEX) alone, and no results of a scan.
fn is_only_stated(scan: &Scan) -> bool {
    let stated = scan
        .statements
        .iter()
        .filter(|statement| statement.finding.is_some())
        .count();
    !scan.statements.is_empty() && stated == scan.findings.len()
}

fn found(scan: &Scan, finding: &ScanFinding) -> NewFinding {
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
        scope: scope(scan),
        vulnerability: finding.vulnerability.clone(),
        stated: is_only_stated(scan),
    }
}
