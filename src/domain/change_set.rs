//! The change set: exactly what an action would write, planned before a reviewer decides.

use super::RecordKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an action would write, in order. Its execution writes nothing else to the records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeSet(pub Vec<Change>);

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Change {
    /// A record that does not exist yet.
    Create(Create),
    /// Fields of a record that exists.
    Update(Update),
}

/// A record to create. Its ID is given out when the change is planned, so that a second execution breaks a primary key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    /// What kind of record.
    pub kind: RecordKind,
    /// The ID it will have.
    pub id: String,
    /// The proposer's own name for it, given back with the ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ref: Option<String>,
    /// Its fields by their names in JSON. Lists of IDs are references.
    pub fields: Map<String, Value>,
}

/// Fields to change in a record that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// What kind of record.
    pub kind: RecordKind,
    /// Its ID.
    pub id: String,
    /// The version it must still have; afterwards it has the next one.
    pub expected_version: i64,
    /// What changes.
    pub fields: Vec<FieldChange>,
}

/// One field, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name in JSON.
    pub field: String,
    /// The value when the change was planned.
    pub before: Value,
    /// The value after the execution.
    pub after: Value,
}

impl ChangeSet {
    /// The records to create.
    pub fn creates(&self) -> impl Iterator<Item = &Create> {
        self.0.iter().filter_map(|change| match change {
            Change::Create(create) => Some(create),
            Change::Update(_) => None,
        })
    }

    /// The records to change.
    pub fn updates(&self) -> impl Iterator<Item = &Update> {
        self.0.iter().filter_map(|change| match change {
            Change::Update(update) => Some(update),
            Change::Create(_) => None,
        })
    }

    /// IDs of the records to create, in order.
    pub fn created_ids(&self) -> Vec<String> {
        self.creates().map(|create| create.id.clone()).collect()
    }

    /// IDs of the records to change, in order.
    pub fn updated_ids(&self) -> Vec<String> {
        self.updates().map(|update| update.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_and_updates_are_told_apart_and_keep_their_order() {
        let create = |id: &str| {
            Change::Create(Create {
                kind: RecordKind::WorkItem,
                id: id.to_owned(),
                client_ref: None,
                fields: Map::new(),
            })
        };
        let update = |id: &str| {
            Change::Update(Update {
                kind: RecordKind::Finding,
                id: id.to_owned(),
                expected_version: 1,
                fields: Vec::new(),
            })
        };
        let set = ChangeSet(vec![create("b"), update("d"), create("a"), update("c")]);
        assert_eq!(set.created_ids(), ["b", "a"]);
        assert_eq!(set.updated_ids(), ["d", "c"]);
    }
}
