//! Snapshots: the fields of records as they were at a moment that counts, so that a page can say what has changed since.

use super::{Check, Facts, RecordKind, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields by record ID.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot(pub BTreeMap<String, BTreeMap<String, Value>>);

/// What a page showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageSnapshot {
    /// The checks.
    pub checks: Vec<Check>,
    /// The records that it is about.
    pub facts: Snapshot,
    /// The parts that fold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// One field that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The record.
    pub id: String,
    /// The field's name in JSON.
    pub field: String,
    /// What it was.
    pub then: Value,
    /// What it is. Null: nothing, or the record is gone.
    pub now: Value,
}

/// Longer texts are cut: a snapshot tells that they changed, not what they were to the last word.
const LONGEST: usize = 300;
/// Counts every change and says nothing of it; lists are other records.
const LEFT_OUT: [&str; 2] = ["version", "id"];

impl Snapshot {
    /// The fields of these records, as these facts have them.
    pub fn of<'i>(facts: &Facts, ids: impl IntoIterator<Item = &'i str>) -> Self {
        let records = ids.into_iter().filter_map(|id| {
            let Value::Object(fields) = record(facts, id)? else {
                return None;
            };
            let fields = fields
                .into_iter()
                .filter(|(name, value)| !LEFT_OUT.contains(&name.as_str()) && !value.is_array() && !value.is_object())
                .map(|(name, value)| (name, short(value)))
                .collect();
            Some((id.to_owned(), fields))
        });
        Self(records.collect())
    }

    /// What is different now.
    pub fn changed(&self, now: &Snapshot) -> Vec<FieldDifference> {
        let mut changed = Vec::new();
        for (id, then) in &self.0 {
            let fields = now.0.get(id);
            for (field, was) in then {
                let is = fields.and_then(|fields| fields.get(field)).cloned().unwrap_or_default();
                if is != *was {
                    changed.push(FieldDifference {
                        id: id.clone(),
                        field: field.clone(),
                        then: was.clone(),
                        now: is,
                    });
                }
            }
        }
        changed
    }
}

fn short(value: Value) -> Value {
    match value {
        Value::String(words) => Value::String(text::visible(&words).chars().take(LONGEST).collect()),
        other => other,
    }
}

fn record(facts: &Facts, id: &str) -> Option<Value> {
    fn json<T: Serialize>(record: Option<&T>) -> Option<Value> {
        serde_json::to_value(record?).ok()
    }
    match RecordKind::of(id)? {
        RecordKind::Release => json(facts.releases.get(id)),
        RecordKind::Certification => json(facts.certifications.get(id)),
        RecordKind::Team => json(facts.teams.get(id)),
        RecordKind::Control => json(facts.controls.get(id)),
        RecordKind::Evidence => json(facts.evidence.get(id)),
        RecordKind::Finding => json(facts.findings.get(id)),
        RecordKind::Blocker => json(facts.blockers.get(id)),
        RecordKind::WorkItem => json(facts.work_items.get(id)),
        _ => None,
    }
}
