//! Snapshots: the fields of records at a decisive moment, so that a page can list what has changed since.

use super::{Check, Facts, Record, Section, text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields by record ID.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot(pub BTreeMap<String, BTreeMap<String, Value>>);

/// The content of a page that a person opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageSnapshot {
    /// The results of the checks.
    pub checks: Vec<Check>,
    /// The records that the action is about.
    pub facts: Snapshot,
    /// The sections that must be opened before an approval of high risk.
    pub sections: Vec<Section>,
}

/// A field whose value has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The record's ID.
    pub id: String,
    /// The field's name in JSON.
    pub field: String,
    /// The value in the snapshot.
    pub then: Value,
    /// The current value. Null: the field is empty, or the record was deleted.
    pub now: Value,
}

/// The most characters of a text that a snapshot keeps. Changes behind them are not seen.
const MAX_TEXT: usize = 300;
/// Fields that a snapshot leaves out: the version changes with every other field, and the ID never does.
const OMITTED_FIELDS: [&str; 2] = ["version", "id"];

impl Snapshot {
    /// The fields of these records in these facts. Lists are left out, because they name other records.
    pub fn of<'i>(facts: &Facts, ids: impl IntoIterator<Item = &'i str>) -> Self {
        let records = ids
            .into_iter()
            .filter_map(|id| Some((id.to_owned(), facts.get(id)?.snapshot()?)));
        Self(records.collect())
    }

    /// The fields of this snapshot that have another value in `now`.
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

impl Record {
    /// The fields that a page compares later; `None` for kinds of which a page shows the name alone.
    pub fn snapshot(&self) -> Option<BTreeMap<String, Value>> {
        if matches!(
            self,
            Record::Person(_) | Record::Component(_) | Record::Action(_) | Record::CurrentEvidence(_)
        ) {
            return None;
        }
        let Ok(Value::Object(fields)) = serde_json::to_value(self) else {
            return None;
        };
        let fields = fields
            .into_iter()
            .filter(|(name, value)| !OMITTED_FIELDS.contains(&name.as_str()) && !value.is_array() && !value.is_object())
            .map(|(name, value)| (name, shortened(value)));
        Some(fields.collect())
    }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text::first_chars(&text::visible(&text), MAX_TEXT).to_owned()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_records::one_of_each;
    use crate::domain::*;

    #[test]
    fn each_field_that_changed_is_told_once() {
        let ids = [
            ReleaseId::from_bits(1).to_string(),
            CertificationId::from_bits(1).to_string(),
            TeamId::from_bits(1).to_string(),
            ControlId::from_bits(1).to_string(),
            EvidenceId::from_bits(1).to_string(),
            FindingId::from_bits(1).to_string(),
            BlockerId::from_bits(1).to_string(),
            WorkItemId::from_bits(1).to_string(),
        ];
        let facts = one_of_each(1);
        let of = |facts: &Facts| Snapshot::of(facts, ids.iter().map(String::as_str));
        let then = of(&facts);
        assert_eq!(
            then.0.keys().collect::<Vec<_>>().len(),
            ids.len(),
            "each kind of target is kept"
        );
        assert!(then.changed(&then).is_empty());
        for (id, fields) in &then.0 {
            assert!(!fields.is_empty(), "{id}");
            for (field, value) in fields {
                assert!(field != "version" && field != "id" && !value.is_array(), "{id} {field}");
            }
        }
        let mut later = facts.clone();
        let finding = later.finding(&FindingId::from_bits(1)).unwrap().clone();
        later.insert(Finding {
            status: FindingStatus::Fixed,
            version: 2,
            ..finding
        });
        let later: Facts = later
            .into_records()
            .filter(|one| one.kind() != RecordKind::Team)
            .collect();
        let changed = then.changed(&of(&later));
        let told: Vec<String> = changed
            .iter()
            .map(|one| format!("{} {} {}", one.field, one.then, one.now))
            .collect();
        assert_eq!(
            told,
            [
                "status \"open\" \"fixed\"",
                "key \"team-1\" null",
                "name \"Team 1\" null"
            ]
        );
        assert_eq!(changed[0].id, ids[5]);
    }

    #[test]
    fn long_and_hidden_text_is_cut_and_made_visible() {
        let mut facts = one_of_each(1);
        let mut finding = facts.finding(&FindingId::from_bits(1)).unwrap().clone();
        finding.message = "n".repeat(MAX_TEXT + 1);
        finding.title = "pay\u{202E}tnem".to_owned();
        facts.insert(finding);
        let id = FindingId::from_bits(1);
        let fields = &Snapshot::of(&facts, [id.as_str()]).0[id.as_str()];
        assert_eq!(fields["message"].as_str().map(str::len), Some(MAX_TEXT));
        assert_eq!(fields["title"], "pay⟦U+202E⟧tnem");
    }
}
