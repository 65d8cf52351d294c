//! `hierarchy`: a task has an open story of its release as parent, and a story has no parent.

use crate::checks::CheckInput;
use crate::checks::input::Item;
use crate::checks::report::CheckReport;
use crate::domain::{CheckCode, Verdict, WorkItem, WorkItemKind, WorkItemStatus};

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let items = input.items();
    let judged: Vec<&Item<'_>> = items
        .iter()
        .filter(|item| item.is_new || item.touches("parentId"))
        .collect();
    if judged.is_empty() {
        return report;
    }
    for item in &judged {
        if let Some((code, message)) = trouble(input, &items, item) {
            let parent = item.text("parentId").and_then(|id| input.facts.reference(id));
            report.add(code, Verdict::Block, message, parent, [item.pointer("parentId")]);
        }
    }
    let tasks = judged
        .iter()
        .filter(|item| kind(input, item) == Some(WorkItemKind::Task));
    let message = match tasks.count() {
        0 => "A story needs no parent.".to_owned(),
        1 => "The task has the right parent story.".to_owned(),
        count => format!("All {count} tasks have the right parent story."),
    };
    report.or_pass(CheckCode::HierarchyPassed, message, None)
}

/// What is wrong with the parent of an item.
fn trouble(input: &CheckInput<'_>, items: &[Item<'_>], item: &Item<'_>) -> Option<(CheckCode, String)> {
    let parent = match (kind(input, item), item.text("parentId")) {
        (Some(WorkItemKind::Task), None) => {
            let message = "A task needs a parent story. Name the story that it is part of, or propose a work package.";
            return Some((CheckCode::TaskWithoutParent, message.to_owned()));
        }
        (Some(WorkItemKind::Story), Some(_)) => {
            let message = "A story has no parent. Leave the parent out, or make it a task.";
            return Some((CheckCode::StoryWithParent, message.to_owned()));
        }
        (_, None) => return None,
        (_, Some(parent)) => parent,
    };
    // A parent that the plan creates is suitable: only a package creates one, and it is a story.
    if items.iter().any(|other| other.id == parent) {
        return None;
    }
    let parent = input.facts.work_item(parent)?;
    let known = input.facts.work_item(item.id);
    let release = item.text("releaseId").or(known.map(|known| known.release_id.as_str()));
    let (code, message) = parent_trouble(parent, release)?;
    Some((code, format!("The parent {} {message}", parent.key)))
}

fn kind(input: &CheckInput<'_>, item: &Item<'_>) -> Option<WorkItemKind> {
    match item.text("kind") {
        Some(kind) => WorkItemKind::parse(kind),
        None => input.facts.work_item(item.id).map(|known| known.kind),
    }
}

/// Why a stored work item is no suitable parent for a task of this release. The message follows the key of the parent.
fn parent_trouble(parent: &WorkItem, release: Option<&str>) -> Option<(CheckCode, &'static str)> {
    if parent.kind != WorkItemKind::Story {
        return Some((
            CheckCode::ParentIsTask,
            "is a task, and a task has no tasks of its own. Name the story that it is part of.",
        ));
    }
    if release.is_some_and(|release| release != parent.release_id.as_str()) {
        return Some((
            CheckCode::ParentOfOtherRelease,
            "belongs to another release. Name a story of this release.",
        ));
    }
    match parent.status {
        WorkItemStatus::Done => Some((
            CheckCode::ParentDone,
            "is done. Name an open story, or propose a new one.",
        )),
        WorkItemStatus::Cancelled => Some((
            CheckCode::ParentCancelled,
            "was cancelled. Name an open story, or propose a new one.",
        )),
        WorkItemStatus::Open | WorkItemStatus::InProgress => None,
    }
}
