//! `loopiq_update_work_item`: fields of one work item, with the version that the agent saw.

use super::Tool;
use super::headline::{self, headline};
use super::plan::{FieldErrors, NewIds, Plan, PlannedItem, Scope};
use super::work_item_arguments::owner;
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) struct UpdateWorkItem;

/// Fields to change in one work item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The work item.
    work_item_id: WorkItemId,
    /// The `version` that you read.
    #[schemars(range(min = 1))]
    expected_version: i64,
    // What changes.
    changes: Changes,
}

/// Fields left out keep their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline, extend("minProperties" = 1))]
struct Changes {
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    title: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 10_000))]
    description: Option<String>,
    /// Person ID or e-mail.
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    status: Option<WorkItemStatus>,
    #[serde(default)]
    parent_id: Option<WorkItemId>,
}

impl Tool for UpdateWorkItem {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_update_work_item";
    const TITLE: &'static str = "Update work item";
    const DESCRIPTION: &'static str = "Proposes to change fields of one work item, unless the item changes meanwhile.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default()
            .with([&arguments.work_item_id])
            .with(&arguments.changes.parent_id)
            .with_person(arguments.changes.owner.as_ref())
    }

    fn items(arguments: &Arguments) -> Vec<PlannedItem> {
        vec![PlannedItem {
            pointer: "/changes".to_owned(),
            change: 0,
            client_ref: None,
            title: arguments.changes.title.clone().unwrap_or_default(),
            can_be_left_out: false,
        }]
    }

    fn plan(arguments: &Arguments, facts: &Facts, _: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let (changes, mut errors) = (&arguments.changes, FieldErrors::default());
        let item = errors.require("/workItemId", "work item", facts.work_item(&arguments.work_item_id));
        let owner = owner(changes.owner.as_ref(), "/changes/owner", facts, &mut errors);
        if let Some(parent) = &changes.parent_id {
            errors.require("/changes/parentId", "work item", facts.work_item(parent));
            if *parent == arguments.work_item_id {
                errors.add("/changes/parentId", "a work item cannot be its own parent");
            }
        }
        let Some(item) = item else {
            errors.finish()?;
            return Err(Vec::new());
        };
        errors.check_version(
            "/expectedVersion",
            "work item",
            item.version,
            arguments.expected_version,
        );
        let mut fields = Vec::new();
        let mut change = |field: &str, before: Value, after: Option<Value>| {
            if let Some(after) = after.filter(|after| *after != before) {
                fields.push(FieldChange {
                    field: field.to_owned(),
                    before,
                    after,
                });
            }
        };
        change("title", json!(item.title), changes.title.as_ref().map(|v| json!(v)));
        change(
            "description",
            json!(item.description),
            changes.description.as_ref().map(|v| json!(v)),
        );
        change("ownerId", json!(item.owner_id), owner.map(|v| json!(v)));
        change("priority", json!(item.priority), changes.priority.map(|v| json!(v)));
        change("status", json!(item.status), changes.status.map(|v| json!(v)));
        change(
            "parentId",
            json!(item.parent_id),
            changes.parent_id.as_ref().map(|v| json!(v)),
        );
        if fields.is_empty() {
            errors.add("/changes", "change nothing: the work item has these values already");
        }
        errors.finish()?;
        // A release may be certified because the work is closed.
        let closes = changes
            .status
            .is_some_and(|s| matches!(s, WorkItemStatus::Done | WorkItemStatus::Cancelled));
        let headline = headline(&format!("{}: ", item.key), &headline::changes(&fields, facts), "");
        Ok(Plan {
            change_set: ChangeSet(vec![Change::Update(Update {
                kind: RecordKind::WorkItem,
                id: arguments.work_item_id.as_str().to_owned(),
                expected_version: arguments.expected_version,
                fields,
            })]),
            headline,
            risk: if closes { Risk::Medium } else { Risk::Low },
            scope: Scope {
                release: Some(item.release_id.clone()),
                team: Some(item.team_id.clone()),
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: [
                (Some(&arguments.work_item_id), "/workItemId"),
                (changes.parent_id.as_ref(), "/changes/parentId"),
            ]
            .into_iter()
            .filter_map(|(id, at)| Some((id?.as_str().to_owned(), at.to_owned())))
            .collect(),
            items: Self::items(arguments),
            result_references: &[],
        })
    }
}
