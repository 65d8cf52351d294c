//! What the checks judge, and which surroundings they want to know.

use crate::domain::*;
use crate::policy::Policy;
use crate::tools::{Plan, PlannedItem};
use serde_json::Value;

/// What a check judges.
pub struct CheckInput<'a> {
    /// What was proposed.
    pub payload: &'a Value,
    /// What would be done.
    pub plan: &'a Plan,
    /// The records it is about, as they are now.
    pub facts: &'a Facts,
    /// What stands around it, as it is now.
    pub around: &'a CheckContext,
    /// The person it was proposed for.
    pub caller: &'a PersonId,
    /// IDs that it cites and that no read had returned before it was proposed.
    pub unread: &'a [String],
    /// What the tenant has decided about deciding.
    pub policy: &'a Policy,
    /// The time.
    pub now: Timestamp,
}

/// A work item that the plan creates or changes, as a check sees it.
pub(super) struct Item<'a> {
    pub id: &'a str,
    /// The item in the payload.
    pub planned: &'a PlannedItem,
    /// Whether the plan creates the item.
    pub is_new: bool,
    fields: Vec<(&'a str, &'a Value)>,
}

impl<'a> Item<'a> {
    /// A field that it would have (if new) or get (if changed).
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields
            .iter()
            .find(|(name, value)| *name == field && !value.is_null())
            .map(|(_, value)| *value)
    }

    pub(super) fn text(&self, field: &str) -> Option<&'a str> {
        self.get(field)?.as_str()
    }

    /// IDs in a field that holds a list.
    pub(super) fn ids(&self, field: &str) -> impl Iterator<Item = &'a str> {
        self.get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Whether the field would be set or emptied.
    pub(super) fn touches(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| *name == field)
    }

    /// The place of one of its fields.
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

    /// The release that it acts in.
    pub(super) fn release(&self) -> Option<&'a Release> {
        self.facts.release(self.plan.scope.release.as_ref()?)
    }

    /// The name people use for a record: its key, else its name, else its ID.
    pub(super) fn name(&self, id: &str) -> String {
        match self.facts.name_of(id) {
            Some((Some(key), _)) => key.to_owned(),
            Some((None, name)) => name.to_owned(),
            None => id.to_owned(),
        }
    }
}

/// The surroundings to load for a plan. What it says of the action itself and the one that it supersedes is left to the caller.
pub fn context_query(plan: &Plan, facts: &Facts, caller: &PersonId) -> CheckContextQuery {
    let items = items(plan);
    let mut query = CheckContextQuery {
        release: plan.scope.release.clone(),
        people: [caller.to_string()].into(),
        evidence: plan.evidence.iter().map(ToString::to_string).collect(),
        targets: plan.targets(facts),
        ..CheckContextQuery::default()
    };
    for item in &items {
        query.people.extend(item.text("ownerId").map(str::to_owned));
        if let Some(title) = item.text("title") {
            query.words.extend(title_similarity::telling(title));
            query.titles.insert(title_similarity::whole(title));
        }
    }
    if items.iter().any(|item| item.is_new) {
        let findings = plan.references.iter().map(|(id, _)| id);
        let findings = findings.filter(|id| RecordKind::of(id) == Some(RecordKind::Finding));
        query.findings.extend(findings.cloned());
    }
    query
}
