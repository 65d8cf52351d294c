//! `evidence`: the payload cites evidence, its bytes are unchanged, it is recent, and it is about the release.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::{grouped, listed};
use crate::domain::{CheckCode, Evidence, FactRef, FileState, RecordKind, Timestamp, Verdict, WorkItemKind};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let cited: Vec<&Evidence> = input
        .plan
        .evidence
        .iter()
        .filter_map(|id| input.facts.evidence(id))
        .collect();
    if cited.is_empty() {
        check_missing(input, &mut report);
        return report;
    }
    check_bytes(input, &cited, &mut report);
    check_age(input, &cited, &mut report);
    check_release(input, &cited, &mut report);
    let facts: Vec<_> = cited
        .iter()
        .filter_map(|one| input.facts.reference(one.id.as_str()))
        .collect();
    let days = input.policy.rules.evidence.max_age_days;
    let message = match cited.len() {
        1 => format!("The evidence is unchanged, at most {days} days old, and about this release."),
        count => {
            format!("All {count} pieces of evidence are unchanged, at most {days} days old, and about this release.")
        }
    };
    report.or_pass(CheckCode::EvidencePassed, message, facts)
}

/// A work package must cite evidence for its findings and blockers. A single work item may have another origin.
fn check_missing(input: &CheckInput<'_>, report: &mut CheckReport) {
    let items = input.items();
    let new: Vec<_> = items.iter().filter(|item| item.is_new).collect();
    if new.is_empty() {
        return;
    }
    let story = new
        .iter()
        .any(|item| item.text("kind") == Some(WorkItemKind::Story.as_str()));
    let package = story && new.len() > 1;
    let (verdict, message) = if package {
        (
            Verdict::Block,
            "No evidence is cited, so a reviewer cannot verify the findings. Cite the evidence that shows them.",
        )
    } else {
        (
            Verdict::Warn,
            "No evidence is cited. Verify in another way that the work is needed.",
        )
    };
    report.add(CheckCode::EvidenceMissing, verdict, message, None, None);
}

/// The stored bytes must have the recorded SHA-256.
fn check_bytes(input: &CheckInput<'_>, cited: &[&Evidence], report: &mut CheckReport) {
    let (mut changed, mut unknown) = (Vec::new(), Vec::new());
    for one in cited.iter().copied() {
        match input.context.file_states.get(one.id.as_str()) {
            Some(FileState::Intact) => {}
            Some(FileState::Changed) => changed.push(one),
            Some(FileState::Missing) | None => unknown.push(one),
        }
    }
    add(input, report, CheckCode::EvidenceChanged, &changed, |names| {
        format!(
            "The bytes of {names} have changed since the import. Import the file again, and find out who changed it."
        )
    });
    add(input, report, CheckCode::EvidenceNotStored, &unknown, |names| {
        format!("The bytes of {names} are not stored here, so they cannot be compared with those of the import.")
    });
}

fn check_age(input: &CheckInput<'_>, cited: &[&Evidence], report: &mut CheckReport) {
    // Clocks differ by minutes, which is allowed. Evidence with a later date would stay recent for too long.
    let early: Vec<_> = cited
        .iter()
        .filter(|one| one.collected_at.since(input.now) > Timestamp::DAY)
        .copied()
        .collect();
    add(input, report, CheckCode::EvidenceInFuture, &early, |names| {
        format!("{names} is dated in the future. Scan again on a machine with a correct clock, and import the file.")
    });
    let limit = input.policy.rules.evidence.max_age_days;
    let old: Vec<_> = cited
        .iter()
        .filter(|one| input.policy.is_stale(one.collected_at, input.now))
        .copied()
        .collect();
    for one in &old {
        let days = input.now.since(one.collected_at) / Timestamp::DAY;
        let newest = newest(input, one);
        let remedy = match newest {
            Some(newer) => format!("Cite {} instead, which is newer.", newer.key),
            None => "Scan again, import the file, and cite the new evidence.".to_owned(),
        };
        let message = format!(
            "{} ({}) is {} days old (limit {limit}). {remedy}",
            one.key,
            one.provider,
            grouped(usize::try_from(days).unwrap_or_default())
        );
        let facts = [one.id.as_str()]
            .into_iter()
            .chain(newest.map(|newer| newer.id.as_str()))
            .filter_map(|id| reference(input, id));
        report.add(
            CheckCode::EvidenceStale,
            Verdict::Block,
            message,
            facts,
            pointers(input, one),
        );
    }
}

/// The newest evidence of the same release, provider and kind, if it is newer than `than`.
fn newest<'a>(input: &CheckInput<'a>, than: &Evidence) -> Option<&'a Evidence> {
    input
        .context
        .newer_evidence
        .iter()
        .filter(|one| one.release_id == than.release_id && one.provider == than.provider && one.kind == than.kind)
        .filter(|one| one.collected_at > than.collected_at)
        .max_by_key(|one| one.collected_at)
}

/// Evidence must be about the release, or about the commit of the release.
fn check_release(input: &CheckInput<'_>, cited: &[&Evidence], report: &mut CheckReport) {
    let Some(release) = input.release() else { return };
    let foreign: Vec<_> = cited
        .iter()
        .filter(|one| one.release_id != release.id && (one.commit.is_none() || one.commit != release.commit))
        .copied()
        .collect();
    add(input, report, CheckCode::EvidenceOfOtherRelease, &foreign, |names| {
        format!(
            "{names} is about another release and commit than {}. Cite evidence of this release.",
            release.key
        )
    });
}

fn add(
    input: &CheckInput<'_>,
    report: &mut CheckReport,
    code: CheckCode,
    affected: &[&Evidence],
    message: impl FnOnce(String) -> String,
) {
    if affected.is_empty() {
        return;
    }
    let names: Vec<String> = affected.iter().map(|one| one.key.clone()).collect();
    let facts: Vec<_> = affected
        .iter()
        .filter_map(|one| reference(input, one.id.as_str()))
        .collect();
    let pointers: Vec<String> = affected.iter().flat_map(|one| pointers(input, one)).collect();
    let verdict = match code {
        CheckCode::EvidenceNotStored => Verdict::Unknown,
        _ => Verdict::Block,
    };
    report.add(code, verdict, message(listed(&names)), facts, pointers);
}

/// The pointers at which the payload cites the evidence.
fn pointers(input: &CheckInput<'_>, one: &Evidence) -> Vec<String> {
    let of = |(id, pointer): &(String, String)| (id == one.id.as_str()).then(|| pointer.clone());
    input.plan.references.iter().filter_map(of).collect()
}

fn reference(input: &CheckInput<'_>, id: &str) -> Option<FactRef> {
    input.facts.reference(id).or_else(|| {
        let newer = input.context.newer_evidence.iter().find(|one| one.id.as_str() == id)?;
        Some(FactRef {
            kind: RecordKind::Evidence,
            id: id.to_owned(),
            key: Some((&newer.key).into()),
        })
    })
}
