//! Statements on vulnerabilities (VEX) apply to the finding of the scanner: there is one record, whichever file is imported first.
//!
//! A statement holds in the release into which it was imported. It sets a finding aside there; the finding itself is suppressed as soon as
//! statements set it aside in every release that shows it. A person's decision outweighs statements.

use crate::domain::{FindingStatus, ReopenCause};
use crate::engine::Error;
use crate::engine::admin::import::ImportReport;
use crate::engine::admin::import::plan::{Held, Plan};
use crate::engine::reopened_findings::{self, Named, Occasion};
use crate::import::{VexStatements, Vulnerability};
use crate::store::{ImportedFinding, NewFinding, ReadTx, Verdict, VulnerableFinding, WriteTx};
use std::collections::{BTreeMap, BTreeSet};

/// What is known about the vulnerabilities of some findings before these are stored.
#[derive(Default)]
pub(super) struct Known {
    /// What statements say that set findings aside, by the identity of the finding.
    pub(super) verdicts: BTreeMap<String, String>,
    /// Stored findings of the same vulnerabilities.
    stored: Vec<VulnerableFinding>,
}

/// Reads what is known about the vulnerabilities of these findings in a release.
pub(super) async fn known(tx: &mut ReadTx, release: &str, findings: &[&NewFinding]) -> Result<Known, Error> {
    let ids = ids_of(findings.iter().filter_map(|new| new.vulnerability.as_ref()));
    if ids.is_empty() {
        return Ok(Known::default());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let statements = tx.statements_on(release, &ids).await?;
    let statements = VexStatements::new(&statements);
    let said = findings.iter().filter_map(|new| {
        let verdict = set_aside_by(&statements, new.vulnerability.as_ref()?)?;
        Some((new.identity.clone(), verdict))
    });
    Ok(Known {
        verdicts: said.collect(),
        stored: tx.findings_about(release, &ids).await?,
    })
}

impl Known {
    /// Whether a finding is only stated, and a scan has found the same already.
    pub(super) fn is_told_already(&self, new: &NewFinding) -> bool {
        let Some(vulnerability) = new.vulnerability.as_ref().filter(|_| new.stated) else {
            return false;
        };
        let is_stored = self.stored.iter().any(|stored| stored.identity == new.identity);
        let is_found = self
            .stored
            .iter()
            .any(|stored| !stored.is_stated && is_about(vulnerability, &stored.vulnerability));
        !is_stored && is_found
    }

    /// Sets stated findings aside whose place the findings of a scan take.
    pub(super) async fn take_place(
        &self,
        tx: &mut WriteTx,
        release: &str,
        findings: &[&NewFinding],
        seen: &[ImportedFinding],
    ) -> Result<(), Error> {
        let mut replaced = Vec::new();
        for stated in self
            .stored
            .iter()
            .filter(|stored| stored.is_stated && stored.status == FindingStatus::Open)
        {
            let found = findings.iter().zip(seen).find(|(new, _)| {
                let is_same = |found: &Vulnerability| is_about(&stated.vulnerability, found);
                !new.stated && new.vulnerability.as_ref().is_some_and(is_same)
            });
            if let Some((_, found)) = found.filter(|_| !stated.is_decided) {
                replaced.push(Verdict {
                    finding: stated.id.to_string(),
                    text: Some(format!("superseded by {}, which a scan has found", found.key)),
                    status: Some(FindingStatus::Suppressed),
                });
            }
        }
        if !replaced.is_empty() {
            tx.set_verdicts(release, &replaced).await?;
            let ids: Vec<&str> = replaced.iter().map(|one| one.finding.as_str()).collect();
            tx.resolve_blockers(&ids).await?;
        }
        Ok(())
    }
}

/// Stores the statements of the runs.
pub(super) async fn keep_statements(tx: &mut WriteTx, plan: &Plan, held: &[Option<Held>]) -> Result<(), Error> {
    for (held, statements) in held.iter().zip(&plan.statements) {
        if let Some(held) = held.as_ref().filter(|_| !statements.is_empty()) {
            tx.keep_statements(&plan.key.release, &held.id, statements, held.collected_at)
                .await?;
        }
    }
    Ok(())
}

/// Applies the statements of the file to the findings of scans in the release. Returns the IDs of findings that may need a blocker.
pub(super) async fn judge(
    tx: &mut WriteTx,
    plan: &Plan,
    held: &[Option<Held>],
    report: &mut ImportReport,
) -> Result<Vec<String>, Error> {
    let release = plan.key.release.as_str();
    let mut lifted = Vec::new();
    for (held, statements) in held.iter().zip(&plan.statements) {
        let Some(held) = held else { continue };
        let ids = ids_of(statements.iter().map(|statement| &statement.vulnerability));
        if ids.is_empty() {
            continue;
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let stated = tx.statements_on(release, &ids).await?;
        let stated = VexStatements::new(&stated);
        let (mut verdicts, mut suppressed, mut reopened, mut aside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for finding in tx
            .findings_about(release, &ids)
            .await?
            .into_iter()
            .filter(|finding| !finding.is_stated)
        {
            let text = set_aside_by(&stated, &finding.vulnerability);
            if text == finding.verdict {
                continue;
            }
            let status = match finding.status {
                FindingStatus::Open if !finding.is_decided && text.is_some() && !finding.is_open_elsewhere => {
                    suppressed.push(named(&finding));
                    Some(FindingStatus::Suppressed)
                }
                FindingStatus::Suppressed if !finding.is_decided && text.is_none() && !finding.is_suppressed => {
                    reopened.push(named(&finding));
                    Some(FindingStatus::Open)
                }
                _ => None,
            };
            match (&text, finding.is_decided) {
                (Some(_), false) => aside.push(finding.id.to_string()),
                (Some(_), true) => {}
                (None, _) => lifted.push(finding.id.to_string()),
            }
            verdicts.push(Verdict {
                finding: finding.id.to_string(),
                text,
                status,
            });
        }
        report.judged += verdicts.len();
        report.reopened += reopened.len();
        tx.set_verdicts(release, &verdicts).await?;
        let aside: Vec<&str> = aside.iter().map(String::as_str).collect();
        tx.resolve_blockers_in(release, &aside).await?;
        let occasion = Occasion {
            release: Some(plan.place()),
            evidence: Some(held.key.clone()),
        };
        reopened_findings::record_suppressed(tx, &suppressed, &occasion);
        reopened_findings::record_reopened(tx, ReopenCause::SuppressionLifted, &reopened, &occasion);
    }
    Ok(lifted)
}

fn named(finding: &VulnerableFinding) -> Named {
    (finding.id.to_string(), finding.key.clone())
}

/// What the statement about a vulnerability says, if it sets findings aside.
fn set_aside_by(statements: &VexStatements<'_>, found: &Vulnerability) -> Option<String> {
    let statement = statements.about(found)?;
    statement.status.sets_aside().then(|| statement.reason.clone())
}

/// Whether a statement is about a vulnerability: one of the IDs is the same, and the product is.
fn is_about(stated: &Vulnerability, found: &Vulnerability) -> bool {
    let has = |id: &String| found.ids.iter().any(|other| other.eq_ignore_ascii_case(id));
    stated.ids.iter().any(has) && stated.covers(found)
}

/// The IDs of vulnerabilities, in lower case.
fn ids_of<'a>(vulnerabilities: impl Iterator<Item = &'a Vulnerability>) -> BTreeSet<String> {
    vulnerabilities
        .flat_map(|one| &one.ids)
        .map(|id| id.to_lowercase())
        .collect()
}
