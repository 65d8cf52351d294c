//! Compares a catalog with the stored records.

use super::references;
use super::resolve::{self, kind_of, team_of};
use super::{Catalog, Declared, Ident, Kind, Problems, Skipped, Stored, StoredRecord, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It is new.
    Create,
    /// Fields change.
    Change,
    /// It was retired and is used again; fields can change too.
    Restore,
    /// It is retired: no new work chooses it, and its history stays.
    Retire,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Effect; 4] = [Effect::Create, Effect::Change, Effect::Restore, Effect::Retire];
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The name of the field in the catalog.
    pub field: &'static str,
    /// The stored value.
    pub before: Value,
    /// The declared value.
    pub after: Value,
}

/// What happens to one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The record.
    #[serde(flatten)]
    pub ident: Ident,
    /// What happens to it.
    pub effect: Effect,
    /// The fields of a new record, or those that change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// The ID of the stored record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Step {
    /// The new value of a field.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|change| change.field == field)
            .map(|change| &change.after)
    }

    /// The new text of a field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field).and_then(Value::text)
    }
}

/// The difference between a catalog and the stored records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What happens, in the order in which it is done.
    pub steps: Vec<Step>,
    /// The number of declared records that stay as they are.
    pub left: usize,
    /// Entries that are not read.
    pub skipped: Vec<Skipped>,
}

impl Plan {
    /// The steps with this effect.
    pub fn with(&self, effect: Effect) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.effect == effect)
    }
}

/// Compares a catalog with the stored records. With `prune`, stored teams, components, releases and people's roles that no file declares
/// are retired.
///
/// # Errors
/// All mistakes, up to a limit.
pub fn plan(catalog: &Catalog, stored: &Stored, prune: bool) -> Result<Plan, Problems> {
    let mut problems = Problems::default();
    let catalog = &*references::resolved(catalog, stored, prune);
    resolve::check(catalog, stored, prune, &mut problems);
    let mut plan = Plan {
        skipped: catalog.skipped.clone(),
        ..Plan::default()
    };
    for declared in catalog.records() {
        match stored.get(&declared.ident) {
            None => plan.steps.push(create(declared, catalog, stored)),
            Some(known) => match change(declared, known) {
                Some(step) => {
                    certified_parts(declared, &step, catalog, stored, &mut problems);
                    plan.steps.push(step);
                }
                None => plan.left += 1,
            },
        }
    }
    if prune {
        let gone = stored
            .records()
            .filter(|known| known.ident.kind.is_pruned() && !known.is_retired);
        let before = plan.steps.len();
        plan.steps.extend(
            gone.filter(|known| catalog.get(&known.ident).is_none())
                .map(|known| Step {
                    ident: known.ident.clone(),
                    effect: Effect::Retire,
                    fields: Vec::new(),
                    id: Some(known.id.clone()),
                }),
        );
        // A program that wrote an empty file must not retire everything.
        if catalog.records().next().is_none() && plan.steps.len() > before {
            problems.add(
                "",
                0,
                "",
                "the files declare nothing, so that everything would be retired",
            );
        }
    }
    problems.into_result(plan)
}

/// What people certified is a commit with its parts: a certified release keeps them.
fn certified_parts(declared: &Declared, step: &Step, catalog: &Catalog, stored: &Stored, problems: &mut Problems) {
    const PARTS: [&str; 6] = [
        "commit",
        "severityThreshold",
        "applications",
        "modules",
        "repositories",
        "services",
    ];
    if declared.ident.kind != Kind::Release || !resolve::stays_certified(&declared.ident, catalog, stored) {
        return;
    }
    for change in step.fields.iter().filter(|change| PARTS.contains(&change.field)) {
        let message = resolve::of_certified_release(&declared.ident, "change");
        declared.problem(change.field, message, problems);
    }
}

fn create(declared: &Declared, catalog: &Catalog, stored: &Stored) -> Step {
    let mut fields: BTreeMap<&'static str, Value> = BTreeMap::new();
    for field in declared.ident.kind.spec().fields {
        if let Some(default) = field.default {
            fields.insert(field.name, Value::Text(default.to_owned()));
        }
        if matches!(field.name, "name" | "title") {
            fields.insert(field.name, Value::Text(declared.ident.key.clone()));
        }
    }
    for (name, given) in &declared.fields {
        if given.value != Value::None {
            fields.insert(name, given.value.clone());
        }
    }
    if declared.ident.kind == Kind::WorkItem {
        fields.insert("kind", Value::Text(kind_of(declared).to_owned()));
        if let Some(team) = team_of(declared, catalog, stored) {
            fields.insert("team", Value::Text(team.to_owned()));
        }
    }
    let fields = fields.into_iter().map(|(field, after)| FieldChange {
        field,
        before: Value::None,
        after,
    });
    Step {
        ident: declared.ident.clone(),
        effect: Effect::Create,
        fields: fields.collect(),
        id: None,
    }
}

/// The step for a stored record; `None` if nothing changes.
fn change(declared: &Declared, known: &StoredRecord) -> Option<Step> {
    // A work item is created once.
    if declared.ident.kind == Kind::WorkItem {
        return None;
    }
    let mut fields = Vec::new();
    for (field, given) in &declared.fields {
        let before = known.fields.get(field).cloned().unwrap_or(Value::None);
        let after = match &given.value {
            // A name without a value is the key.
            Value::None if matches!(*field, "name" | "title") => Value::Text(declared.ident.key.clone()),
            value => value.clone(),
        };
        let same_list = before == Value::None && after == Value::List(Vec::new());
        if before != after && !same_list {
            fields.push(FieldChange { field, before, after });
        }
    }
    let effect = match (known.is_retired, fields.is_empty()) {
        (false, true) => return None,
        (false, false) => Effect::Change,
        (true, _) => Effect::Restore,
    };
    Some(Step {
        ident: known.ident.clone(),
        effect,
        fields,
        id: Some(known.id.clone()),
    })
}
