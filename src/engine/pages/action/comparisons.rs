//! Comparisons for check results: a proposed work item next to an existing one, cited evidence next to newer evidence.

use crate::domain::*;
use crate::engine::actions::plan::Planned;
use crate::engine::pages::record_names::RecordNames;
use crate::views::{Comparison, Label};
use serde_json::Value;

/// Records that comparisons name in addition to those of the plan.
pub(crate) fn named(planned: &Planned) -> Vec<String> {
    let spoken = planned.checks.iter().flat_map(|check| &check.facts);
    spoken
        .filter_map(|fact| planned.context.work_items.get(&fact.id))
        .flat_map(|item| {
            let owner = item.owner_id.iter().map(ToString::to_string);
            owner
                .chain(item.finding_ids.iter().cloned())
                .chain(item.evidence_ids.iter().cloned())
        })
        .collect()
}

/// A comparison for each check result that refers to another work item or to newer evidence.
pub(crate) fn all(planned: &Planned, names: &RecordNames) -> Vec<Comparison> {
    planned
        .checks
        .iter()
        .flat_map(|check| match check.id {
            CheckId::Duplicates => duplicates(planned, names, check),
            CheckId::Evidence => stale(planned, check),
            _ => Vec::new(),
        })
        .collect()
}

fn duplicates(planned: &Planned, names: &RecordNames, check: &Check) -> Vec<Comparison> {
    let there = check
        .facts
        .iter()
        .filter_map(|fact| planned.context.work_items.get(&fact.id));
    let Some(planned_item) = check.pointers.first().and_then(|pointer| item_at(planned, pointer)) else {
        return Vec::new();
    };
    let text = |field: &str| {
        let value = planned_item.get(field).and_then(Value::as_str).unwrap_or_default();
        PlainText::from(value)
    };
    let name = |id: &str| {
        if id.is_empty() {
            return String::new();
        }
        let named = names.named(id);
        named.key.unwrap_or(named.name).to_string()
    };
    let list = |ids: &[String]| ids.iter().map(|id| name(id)).collect::<Vec<_>>().join(", ");
    let planned_list = |field: &str| {
        let ids = planned_item.get(field).and_then(Value::as_array).into_iter().flatten();
        ids.filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(", ")
    };
    there
        .map(|item| Comparison {
            mark: check.mark(),
            title: format!("Proposed work item and {}", item.key).into(),
            left: "Proposed".into(),
            right: (&item.key).into(),
            rows: vec![
                row("Title", text("title"), PlainText::from(&item.title)),
                row("Status", "not created yet".to_owned(), item.status.label().to_owned()),
                row("Description", text("description"), PlainText::from(&item.description)),
                row("Findings", planned_list("findingIds"), list(&item.finding_ids)),
                row("Evidence", planned_list("evidenceIds"), list(&item.evidence_ids)),
                row(
                    "Owner",
                    name(text("ownerId").as_str()),
                    item.owner_id.as_ref().map_or_else(String::new, |id| name(id.as_str())),
                ),
                row("Priority", text("priority"), item.priority.as_str().to_owned()),
            ],
        })
        .collect()
}

/// The fields of the planned item that a pointer into the payload leads to.
fn item_at(planned: &Planned, pointer: &str) -> Option<serde_json::Map<String, Value>> {
    let plan = &planned.plan;
    let item = plan.items.iter().find(|item| item.contains(pointer))?;
    Some(match item.change(&plan.change_set)? {
        Change::Create(create) => create.fields.clone(),
        Change::Update(update) => {
            let fields = update.fields.iter().map(|one| (one.field.clone(), one.after.clone()));
            fields.collect()
        }
    })
}

fn stale(planned: &Planned, check: &Check) -> Vec<Comparison> {
    let cited = check.facts.iter().find_map(|fact| planned.facts.evidence(&fact.id));
    let newer = check.facts.iter().find_map(|fact| {
        let newer = planned.context.newer_evidence.iter();
        newer.into_iter().find(|one| one.id.as_str() == fact.id)
    });
    let (Some(cited), Some(newer)) = (cited, newer) else {
        return Vec::new();
    };
    let line = |label: &str, of: fn(&Evidence) -> PlainText| row(label, of(cited), of(newer));
    vec![Comparison {
        mark: check.mark(),
        title: format!("Cited {} and the newer {}", cited.key, newer.key).into(),
        left: format!("{} (cited)", cited.key).into(),
        right: (&newer.key).into(),
        rows: vec![
            line("Collected", |one| one.collected_at.second().into()),
            line("Provider", |one| PlainText::from(&one.provider)),
            line("Kind", |one| PlainText::from(&one.kind)),
            line("File", |one| PlainText::from(&one.name)),
            line("Commit", |one| {
                PlainText::from(one.commit.as_deref().unwrap_or_default())
            }),
            line("Size", |one| format!("{} bytes", one.size).into()),
            line("SHA-256", |one| (&one.sha256).into()),
        ],
    }]
}

fn row(label: &str, left: impl Into<PlainText>, right: impl Into<PlainText>) -> (PlainText, PlainText, PlainText) {
    (label.into(), left.into(), right.into())
}
