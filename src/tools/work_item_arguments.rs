//! What the tools that write work items share.

use crate::domain::*;
use crate::tools::plan::FieldErrors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How much work something is: a number, or words such as `2 d`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Estimate {
    /// Points or hours, as the team counts.
    Number(f64),
    /// In words.
    Words(#[schemars(length(min = 1, max = 40))] String),
}

impl Estimate {
    pub(super) fn words(&self) -> String {
        match self {
            Estimate::Number(number) => number.to_string(),
            Estimate::Words(words) => words.clone(),
        }
    }
}

pub(super) fn medium() -> Priority {
    Priority::Medium
}

/// What a work item rests on.
pub(super) struct References<'a> {
    pub findings: &'a [FindingId],
    pub controls: &'a [ControlId],
    pub evidence: &'a [EvidenceId],
    pub blockers: &'a [BlockerId],
}

impl References<'_> {
    /// Everything must exist in this tenant.
    pub(super) fn check(&self, at: &str, facts: &Facts, problems: &mut FieldErrors) {
        problems.all_found(&format!("{at}/findingIds"), "finding", self.findings, |id| {
            facts.findings.contains_key(id)
        });
        problems.all_found(&format!("{at}/controlIds"), "control", self.controls, |id| {
            facts.controls.contains_key(id)
        });
        problems.all_found(&format!("{at}/evidenceIds"), "evidence", self.evidence, |id| {
            facts.evidence.contains_key(id)
        });
        problems.all_found(&format!("{at}/blockerIds"), "blocker", self.blockers, |id| {
            facts.blockers.contains_key(id)
        });
    }

    pub(super) fn query(&self, query: FactsQuery) -> FactsQuery {
        query
            .with(self.findings)
            .with(self.controls)
            .with(self.evidence)
            .with(self.blockers)
    }

    /// Every reference with its place in the payload.
    pub(super) fn places(&self, at: &str) -> Vec<(String, String)> {
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

/// A work item to create; every field of the record is said, so that the change set is the whole truth.
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

/// Somebody named by ID or e-mail address.
pub(super) fn owner<'f>(
    named: Option<&String>,
    at: &str,
    facts: &'f Facts,
    problems: &mut FieldErrors,
) -> Option<&'f PersonId> {
    let named = named?;
    problems
        .found(at, "person", facts.person(named))
        .map(|person| &person.id)
}

/// The first words of a title, for a headline.
pub(super) fn quoted(title: &str) -> String {
    format!("\"{}\"", text::visible(title.trim()))
}
