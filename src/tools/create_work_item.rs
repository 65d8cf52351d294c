//! `loopiq_create_work_item`: one story, or one task of an existing story.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, PlannedItem, Scope};
use super::work_item_arguments::{Estimate, NewItem, References, default_priority, owner};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct CreateWorkItem;

/// One story or task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The release that the item belongs to.
    release_id: ReleaseId,
    // The team that will do the work.
    team_id: TeamId,
    // Story or task.
    kind: WorkItemKind,
    /// The story of a task. A story has none.
    #[serde(default)]
    parent_id: Option<WorkItemId>,
    /// What to do, in one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// What the assignee must know.
    #[schemars(length(max = 10_000))]
    description: String,
    /// Person ID or e-mail.
    #[serde(default)]
    owner: Option<String>,
    // How urgent the item is.
    #[serde(default = "default_priority")]
    priority: Priority,
    // How much work the item is.
    #[serde(default)]
    estimate: Option<Estimate>,
    /// Findings it removes.
    #[serde(default)]
    #[schemars(length(max = 200))]
    finding_ids: Vec<FindingId>,
    /// Controls it makes pass.
    #[serde(default)]
    #[schemars(length(max = 200))]
    control_ids: Vec<ControlId>,
    /// Evidence it rests on.
    #[serde(default)]
    #[schemars(length(max = 200))]
    evidence_ids: Vec<EvidenceId>,
}

impl Arguments {
    fn references(&self) -> References<'_> {
        References {
            findings: &self.finding_ids,
            controls: &self.control_ids,
            evidence: &self.evidence_ids,
            blockers: &[],
        }
    }
}

impl Tool for CreateWorkItem {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_create_work_item";
    const TITLE: &'static str = "Create work item";
    const DESCRIPTION: &'static str = "Proposes one story, or one task under an existing story.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        arguments.references().query(
            FactsQuery::default()
                .with([&arguments.release_id])
                .with([&arguments.team_id])
                .with(&arguments.parent_id)
                .with_person(arguments.owner.as_ref()),
        )
    }

    fn items(arguments: &Arguments) -> Vec<PlannedItem> {
        vec![PlannedItem {
            pointer: String::new(),
            change: 0,
            client_ref: None,
            title: arguments.title.clone(),
            can_be_left_out: false,
        }]
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        errors.require("/releaseId", "release", facts.release(&arguments.release_id));
        errors.require("/teamId", "team", facts.team(&arguments.team_id));
        let owner = owner(arguments.owner.as_ref(), "/owner", facts, &mut errors);
        arguments.references().check("", facts, &mut errors);
        match (arguments.kind, &arguments.parent_id) {
            (WorkItemKind::Story, Some(_)) => errors.add("/parentId", "must be left out: a story has no parent"),
            (_, Some(parent)) => {
                errors.require("/parentId", "work item", facts.work_item(parent));
            }
            // The check `hierarchy` blocks a task without a parent, so that a reviewer still sees the proposal.
            (_, None) => {}
        }
        errors.finish()?;
        let id: WorkItemId = ids.next_id();
        let item = NewItem {
            id: &id,
            client_ref: None,
            kind: arguments.kind,
            release: &arguments.release_id,
            team: &arguments.team_id,
            parent: arguments.parent_id.as_ref(),
            owner,
            title: &arguments.title,
            description: &arguments.description,
            priority: arguments.priority,
            estimate: arguments.estimate.as_ref().map(Estimate::text),
            acceptance_criteria: &[],
            references: arguments.references(),
        };
        let mut references = arguments.references().with_pointers("");
        references.extend(
            arguments
                .parent_id
                .iter()
                .map(|id| (id.as_str().to_owned(), "/parentId".to_owned())),
        );
        Ok(Plan {
            change_set: ChangeSet(vec![item.create()]),
            headline: headline(
                &format!("Create {}: \"", arguments.kind.as_str()),
                &arguments.title,
                "\"",
            ),
            risk: Risk::Low,
            scope: Scope {
                release: Some(arguments.release_id.clone()),
                team: Some(arguments.team_id.clone()),
                ..Scope::default()
            },
            evidence: arguments.evidence_ids.clone(),
            references,
            items: Self::items(arguments),
            result_references: &["releaseId", "teamId", "findingIds", "controlIds"],
        })
    }
}
