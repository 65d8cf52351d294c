//! What the checks judge, and which surroundings they want to know.

use crate::domain::*;
use crate::policy::Policy;
use crate::tools::Plan;
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
    /// Where it stands in the payload: its fields are below.
    pub at: String,
    /// Whether it would be new.
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
        format!("{}/{field}", self.at)
    }
}

/// The work items that a plan creates or changes.
pub(super) fn items<'a>(payload: &Value, plan: &'a Plan) -> Vec<Item<'a>> {
    let mut child = 0;
    let mut items = Vec::new();
    for change in &plan.change_set.0 {
        match change {
            Change::Create(create) if create.kind == RecordKind::WorkItem => {
                let at = if create.client_ref.is_some() {
                    child += 1;
                    format!("/children/{}", child - 1)
                } else if payload.get("parent").is_some() {
                    "/parent".to_owned()
                } else {
                    String::new()
                };
                items.push(Item {
                    id: &create.id,
                    at,
                    is_new: true,
                    fields: create
                        .fields
                        .iter()
                        .map(|(name, value)| (name.as_str(), value))
                        .collect(),
                });
            }
            Change::Update(update) if update.kind == RecordKind::WorkItem => items.push(Item {
                id: &update.id,
                at: "/changes".to_owned(),
                is_new: false,
                fields: update.fields.iter().map(|c| (c.field.as_str(), &c.after)).collect(),
            }),
            _ => {}
        }
    }
    items
}

impl<'a> CheckInput<'a> {
    pub(super) fn items(&self) -> Vec<Item<'a>> {
        items(self.payload, self.plan)
    }

    /// The release that it acts in.
    pub(super) fn release(&self) -> Option<&'a Release> {
        self.facts.releases.get(self.plan.place.release.as_ref()?.as_str())
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
pub fn context_query(payload: &Value, plan: &Plan, facts: &Facts, caller: &PersonId) -> CheckContextQuery {
    let items = items(payload, plan);
    let mut query = CheckContextQuery {
        release: plan.place.release.clone(),
        people: [caller.to_string()].into(),
        evidence: plan.evidence.iter().map(ToString::to_string).collect(),
        ..CheckContextQuery::default()
    };
    for item in &items {
        query.people.extend(item.text("ownerId").map(str::to_owned));
        if let Some(title) = item.text("title") {
            query.words.extend(title_similarity::telling(title));
            query.titles.insert(title_similarity::whole(title));
        }
    }
    let work = items.iter().any(|item| item.is_new);
    for (id, _) in &plan.references {
        match RecordKind::of(id) {
            Some(RecordKind::Finding) => {
                query.targets.insert(id.clone());
                if work {
                    query.findings.insert(id.clone());
                }
            }
            Some(RecordKind::Blocker) => {
                query.targets.insert(id.clone());
                let blocker = facts.blockers.get(id);
                let finding = blocker.and_then(|blocker| blocker.finding_id.as_ref());
                query.targets.extend(finding.map(ToString::to_string));
            }
            _ => {}
        }
    }
    query.targets.extend(plan.change_set.updated_ids());
    query
}
