//! `unrelated`: what is referred to belongs to this release, and is still something to act upon.

use crate::checks::CheckInput;
use crate::checks::report::{CheckReport, listed};
use crate::domain::{BlockerStatus, CheckId, FindingStatus, RecordKind, Release, Verdict};
use crate::views::Label;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Unrelated);
    let Some(release) = input.release() else {
        return found;
    };
    let (mut elsewhere, mut over) = (Vec::new(), Vec::new());
    let mut judged = 0;
    // What an action itself decides about is no reference of this kind.
    let work = input.items().iter().any(|item| item.is_new);
    for (id, pointer) in &input.plan.references {
        let Some(belongs) = belongs(input, release, id) else {
            continue;
        };
        judged += 1;
        if !belongs {
            elsewhere.push((id, pointer));
        } else if work && is_over(input, id) {
            over.push((id, pointer));
        }
    }
    let named = |places: &[(&String, &String)]| {
        let mut names: Vec<String> = places
            .iter()
            .map(|(id, _)| {
                let kind = RecordKind::of(id).map_or("record", Label::label);
                format!("{kind} {}", input.name(id))
            })
            .collect();
        names.dedup();
        listed(&names)
    };
    let mut add = |verdict, message: String, places: Vec<(&String, &String)>| {
        if !places.is_empty() {
            let facts: Vec<_> = places.iter().filter_map(|(id, _)| input.facts.reference(id)).collect();
            found.add(
                verdict,
                message,
                facts,
                places.into_iter().map(|(_, pointer)| pointer.clone()),
            );
        }
    };
    add(
        Verdict::Block,
        format!(
            "Not of release {}: {}. Refer to records of this release alone.",
            release.key,
            named(&elsewhere)
        ),
        elsewhere,
    );
    add(
        Verdict::Warn,
        format!(
            "Not open any more: {}. See whether there is still something to do.",
            named(&over)
        ),
        over,
    );
    if judged == 0 {
        return found;
    }
    found.or_pass(
        format!("Every record that it refers to belongs to release {}.", release.key),
        input.facts.reference(release.id.as_str()),
    )
}

/// Whether a record belongs to the release; `None` for kinds that belong to none. Whether evidence does is for `evidence` to say.
fn belongs(input: &CheckInput<'_>, release: &Release, id: &str) -> Option<bool> {
    let facts = input.facts;
    match RecordKind::of(id)? {
        RecordKind::Blocker => facts.blocker(id).map(|record| record.release_id == release.id),
        RecordKind::Control => facts.control(id).map(|record| record.release_id == release.id),
        RecordKind::Finding => facts.finding(id).map(|record| record.release_ids.contains(&release.id)),
        // A parent is for `hierarchy` to judge, and what is changed says itself where it belongs.
        _ => None,
    }
}

/// Whether work on it would be work on what is done.
fn is_over(input: &CheckInput<'_>, id: &str) -> bool {
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
