//! `duplicates`: no work item and no open action is about the same work.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::{listed, quoted};
use crate::domain::title_similarity::Title;
use crate::domain::{
    Check, CheckCode, FactRef, OpenAction, RecordKind, Verdict, WorkItem, WorkItemStatus, text, title_similarity,
};
use std::collections::{BTreeMap, BTreeSet};

/// Titles with this similarity or more, in percent, are a warning.
const SIMILAR_PERCENT: usize = 60;
/// The most work items or actions that get a result each; one result counts the rest.
const MAX_NAMED: usize = 10;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let items: Vec<Item<'_>> = input.items();
    let planned: Vec<&Item<'_>> = items
        .iter()
        .filter(|item| item.is_new || item.touches("title"))
        .collect();
    let same = check_findings(input, &planned, &mut report);
    check_titles(input, &planned, &same, &mut report);
    check_repetition(input, &mut report);
    check_open_actions(input, &mut report);
    let message = match planned.is_empty() {
        true => "No other open action is about the same records.",
        false => "No duplicate found.",
    };
    report.or_pass(CheckCode::DuplicatesPassed, message, None)
}

/// Whether a result is only about other open actions. The execution of an approved action ignores such results: the action that was
/// proposed later has the same warning, and two actions that are stored at the same moment need not be stored in the order of their IDs.
pub fn is_of_open_actions(check: &Check) -> bool {
    matches!(check.code, CheckCode::OpenActions | CheckCode::RepeatsPendingAction)
}

/// Reports work items that are about the same findings, open or closed. Returns their IDs.
fn check_findings(input: &CheckInput<'_>, planned: &[&Item<'_>], report: &mut CheckReport) -> BTreeSet<String> {
    // By work item: the findings that the plan has too, and their pointers in the payload.
    let mut shared: BTreeMap<&str, (BTreeSet<&str>, Vec<String>)> = BTreeMap::new();
    for item in planned.iter().filter(|item| item.is_new) {
        for (n, finding) in item.ids("findingIds").enumerate() {
            for other in input.context.work_items_by_finding.get(finding).into_iter().flatten() {
                let (findings, pointers) = shared.entry(other).or_default();
                findings.insert(finding);
                pointers.push(item.pointer(&format!("findingIds/{n}")));
            }
        }
    }
    let mut rest = Rest::default();
    for (n, (id, (findings, pointers))) in shared.iter().enumerate() {
        let Some(item) = input.context.work_items.get(*id) else {
            continue;
        };
        if n >= MAX_NAMED {
            rest.add(verdict_for(item), pointers.first());
            continue;
        }
        let keys: Vec<String> = findings.iter().map(|finding| input.name(finding)).collect();
        let message = format!(
            "{} {} is already about {}. {}",
            key_and_status(item),
            quoted(&item.title),
            listed(&keys),
            remedy(item)
        );
        let facts = [reference(item)]
            .into_iter()
            .chain(findings.iter().filter_map(|id| input.facts.reference(id)));
        report.add_with_basis(
            CheckCode::SameFindings,
            verdict_for(item),
            message,
            facts,
            pointers.clone(),
            &[item.status.as_str(), &item.title],
        );
    }
    rest.report(
        CheckCode::MoreWithSameFindings,
        "more work items are about the same findings",
        report,
    );
    shared.keys().map(|id| (*id).to_owned()).collect()
}

/// Reports work items of the same release with a similar title, at most one for each planned item. `known`: work items that are reported
/// already.
fn check_titles(input: &CheckInput<'_>, planned: &[&Item<'_>], known: &BTreeSet<String>, report: &mut CheckReport) {
    let Some(release) = input.plan.scope.release.as_ref() else {
        return;
    };
    let existing: Vec<(Title, &WorkItem)> = input
        .context
        .work_items
        .values()
        .filter(|other| other.release_id == *release && !known.contains(other.id.as_str()))
        .map(|other| (Title::new(&other.title), other))
        .collect();
    let mut found: Vec<(SimilarItem<'_>, &Item<'_>)> = planned
        .iter()
        .filter_map(|item| Some((most_similar(item, &existing)?, *item)))
        .collect();
    found.sort_by_key(|(similar, _)| std::cmp::Reverse(similar.rank()));
    let mut rest = Rest::default();
    for (n, (similar, item)) in found.iter().enumerate() {
        let other = similar.item;
        if n >= MAX_NAMED {
            rest.add(similar.verdict(), Some(&item.pointer("title")));
            continue;
        }
        let (code, what) = match similar.is_same {
            true => (CheckCode::SameTitle, "has the same title".to_owned()),
            false => (
                CheckCode::SimilarTitle,
                format!("has a similar title ({} % similar)", similar.percent),
            ),
        };
        let message = format!(
            "{} {} {what}. {}",
            key_and_status(other),
            quoted(&other.title),
            remedy(other)
        );
        report.add_with_basis(
            code,
            similar.verdict(),
            message,
            [reference(other)],
            [item.pointer("title")],
            &[other.status.as_str(), &other.title],
        );
    }
    rest.report(
        CheckCode::MoreSimilarTitles,
        "more titles are like those of other work items",
        report,
    );
}

