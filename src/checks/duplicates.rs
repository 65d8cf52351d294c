//! `duplicates`: the same work is not planned, under way or done already.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::{CheckReport, listed};
use crate::domain::title_similarity::Title;
use crate::domain::{Check, CheckId, FactRef, RecordKind, Verdict, WorkItem, WorkItemStatus, text, title_similarity};
use std::collections::{BTreeMap, BTreeSet};

/// From here on two titles are alike enough to look at, in percent.
const ALIKE: usize = 60;
/// Said where other open actions are too many to be named.
const MANY: &str = "Many other open actions are about the same records. Decide which of them is wanted.";
/// The most items that are named one by one.
const NAMED: usize = 10;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Duplicates);
    let items: Vec<Item<'_>> = input.items();
    let planned: Vec<&Item<'_>> = items
        .iter()
        .filter(|item| item.is_new || item.touches("title"))
        .collect();
    let same = same_findings(input, &planned, &mut found);
    alike(input, &planned, &same, &mut found);
    repeats(input, &mut found);
    open_actions(input, &mut found);
    if planned.is_empty() {
        return found.or_pass("No other open action is about the same records.", None);
    }
    found.or_pass(
        "No work item and no open action is about the same findings or called alike.",
        None,
    )
}

/// Work items that rest on the same findings, open or closed. Returns their IDs.
fn same_findings(input: &CheckInput<'_>, planned: &[&Item<'_>], found: &mut CheckReport) -> BTreeSet<String> {
    // By item: the findings that it shares with the plan, and where they stand there.
    let mut shared: BTreeMap<&str, (BTreeSet<&str>, Vec<String>)> = BTreeMap::new();
    for item in planned.iter().filter(|item| item.is_new) {
        for (n, finding) in item.ids("findingIds").enumerate() {
            for other in input.around.resting.get(finding).into_iter().flatten() {
                let (findings, places) = shared.entry(other).or_default();
                findings.insert(finding);
                places.push(item.pointer(&format!("findingIds/{n}")));
            }
        }
    }
    let mut rest = Rest::default();
    for (n, (id, (findings, places))) in shared.iter().enumerate() {
        let Some(item) = input.around.items.get(*id) else {
            continue;
        };
        if n >= NAMED {
            rest.add(severity(item), places.first());
            continue;
        }
        let keys: Vec<String> = findings.iter().map(|finding| input.name(finding)).collect();
        let message = format!(
            "{} {} is about {} already. {}",
            described(item),
            quoted(&item.title),
            listed(&keys),
            clears(item)
        );
        let facts = [reference(item)]
            .into_iter()
            .chain(findings.iter().filter_map(|id| input.facts.reference(id)));
        found.add(severity(item), message, facts, places.clone());
    }
    rest.tell("more work items are about the same findings", found);
    shared.keys().map(|id| (*id).to_owned()).collect()
}

