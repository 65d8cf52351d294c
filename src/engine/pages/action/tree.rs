//! The tree of work items: what would be (or was) created, below existing items.

use crate::domain::{ChangeSet, Create, PlainText, RecordKind, WorkItemKind};
use crate::engine::pages::record_names::RecordNames;
use crate::views::{FoldableSections, Label, Line, TreeItem};
use serde_json::Value;

/// The work items of a change set below their parents. `executed`: the items exist and have keys.
pub(crate) fn of(
    change_set: &ChangeSet,
    names: &RecordNames,
    executed: bool,
    sections: &FoldableSections,
) -> Vec<TreeItem> {
    let items: Vec<&Create> = change_set
        .creates()
        .filter(|create| create.kind == RecordKind::WorkItem)
        .collect();
    let is_new = |id: &str| items.iter().any(|item| item.id == id);
    let mut roots: Vec<TreeItem> = Vec::new();
    for item in &items {
        match parent(item) {
            Some(id) if is_new(id) => {}
            None => roots.push(branch(item, &items, names, executed, sections)),
            // The parent exists already: it is shown once, as a root.
            Some(id) => {
                let child = branch(item, &items, names, executed, sections);
                match roots.iter_mut().find(|root| root.id == id) {
                    Some(root) => root.children.push(child),
                    None => roots.push(existing(id, child, names)),
                }
            }
        }
    }
    roots
}

fn parent(item: &Create) -> Option<&str> {
    item.fields.get("parentId").and_then(Value::as_str)
}

fn branch(
    item: &Create,
    items: &[&Create],
    names: &RecordNames,
    executed: bool,
    sections: &FoldableSections,
) -> TreeItem {
    let words = |field: &str| item.fields.get(field).and_then(Value::as_str).map(PlainText::from);
    let mut lines = Vec::new();
    if let Some(owner) = item.fields.get("ownerId").and_then(Value::as_str) {
        lines.push(Line::record("Owner", names.named(owner)));
    }
    for (label, field) in [("Priority", "priority"), ("Estimate", "estimate")] {
        lines.extend(words(field).map(|value| Line::text(label, value)));
    }
    lines.extend(
        item.client_ref
            .as_ref()
            .map(|own| Line::text("Client reference", PlainText::from(own))),
    );
    let criteria = item.fields.get("acceptanceCriteria").and_then(Value::as_array);
    let criteria: Vec<&str> = criteria.into_iter().flatten().filter_map(Value::as_str).collect();
    if !criteria.is_empty() {
        lines.push(Line::text(
            "Acceptance criteria",
            PlainText::from(&criteria.join(" · ")),
        ));
    }
    let references = ["findingIds", "controlIds", "evidenceIds", "blockerIds"]
        .iter()
        .filter_map(|field| item.fields.get(*field)?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .map(|id| names.named(id))
        .collect();
    let kind = words("kind")
        .and_then(|kind| WorkItemKind::parse(kind.as_str()))
        .map_or("Work item", |kind| kind.label());
    TreeItem {
        id: item.id.clone(),
        key: executed.then(|| names.named(&item.id).key).flatten(),
        kind: kind.to_owned(),
        title: words("title").unwrap_or_default(),
        description: words("description").unwrap_or_default(),
        section: sections.of_record(&item.id),
        created: true,
        lines,
        references,
        children: items
            .iter()
            .filter(|child| parent(child) == Some(item.id.as_str()))
            .map(|child| branch(child, items, names, executed, sections))
            .collect(),
    }
}

fn existing(id: &str, child: TreeItem, names: &RecordNames) -> TreeItem {
    let named = names.named(id);
    let status = names
        .facts()
        .work_item(id)
        .map(|item| Line::text("Status", item.status.label()));
    TreeItem {
        id: id.to_owned(),
        key: named.key,
        kind: names
            .facts()
            .work_item(id)
            .map_or("Work item", |item| item.kind.label())
            .to_owned(),
        title: named.name,
        description: String::new().into(),
        section: None,
        created: false,
        lines: status.into_iter().collect(),
        references: Vec::new(),
        children: vec![child],
    }
}