/// A work item with a title like that of a planned item.
struct SimilarItem<'a> {
    item: &'a WorkItem,
    percent: usize,
    is_same: bool,
}

impl SimilarItem<'_> {
    /// Equal titles mean the same work; a reviewer decides about similar ones.
    fn verdict(&self) -> Verdict {
        if self.is_same {
            verdict_for(self.item)
        } else {
            Verdict::Warn
        }
    }

    fn rank(&self) -> (Verdict, usize) {
        (self.verdict(), self.percent)
    }
}

fn most_similar<'a>(planned: &Item<'_>, existing: &[(Title, &'a WorkItem)]) -> Option<SimilarItem<'a>> {
    let text = planned.text("title").unwrap_or_default();
    let title = Title::new(text);
    existing
        .iter()
        .filter(|(_, other)| other.id.as_str() != planned.id)
        .map(|(other_title, other)| SimilarItem {
            item: other,
            percent: title.similarity(other_title),
            is_same: title_similarity::normalized(text) == title_similarity::normalized(&other.title),
        })
        .filter(|similar| similar.percent >= SIMILAR_PERCENT)
        .max_by_key(SimilarItem::rank)
}

/// Work items that get no result of their own: how many, where, and the most severe verdict.
#[derive(Default)]
struct Rest {
    count: usize,
    verdict: Option<Verdict>,
    pointers: Vec<String>,
}

impl Rest {
    fn add(&mut self, verdict: Verdict, pointer: Option<&String>) {
        self.count += 1;
        self.verdict = self.verdict.max(Some(verdict));
        self.pointers.extend(pointer.cloned());
    }

    fn report(self, code: CheckCode, what: &str, report: &mut CheckReport) {
        if let Some(verdict) = self.verdict {
            report.add(code, verdict, format!("{} {what}.", self.count), None, self.pointers);
        }
    }
}

/// Reports the pending action that this one repeats under another idempotency key.
fn check_repetition(input: &CheckInput<'_>, report: &mut CheckReport) {
    let Some(first) = &input.context.repeats else {
        return;
    };
    report.add(
        CheckCode::RepeatsPendingAction,
        Verdict::Warn,
        "The same proposal is already pending. This one ends when that one is decided. Agents: poll that action instead of proposing again.",
        [action_reference(first.as_str())],
        None,
    );
}

/// Reports other open actions about the same records. The message does not name their states, so an acknowledgement stays valid while
/// they are open.
fn check_open_actions(input: &CheckInput<'_>, report: &mut CheckReport) {
    let repeated = input.context.repeats.as_ref();
    let others: Vec<&OpenAction> = input
        .context
        .open_actions
        .iter()
        .filter(|other| Some(&other.id) != repeated)
        .collect();
    let pointers = |is_shared: &dyn Fn(&String) -> bool| -> Vec<String> {
        let references = input.plan.references.iter();
        let shared = references.filter(|(id, _)| is_shared(id));
        shared.map(|(_, pointer)| pointer.clone()).collect()
    };
    if others.len() > MAX_NAMED {
        // If many actions were named one by one, each that ends would bring a new one into the list, and that one would need a new
        // acknowledgement.
        report.add(
            CheckCode::OpenActions,
            Verdict::Warn,
            "Many other open actions are about the same records. Decide which of them is wanted.",
            None,
            pointers(&|id| others.iter().any(|other| other.shared_targets.contains(id))),
        );
        return;
    }
    for other in others {
        // The facts do not have a finding that only a blocker refers to.
        let named = other
            .shared_targets
            .iter()
            .filter(|id| input.facts.name_of(id).is_some());
        let keys: Vec<String> = named.map(|id| input.name(id)).collect();
        report.add(
            CheckCode::OpenActions,
            Verdict::Warn,
            format!(
                "Another open action is also about {}: {} Decide which of the two is wanted.",
                listed(&keys),
                as_sentence(&other.headline)
            ),
            [action_reference(other.id.as_str())],
            pointers(&|id| other.shared_targets.contains(id)),
        );
    }
}

/// Cancelled work was not done, so proposing it again is a warning only.
fn verdict_for(item: &WorkItem) -> Verdict {
    match item.status {
        WorkItemStatus::Cancelled => Verdict::Warn,
        _ => Verdict::Block,
    }
}

fn remedy(item: &WorkItem) -> &'static str {
    match item.status {
        WorkItemStatus::Open | WorkItemStatus::InProgress => "Update that one, or leave this out.",
        WorkItemStatus::Done => "Reopen that one if it did not help, or leave this out.",
        WorkItemStatus::Cancelled => "Check why it was cancelled.",
    }
}

fn key_and_status(item: &WorkItem) -> String {
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

fn action_reference(id: &str) -> FactRef {
    FactRef {
        kind: RecordKind::Action,
        id: id.to_owned(),
        key: None,
    }
}

fn as_sentence(headline: &str) -> String {
    format!("{}.", text::visible(headline).trim_end_matches('.'))
}
