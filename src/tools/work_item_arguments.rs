//! Arguments, references and fields of work items, for the tools that write them.

use crate::domain::*;
use crate::tools::plan::FieldErrors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A number, or a text such as `2 d`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Estimate {
    // Points or hours, as the team counts.
    Number(f64),
    // As text.
    Text(#[schemars(length(min = 1, max = 40))] String),
}

impl Estimate {
    /// The estimate as it is stored.
    pub(super) fn text(&self) -> String {
        match self {
            Estimate::Number(number) => number.to_string(),
            Estimate::Text(text) => text.clone(),
        }
    }
}

/// The priority of work whose arguments name none.
pub(super) fn default_priority() -> Priority {
    Priority::Medium
}

/// The records that a work item is about or rests on.
pub(super) struct References<'a> {
    pub findings: &'a [FindingId],
    pub controls: &'a [ControlId],
    pub evidence: &'a [EvidenceId],
    pub blockers: &'a [BlockerId],
}

impl References<'_> {
    /// Every record must exist in this tenant.
    pub(super) fn check(&self, at: &str, facts: &Facts, errors: &mut FieldErrors) {
        errors.require_all(&format!("{at}/findingIds"), "finding", self.findings, facts);
        errors.require_all(&format!("{at}/controlIds"), "control", self.controls, facts);
        errors.require_all(&format!("{at}/evidenceIds"), "evidence", self.evidence, facts);
        errors.require_all(&format!("{at}/blockerIds"), "blocker", self.blockers, facts);
    }

    pub(super) fn query(&self, query: FactsQuery) -> FactsQuery {
        query
            .with(self.findings)
            .with(self.controls)
            .with(self.evidence)
            .with(self.blockers)
    }

    /// Every reference with its pointer in the payload; `at` is the pointer of the object that has the lists.
    pub(super) fn with_pointers(&self, at: &str) -> Vec<(String, String)> {
        fn each<T: AsRef<str>>(at: &str, field: &str, ids: &[T]) -> Vec<(String, String)> {
            ids.iter()
                .enumerate()
                .map(|(n, id)| (id.as_ref().to_owned(), format!("{at}/{field}/{n}")))
                .collect()
        }
        [
            each(at, "findingIds", self.findings),
            each(at, "controlIds", self.controls),
            each(at, "evidenceIds", self.evidence),
            each(at, "blockerIds", self.blockers),
        ]
        .concat()
    }

    pub(super) fn fields(&self, fields: &mut Map<String, Value>) {
        fields.insert("findingIds".into(), json!(self.findings));
        fields.insert("controlIds".into(), json!(self.controls));
        fields.insert("evidenceIds".into(), json!(self.evidence));
        fields.insert("blockerIds".into(), json!(self.blockers));
    }
}

/// A work item to create, with every field of the record, so that the change set has no hidden defaults.
pub(super) struct NewItem<'a> {
    pub id: &'a WorkItemId,
    pub client_ref: Option<String>,
    pub kind: WorkItemKind,
    pub release: &'a ReleaseId,
    pub team: &'a TeamId,
    pub parent: Option<&'a WorkItemId>,
    pub owner: Option<&'a PersonId>,
    pub title: &'a str,
    pub description: &'a str,
    pub priority: Priority,
    pub estimate: Option<String>,
    pub acceptance_criteria: &'a [String],
    pub references: References<'a>,
}

impl NewItem<'_> {
    pub(super) fn create(self) -> Change {
        let mut fields = Map::new();
        fields.insert("kind".into(), json!(self.kind));
        fields.insert("releaseId".into(), json!(self.release));
        fields.insert("teamId".into(), json!(self.team));
        fields.insert("parentId".into(), json!(self.parent));
        fields.insert("ownerId".into(), json!(self.owner));
        fields.insert("title".into(), json!(self.title));
        fields.insert("description".into(), json!(self.description));
        fields.insert("status".into(), json!(WorkItemStatus::Open));
        fields.insert("priority".into(), json!(self.priority));
        fields.insert("estimate".into(), json!(self.estimate));
        fields.insert("acceptanceCriteria".into(), json!(self.acceptance_criteria));
        self.references.fields(&mut fields);
        Change::Create(Create {
            kind: RecordKind::WorkItem,
            id: self.id.as_str().to_owned(),
            client_ref: self.client_ref,
            fields,
        })
    }
}

/// The person that an argument names by ID or e-mail address.
pub(super) fn owner<'f>(
    named: Option<&String>,
    at: &str,
    facts: &'f Facts,
    errors: &mut FieldErrors,
) -> Option<&'f PersonId> {
    let named = named?;
    errors
        .require(at, "person", facts.find_person(named))
        .map(|person| &person.id)
}
