//! `duplicates`: the same work is not planned, under way or done already.

use super::Subject;
use super::subject::Item;
use super::verdicts::{Verdicts, listed};
use crate::domain::{CheckId, FactRef, RecordKind, Verdict, WorkItem, WorkItemStatus, likeness::Title, text};
use std::collections::{BTreeMap, BTreeSet};

/// From here on two titles are alike enough to look at, in percent.
const ALIKE: usize = 60;
/// The most items that are named one by one.
const NAMED: usize = 10;

pub(super) fn check(subject: &Subject<'_>) -> Verdicts {
    let mut found = Verdicts::of(CheckId::Duplicates);
    let items: Vec<Item<'_>> = subject.items();
    let planned: Vec<&Item<'_>> = items
        .iter()
        .filter(|item| item.is_new || item.touches("title"))
        .collect();
    let same = same_findings(subject, &planned, &mut found);
    alike(subject, &planned, &same, &mut found);
    open_actions(subject, &mut found);
    if planned.is_empty() {
        return found.or_pass("No other open action is about the same records.", None);
    }
    found.or_pass(
        "No work item and no open action is about the same findings or called alike.",
        None,
    )
}

/// Work items that rest on the same findings, open or closed. Returns their IDs.
fn same_findings(subject: &Subject<'_>, planned: &[&Item<'_>], found: &mut Verdicts) -> BTreeSet<String> {
    // By item: the findings that it shares with the plan, and where they stand there.
    let mut shared: BTreeMap<&str, (BTreeSet<&str>, Vec<String>)> = BTreeMap::new();
    for item in planned.iter().filter(|item| item.is_new) {
        for (n, finding) in item.ids("findingIds").enumerate() {
            for other in subject.around.resting.get(finding).into_iter().flatten() {
                let (findings, places) = shared.entry(other).or_default();
                findings.insert(finding);
                places.push(item.pointer(&format!("findingIds/{n}")));
            }
        }
    }
    let mut rest = 0;
    for (n, (id, (findings, places))) in shared.iter().enumerate() {
        let Some(item) = subject.around.items.get(*id) else {
            continue;
        };
        if n >= NAMED {
            rest += 1;
            continue;
        }
        let keys: Vec<String> = findings.iter().map(|finding| subject.name(finding)).collect();
        let message = format!(
            "{} {} is about {} already. {}",
            described(item),
            quoted(&item.title),
            listed(&keys),
            clears(item)
        );
        let facts = [reference(item)]
            .into_iter()
            .chain(findings.iter().filter_map(|id| subject.facts.reference(id)));
        found.add(severity(item), message, facts, places.clone());
    }
    if rest > 0 {
        let message = format!("{rest} more work items are about the same findings.");
        found.add(Verdict::Block, message, None, None);
    }
    shared.keys().map(|id| (*id).to_owned()).collect()
}

/// Work items of the same release whose titles are alike, the likest first.
fn alike(subject: &Subject<'_>, planned: &[&Item<'_>], known: &BTreeSet<String>, found: &mut Verdicts) {
    let Some(release) = subject.plan.place.release.as_ref() else {
        return;
    };
    let there: Vec<(Title, &WorkItem)> = subject
        .around
        .items
        .values()
        .filter(|other| other.release_id == *release && !known.contains(other.id.as_str()))
        .map(|other| (Title::of(&other.title), other))
        .collect();
    let mut close: Vec<(usize, &WorkItem, &Item<'_>)> = Vec::new();
    for item in planned {
        let title = Title::of(item.text("title").unwrap_or_default());
        let likest = there
            .iter()
            .filter(|(_, other)| other.id.as_str() != item.id)
            .map(|(other_title, other)| (title.percent(other_title), *other))
            .filter(|(percent, _)| *percent >= ALIKE)
            .max_by_key(|(percent, _)| *percent);
        close.extend(likest.map(|(percent, other)| (percent, other, *item)));
    }
    close.sort_by_key(|(percent, ..)| std::cmp::Reverse(*percent));
    let rest = close.len().saturating_sub(NAMED);
    for (percent, other, item) in close.iter().take(NAMED) {
        let verdict = if *percent == 100 {
            severity(other)
        } else {
            Verdict::Warn
        };
        let message = format!(
            "{} {} is called much the same ({percent} % alike). {}",
            described(other),
            quoted(&other.title),
            clears(other)
        );
        found.add(verdict, message, [reference(other)], [item.pointer("title")]);
    }
    if rest > 0 {
        let places = close.iter().skip(NAMED).map(|(_, _, item)| item.pointer("title"));
        found.add(
            Verdict::Warn,
            format!("{rest} more titles are like those of other work items."),
            None,
            places,
        );
    }
}

/// Other open actions about the same records. Whether they are decided is not said: an acknowledgement holds while they are open.
fn open_actions(subject: &Subject<'_>, found: &mut Verdicts) {
    for other in subject.around.open_actions.iter().take(NAMED) {
        // A finding that only a blocker names has no name here.
        let named = other.shares.iter().filter(|id| subject.facts.name_of(id).is_some());
        let keys: Vec<String> = named.map(|id| subject.name(id)).collect();
        let fact = FactRef {
            kind: RecordKind::Action,
            id: other.id.to_string(),
            key: None,
        };
        let places = subject
            .plan
            .references
            .iter()
            .filter(|(id, _)| other.shares.contains(id))
            .map(|(_, pointer)| pointer.clone());
        found.add(
            Verdict::Warn,
            format!(
                "Another open action is about {} too: {} Decide which of the two is wanted.",
                listed(&keys),
                sentence(&other.headline)
            ),
            [fact],
            places,
        );
    }
}

/// What was cancelled was not done: doing it now may be meant.
fn severity(item: &WorkItem) -> Verdict {
    match item.status {
        WorkItemStatus::Cancelled => Verdict::Warn,
        _ => Verdict::Block,
    }
}

fn clears(item: &WorkItem) -> &'static str {
    match item.status {
        WorkItemStatus::Open | WorkItemStatus::InProgress => "Update that one, or leave this out.",
        WorkItemStatus::Done => "Reopen that one if it did not help, or leave this out.",
        WorkItemStatus::Cancelled => "See why it was cancelled.",
    }
}

fn described(item: &WorkItem) -> String {
    let status = match item.status {
        WorkItemStatus::Open => "open",
        WorkItemStatus::InProgress => "in progress",
        WorkItemStatus::Done => "done",
        WorkItemStatus::Cancelled => "cancelled",
    };
    format!("{} ({status})", item.key)
}

fn reference(item: &WorkItem) -> FactRef {
    FactRef {
        kind: RecordKind::WorkItem,
        id: item.id.to_string(),
        key: Some(item.key.clone()),
    }
}

fn sentence(headline: &str) -> String {
    format!("{}.", text::visible(headline).trim_end_matches('.'))
}

fn quoted(title: &str) -> String {
    format!("\"{}\"", text::visible(title.trim()))
}
