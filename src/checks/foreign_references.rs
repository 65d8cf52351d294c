//! `unrelated`: the records that the payload refers to belong to the release, and are still open.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::listed;
use crate::domain::{BlockerStatus, CheckCode, FindingStatus, RecordKind, Release, Verdict};
use crate::views::Label;

/// A reference of the payload: record ID and pointer.
type Reference<'a> = (&'a String, &'a String);

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let Some(release) = input.release() else {
        return report;
    };
    let (mut foreign, mut closed) = (Vec::new(), Vec::new());
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
    if judged == 0 {
        return report;
    }
    report.or_pass(
        CheckCode::UnrelatedPassed,
        format!("All referenced records belong to release {}.", release.key),
        input.facts.reference(release.id.as_str()),
    )
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
        Some(RecordKind::Finding) => facts
            .finding(id)
            .is_some_and(|record| record.status != FindingStatus::Open),
        Some(RecordKind::Blocker) => facts
            .blocker(id)
            .is_some_and(|record| record.status != BlockerStatus::Open),
        _ => false,
    }
}
