//! `hierarchy`: a task hangs below a story of its release that is still being worked on; a story below nothing.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::CheckReport;
use crate::domain::{CheckId, Verdict, WorkItemKind, WorkItemStatus};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Hierarchy);
    let items = input.items();
    let judged: Vec<&Item<'_>> = items
        .iter()
        .filter(|item| item.is_new || item.touches("parentId"))
        .collect();
    if judged.is_empty() {
        return found;
    }
    for item in &judged {
        let wrong = match (kind(input, item), item.text("parentId")) {
            (Some(WorkItemKind::Task), None) => Some((
                "A task without a parent belongs to no story. Name the story it is part of, or propose a work package."
                    .to_owned(),
                None,
            )),
            (Some(WorkItemKind::Story), Some(parent)) => Some((
                "A story hangs below no other work item. Leave its parent out, or make it a task.".to_owned(),
                Some(parent),
            )),
            (_, Some(parent)) if items.iter().any(|other| other.id == parent) => None,
            (_, Some(parent)) => parent_wrong(input, item, parent).map(|why| (why, Some(parent))),
            (_, None) => None,
        };
        if let Some((why, parent)) = wrong {
            let facts = parent.and_then(|id| input.facts.reference(id));
            found.add(Verdict::Block, why, facts, [item.pointer("parentId")]);
        }
    }
    let tasks = judged
        .iter()
        .filter(|item| kind(input, item) == Some(WorkItemKind::Task));
    let words = match tasks.count() {
        0 => "A story needs no parent.".to_owned(),
        1 => "Its task hangs below the right story.".to_owned(),
        count => format!("All {count} tasks hang below the right story."),
    };
    found.or_pass(words, None)
}

fn kind(input: &CheckInput<'_>, item: &Item<'_>) -> Option<WorkItemKind> {
    match item.text("kind") {
        Some(kind) => WorkItemKind::parse(kind),
        None => input.facts.work_item(item.id).map(|known| known.kind),
    }
}

/// Why an item can't hang below this parent.
fn parent_wrong(input: &CheckInput<'_>, item: &Item<'_>, parent: &str) -> Option<String> {
    let parent = input.facts.work_item(parent)?;
    let release = item
        .text("releaseId")
        .or_else(|| input.facts.work_item(item.id).map(|known| known.release_id.as_str()));
    let say = |why: &str| Some(format!("Its parent {} {why}", parent.key));
    if parent.kind != WorkItemKind::Story {
        return say("is a task, and tasks have no tasks of their own. Name the story it is part of.");
    }
    if release.is_some_and(|release| release != parent.release_id.as_str()) {
        return say("belongs to another release. Name a story of this release.");
    }
    match parent.status {
        WorkItemStatus::Done => say("is done. Name a story that is open, or propose a new one."),
        WorkItemStatus::Cancelled => say("was cancelled. Name a story that is open, or propose a new one."),
        WorkItemStatus::Open | WorkItemStatus::InProgress => None,
    }
}
