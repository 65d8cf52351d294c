//! `unrelated`: the records that the payload refers to belong to the release, and are still open.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::listed;
use crate::domain::{BlockerStatus, Change, CheckCode, FindingStatus, Record, RecordKind, Release, Verdict};
use crate::views::Label;

/// A reference of the payload: record ID and pointer.
type Reference<'a> = (&'a String, &'a String);

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    check_other_releases(input, &mut report);
    let Some(release) = input.release() else {
        return report;
    };
    let (mut foreign, mut closed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut judged = 0;
    // Only new work needs open records: other tools change the status of the records themselves.
    let creates_work = input.items().iter().any(|item| item.is_new);
    for (id, pointer) in &input.plan.references {
        let Some(belongs) = belongs_to(input, release, id) else {
            continue;
        };
        judged += 1;
        if !belongs {
            foreign.push((id, pointer));
        } else if creates_work && is_closed(input, id) {
            closed.push((id, pointer));
        } else if creates_work && is_gone(input, release, id) {
            gone.push((id, pointer));
        }
    }
    add(input, &mut report, CheckCode::RecordOfOtherRelease, &foreign, |names| {
        format!(
            "Not in release {}: {names}. Refer only to records of this release.",
            release.key
        )
    });
    add(input, &mut report, CheckCode::RecordNotOpen, &closed, |names| {
        format!("No longer open: {names}. Check whether there is still something to do.")
    });
    add(input, &mut report, CheckCode::FindingNotSeen, &gone, |names| {
        format!(
            "The newest complete scan does not show any more: {names}. Check whether there is still something to do."
        )
    });
    if judged == 0 {
        return report;
    }
    report.or_pass(
        CheckCode::UnrelatedPassed,
        format!(
            "All referenced records belong to release {}.{}",
            release.key,
            accepted_here_alone(input, release)
        ),
        input.facts.reference(release.id.as_str()),
    )
}

/// A status holds in every release that shows the finding. Warns if there are several and the status takes the finding out of the way.
fn check_other_releases(input: &CheckInput<'_>, report: &mut CheckReport) {
    for change in &input.plan.change_set.0 {
        let Change::Update(update) = change else { continue };
        let Some(Record::Finding(finding)) = input.facts.get(&update.id) else {
            continue;
        };
        let status = update.fields.iter().find(|field| field.field == "status");
        let closes = status
            .and_then(|field| FindingStatus::parse(field.after.as_str()?))
            .is_some_and(|status| !matches!(status, FindingStatus::Open | FindingStatus::Accepted));
        if closes && finding.releases.len() > 1 {
            let releases: Vec<String> = finding.releases.iter().map(|one| one.release_key.clone()).collect();
            report.add(
                CheckCode::FindingInOtherReleases,
                Verdict::Warn,
                format!(
                    "{} was seen in {}. The new status holds in all of them.",
                    finding.key,
                    listed(&releases)
                ),
                input.facts.reference(&update.id),
                input
                    .plan
                    .references
                    .iter()
                    .filter(|(id, _)| *id == update.id)
                    .map(|(_, pointer)| pointer.clone()),
            );
        }
    }
}

/// A sentence on the other releases of findings whose risk is accepted for this release alone; empty without such findings.
fn accepted_here_alone(input: &CheckInput<'_>, release: &Release) -> String {
    let accepts =
        |change: &Change| matches!(change, Change::Create(create) if create.kind == RecordKind::RiskAcceptance);
    if !input.plan.change_set.0.iter().any(accepts) {
        return String::new();
    }
    let findings = input
        .plan
        .references
        .iter()
        .filter_map(|(id, _)| match input.facts.get(id)? {
            Record::Finding(finding) => Some(finding),
            _ => None,
        });
    let others = findings
        .flat_map(|finding| &finding.releases)
        .filter(|one| one.release_id != release.id);
    let mut keys: Vec<String> = others.map(|one| one.release_key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return String::new();
    }
    format!(
        " The findings were also seen in {}, for which the risk is not accepted by this action.",
        listed(&keys)
    )
}

/// Whether the newest complete scan of the release does not show the finding.
fn is_gone(input: &CheckInput<'_>, release: &Release, id: &str) -> bool {
    let Some(Record::Finding(finding)) = input.facts.get(id) else {
        return false;
    };
    let here = finding.releases.iter().find(|one| one.release_id == release.id);
    here.is_some_and(|one| one.not_seen_since.is_some())
}

fn add(
    input: &CheckInput<'_>,
    report: &mut CheckReport,
    code: CheckCode,
    references: &[Reference<'_>],
    message: impl FnOnce(String) -> String,
) {
    if references.is_empty() {
        return;
    }
    let name = |id: &str| {
        let kind = RecordKind::of(id).map_or("record", Label::label);
        format!("{kind} {}", input.name(id))
    };
    let mut names: Vec<String> = references.iter().map(|(id, _)| name(id)).collect();
    names.dedup();
    let verdict = match code {
        CheckCode::RecordOfOtherRelease => Verdict::Block,
        _ => Verdict::Warn,
    };
    report.add(
        code,
        verdict,
        message(listed(&names)),
        references.iter().filter_map(|(id, _)| input.facts.reference(id)),
        references.iter().map(|(_, pointer)| (*pointer).clone()),
    );
}

/// Whether a record belongs to the release; `None` for kinds that another check judges, or that belong to no release.
fn belongs_to(input: &CheckInput<'_>, release: &Release, id: &str) -> Option<bool> {
    let facts = input.facts;
    match RecordKind::of(id)? {
        RecordKind::Blocker => facts.blocker(id).map(|record| record.release_id == release.id),
        RecordKind::Control => facts.control(id).map(|record| record.release_id == release.id),
        RecordKind::Finding => facts.finding(id).map(|record| record.release_ids.contains(&release.id)),
        // The checks `evidence` and `hierarchy` judge evidence and parents.
        _ => None,
    }
}

/// Whether the record needs no work any more.
fn is_closed(input: &CheckInput<'_>, id: &str) -> bool {
    let facts = input.facts;
    match RecordKind::of(id) {
        Some(RecordKind::Finding) => facts.finding(id).is_some_and(|record| match input.release() {
            Some(release) => record.status_in(&release.id) != FindingStatus::Open,
            None => record.status != FindingStatus::Open,
        }),
        Some(RecordKind::Blocker) => facts
            .blocker(id)
            .is_some_and(|record| record.status != BlockerStatus::Open),
        _ => false,
    }
}
