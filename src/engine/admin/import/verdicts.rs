//! Statements on vulnerabilities (VEX) apply to the finding of the scanner: there is one record, whichever file is imported first.
//!
//! A statement holds in the release into which it was imported. It sets a finding aside there; the finding itself is suppressed as soon as
//! statements set it aside in every release that shows it. A person's decision outweighs statements.

use crate::domain::{FindingStatus, ReopenCause};
use crate::engine::Error;
use crate::engine::admin::import::plan::{Held, Plan};
use crate::engine::admin::import::{AT_ONCE, ImportReport};
use crate::engine::reopened_findings::{self, Named, Occasion};
use crate::import::{VexStatement, VexStatements, Vulnerability};
use crate::store::{ImportedFinding, NewFinding, ReadTx, Verdict, VulnerableFinding, WriteTx};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How the verdict begins on a finding that only statements showed until a scan found it.
const SUPERSEDED: &str = "superseded by";

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
    /// Whether a finding is only stated, and there is another finding of the same already.
    pub(super) fn is_told_already(&self, new: &NewFinding) -> bool {
        let Some(vulnerability) = new.vulnerability.as_ref().filter(|_| new.stated) else {
            return false;
        };
        let (own, others): (Vec<_>, Vec<_>) = self.stored.iter().partition(|stored| stored.identity == new.identity);
        own.iter().all(|own| own.is_stated) && others.iter().any(|other| is_about(vulnerability, &other.vulnerability))
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
            .filter(|stored| stored.is_stated && !stored.is_decided)
        {
            let found = findings.iter().zip(seen).find(|(new, _)| {
                let is_same = |found: &Vulnerability| is_about(&stated.vulnerability, found);
                !new.stated && new.identity != stated.identity && new.vulnerability.as_ref().is_some_and(is_same)
            });
            if let Some((_, found)) = found {
                let text = format!("{SUPERSEDED} {}, which a scan has found", found.key);
                replaced.push(stated.set_aside(Some(text)));
            }
        }
        if !replaced.is_empty() {
            tx.set_verdicts(release, &replaced).await?;
            let ids: Vec<&str> = replaced.iter().map(|one| one.finding.as_str()).collect();
            tx.resolve_blockers_in(release, &ids).await?;
        }
        Ok(())
    }
}

impl VulnerableFinding {
    /// What follows for the finding if this is said that sets it aside in the release, or nothing is.
    fn set_aside(&self, text: Option<String>) -> Verdict {
        let status = match (self.status, &text) {
            _ if self.is_decided => None,
            (FindingStatus::Open, Some(_)) if !self.is_open_elsewhere => Some(FindingStatus::Suppressed),
            (FindingStatus::Suppressed, None) if !self.is_suppressed => Some(FindingStatus::Open),
            _ => None,
        };
        Verdict {
            finding: self.id.to_string(),
            text,
            status,
        }
    }

    fn is_superseded(&self) -> bool {
        self.verdict.as_ref().is_some_and(|text| text.starts_with(SUPERSEDED))
    }
}

/// Some of the statements of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    run: usize,
    range: Range<usize>,
}

/// The statements of the file, in parts for one transaction each.
pub(super) fn parts(plan: &Plan) -> Vec<Part> {
    let of_run = |(run, statements): (usize, &Vec<VexStatement>)| {
        let count = statements.len();
        let starts = (0..count).step_by(AT_ONCE);
        starts.map(move |start| Part {
            run,
            range: start..count.min(start + AT_ONCE),
        })
    };
    plan.statements.iter().enumerate().flat_map(of_run).collect()
}

/// Stores a part of the statements.
pub(super) async fn keep_statements(
    tx: &mut WriteTx,
    plan: &Plan,
    held: &[Option<Held>],
    part: &Part,
) -> Result<(), Error> {
    let (Some(Some(held)), Some(statements)) = (held.get(part.run), plan.statements.get(part.run)) else {
        return Ok(());
    };
    let some = &statements[part.range.clone()];
    let first = part.range.start;
    Ok(tx
        .keep_statements(&plan.key.release, &held.id, first, some, held.collected_at)
        .await?)
}

/// Applies a part of the statements to the findings in the release, after all parts are stored. Returns the IDs of findings that may need a
/// blocker.
pub(super) async fn judge(
    tx: &mut WriteTx,
    plan: &Plan,
    held: &[Option<Held>],
    part: &Part,
    report: &mut ImportReport,
) -> Result<Vec<String>, Error> {
    let (Some(Some(held)), Some(statements)) = (held.get(part.run), plan.statements.get(part.run)) else {
        return Ok(Vec::new());
    };
    let release = plan.key.release.as_str();
    let ids = ids_of(
        statements[part.range.clone()]
            .iter()
            .map(|statement| &statement.vulnerability),
    );
    let found = tx
        .findings_about(release, &ids.iter().map(String::as_str).collect::<Vec<_>>())
        .await?;
    // A finding has further IDs, about which other files may state something.
    let ids = ids_of(found.iter().map(|finding| &finding.vulnerability));
    let stated = tx
        .statements_on(release, &ids.iter().map(String::as_str).collect::<Vec<_>>())
        .await?;
    let stated = VexStatements::new(&stated);
    let (mut verdicts, mut suppressed, mut reopened) = (Vec::new(), Vec::new(), Vec::new());
    for finding in found.iter().filter(|finding| !finding.is_superseded()) {
        let text = set_aside_by(&stated, &finding.vulnerability);
        if text == finding.verdict {
            continue;
        }
        let verdict = finding.set_aside(text);
        let named: Named = (finding.id.to_string(), finding.key.clone());
        match verdict.status {
            Some(FindingStatus::Suppressed) => suppressed.push(named),
            Some(_) => reopened.push(named),
            None => {}
        }
        verdicts.push((verdict, finding.is_decided));
    }
    let aside = verdicts
        .iter()
        .filter(|(verdict, is_decided)| verdict.text.is_some() && !is_decided);
    let aside: Vec<&str> = aside.map(|(verdict, _)| verdict.finding.as_str()).collect();
    tx.resolve_blockers_in(release, &aside).await?;
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(|(verdict, _)| verdict).collect();
    tx.set_verdicts(release, &verdicts).await?;
    report.judged += verdicts.len();
    report.reopened += reopened.len();
    let occasion = Occasion {
        release: Some(plan.place()),
        evidence: Some(held.key.clone()),
    };
    reopened_findings::record_suppressed(tx, &suppressed, &occasion);
    reopened_findings::record_reopened(tx, ReopenCause::SuppressionLifted, &reopened, &occasion);
    let lifted = verdicts.into_iter().filter(|verdict| verdict.text.is_none());
    Ok(lifted.map(|verdict| verdict.finding).collect())
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