/// Work items of the same release whose titles are alike, the likest first.
fn alike(input: &CheckInput<'_>, planned: &[&Item<'_>], known: &BTreeSet<String>, found: &mut CheckReport) {
    let Some(release) = input.plan.scope.release.as_ref() else {
        return;
    };
    let there: Vec<(Title, &WorkItem)> = input
        .around
        .items
        .values()
        .filter(|other| other.release_id == *release && !known.contains(other.id.as_str()))
        .map(|other| (Title::of(&other.title), other))
        .collect();
    let mut close: Vec<(Verdict, usize, &WorkItem, &Item<'_>)> = Vec::new();
    for item in planned {
        let words = item.text("title").unwrap_or_default();
        let title = Title::of(words);
        let likest = there
            .iter()
            .filter(|(_, other)| other.id.as_str() != item.id)
            .map(|(other_title, other)| (title.percent(other_title), *other))
            .filter(|(percent, _)| *percent >= ALIKE)
            .map(|(percent, other)| {
                // The same words to the letter are the same work; what is only much alike is for somebody to look at.
                let same = title_similarity::essence(words) == title_similarity::essence(&other.title);
                (if same { severity(other) } else { Verdict::Warn }, percent, other)
            })
            .max_by_key(|(verdict, percent, _)| (*verdict, *percent));
        close.extend(likest.map(|(verdict, percent, other)| (verdict, percent, other, *item)));
    }
    close.sort_by_key(|(verdict, percent, ..)| std::cmp::Reverse((*verdict, *percent)));
    let mut rest = Rest::default();
    for (n, (verdict, percent, other, item)) in close.iter().enumerate() {
        if n >= NAMED {
            rest.add(*verdict, Some(&item.pointer("title")));
            continue;
        }
        let message = format!(
            "{} {} is called much the same ({percent} % alike). {}",
            described(other),
            quoted(&other.title),
            clears(other)
        );
        found.add(*verdict, message, [reference(other)], [item.pointer("title")]);
    }
    rest.tell("more titles are like those of other work items", found);
}

/// What is not named one by one: how many, at which places, and the worst that can be said of any.
#[derive(Default)]
struct Rest {
    count: usize,
    worst: Option<Verdict>,
    places: Vec<String>,
}

impl Rest {
    fn add(&mut self, verdict: Verdict, place: Option<&String>) {
        self.count += 1;
        self.worst = self.worst.max(Some(verdict));
        self.places.extend(place.cloned());
    }

    fn tell(self, what: &str, found: &mut CheckReport) {
        if let Some(worst) = self.worst {
            found.add(worst, format!("{} {what}.", self.count), None, self.places);
        }
    }
}

/// Whether a verdict speaks of other open actions alone. One that comes to be known after an approval is that one's to explain: two that
/// are stored at the same moment need not come in the order of their IDs.
pub fn is_of_open_actions(check: &Check) -> bool {
    let named = !check.facts.is_empty() && check.facts.iter().all(|fact| fact.kind == RecordKind::Action);
    check.id == CheckId::Duplicates && check.verdict == Verdict::Warn && (named || check.message == MANY)
}

/// What an agent asks for again, under another key, while it waits for the answer.
fn repeats(input: &CheckInput<'_>, found: &mut CheckReport) {
    let Some(first) = &input.around.repeats else {
        return;
    };
    let fact = FactRef {
        kind: RecordKind::Action,
        id: first.to_string(),
        key: None,
    };
    let message = "The same is pending already, and this only repeats it: once that one is decided, this one ends with it. Ask what \
                   became of that one; do not propose it again.";
    found.add(Verdict::Warn, message, [fact], None);
}

/// Other open actions about the same records. Whether they are decided is not said: an acknowledgement holds while they are open.
fn open_actions(input: &CheckInput<'_>, found: &mut CheckReport) {
    let repeated = input.around.repeats.as_ref();
    let others = input
        .around
        .open_actions
        .iter()
        .filter(|other| Some(&other.id) != repeated);
    let others: Vec<_> = others.collect();
    if others.len() > NAMED {
        // Named one by one, each that ends would bring another into view, and undo what was acknowledged.
        let shared = |id: &String| others.iter().any(|other| other.shares.contains(id));
        let places = input
            .plan
            .references
            .iter()
            .filter(|(id, _)| shared(id))
            .map(|(_, pointer)| pointer.clone());
        found.add(Verdict::Warn, MANY, None, places);
        return;
    }
    for other in others {
        // A finding that only a blocker names has no name here.
        let named = other.shares.iter().filter(|id| input.facts.name_of(id).is_some());
        let keys: Vec<String> = named.map(|id| input.name(id)).collect();
        let fact = FactRef {
            kind: RecordKind::Action,
            id: other.id.to_string(),
            key: None,
        };
        let places = input
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
        key: Some((&item.key).into()),
    }
}

fn sentence(headline: &str) -> String {
    format!("{}.", text::visible(headline).trim_end_matches('.'))
}

fn quoted(title: &str) -> String {
    format!("\"{}\"", text::visible(title.trim()))
}
