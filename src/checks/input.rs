//! The input of the checks, and the query for the context of a plan.

use super::blockers;
use crate::domain::*;
use crate::policy::Policy;
use crate::tools::{Plan, PlannedItem};
use serde_json::Value;

/// The input of a check.
pub struct CheckInput<'a> {
    /// The payload of the proposal.
    pub payload: &'a Value,
    /// The plan that the tool made from the payload.
    pub plan: &'a Plan,
    /// The current records that the payload names, and the caller.
    pub facts: &'a Facts,
    /// The current context of the plan.
    pub context: &'a CheckContext,
    /// The person that the agent acts for.
    pub caller: &'a PersonId,
    /// IDs that the payload cites, and that no read had returned to the agent before the proposal.
    pub unread: &'a [String],
    /// The policy with the limits to apply.
    pub policy: &'a Policy,
    /// The current time.
    pub now: Timestamp,
}

/// A work item that the plan creates or changes.
pub(super) struct Item<'a> {
    pub id: &'a str,
    /// The item in the payload.
    pub planned: &'a PlannedItem,
    /// Whether the plan creates the item.
    pub is_new: bool,
    fields: Vec<(&'a str, &'a Value)>,
}

impl<'a> Item<'a> {
    /// The planned value of a field; `None` if the plan does not set the field, or empties it.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields
            .iter()
            .find(|(name, value)| *name == field && !value.is_null())
            .map(|(_, value)| *value)
    }

    pub(super) fn text(&self, field: &str) -> Option<&'a str> {
        self.get(field)?.as_str()
    }

    /// The IDs of a list field.
    pub(super) fn ids(&self, field: &str) -> impl Iterator<Item = &'a str> {
        self.get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Whether the plan sets or empties the field.
    pub(super) fn touches(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| *name == field)
    }

    /// The pointer of a field of the item.
    pub(super) fn pointer(&self, field: &str) -> String {
        format!("{}/{field}", self.planned.pointer)
    }
}

/// The work items that a plan creates or changes.
pub(super) fn items<'a>(plan: &'a Plan) -> Vec<Item<'a>> {
    let item = |planned: &'a PlannedItem| {
        let (id, is_new, fields) = match planned.change(&plan.change_set)? {
            Change::Create(create) => {
                let fields = create.fields.iter().map(|(name, value)| (name.as_str(), value));
                (&create.id, true, fields.collect())
            }
            Change::Update(update) => {
                let fields = update.fields.iter().map(|one| (one.field.as_str(), &one.after));
                (&update.id, false, fields.collect())
            }
        };
        Some(Item {
            id,
            planned,
            is_new,
            fields,
        })
    };
    plan.items.iter().filter_map(item).collect()
}

impl<'a> CheckInput<'a> {
    pub(super) fn items(&self) -> Vec<Item<'a>> {
        items(self.plan)
    }

    /// The release that the plan acts in.
    pub(super) fn release(&self) -> Option<&'a Release> {
        self.facts.release(self.plan.scope.release.as_ref()?)
    }

    /// The key of a record, else its name, else its ID.
    pub(super) fn name(&self, id: &str) -> String {
        match self.facts.name_of(id) {
            Some((Some(key), _)) => key.to_owned(),
            Some((None, name)) => name.to_owned(),
            None => id.to_owned(),
        }
    }
}

/// The query for the context of a plan. The caller of this function sets the fields about stored actions: `before`, `supersedes`,
/// `repeats` and `hash_evidence`.
pub fn context_query(plan: &Plan, facts: &Facts, caller: &PersonId) -> CheckContextQuery {
    let items = items(plan);
    let mut query = CheckContextQuery {
        release: plan.scope.release.clone(),
        people: [caller.to_string()].into(),
        evidence: plan.evidence.iter().map(ToString::to_string).collect(),
        targets: plan.targets(facts),
        open_blockers: blockers::requested(plan, facts).is_some(),
        ..CheckContextQuery::default()
    };
    for item in &items {
        query.people.extend(item.text("ownerId").map(str::to_owned));
        if let Some(title) = item.text("title") {
            query.words.extend(title_similarity::significant_words(title));
            query.titles.insert(title_similarity::title_key(title));
        }
    }
    if items.iter().any(|item| item.is_new) {
        let findings = plan.references.iter().map(|(id, _)| id);
        let findings = findings.filter(|id| RecordKind::of(id) == Some(RecordKind::Finding));
        query.findings.extend(findings.cloned());
    }
    query
}
