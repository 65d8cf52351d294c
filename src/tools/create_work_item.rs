//! `loopiq_create_work_item`: one story, or one task under a story that exists.

use super::Tool;
use super::plan::{FieldErrors, NewIds, Plan, PlanPlace};
use super::work_item_arguments::{Estimate, NewItem, References, medium, owner, quoted};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct CreateWorkItem;

/// One story or task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    /// The release it belongs to.
    release_id: ReleaseId,
    /// The team that will do it.
    team_id: TeamId,
    /// Story or task.
    kind: WorkItemKind,
    /// The story that a task belongs to; a task without one can't be approved, a story has none.
    #[serde(default)]
    parent_id: Option<WorkItemId>,
    /// What is to be done, in one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// What has to be known to do it.
    #[schemars(length(max = 10_000))]
    description: String,
    /// Who does it: person ID or e-mail address.
    #[serde(default)]
    owner: Option<String>,
    /// How urgent it is.
    #[serde(default = "medium")]
    priority: Priority,
    /// How much work it is.
    #[serde(default)]
    estimate: Option<Estimate>,
    /// The findings it removes.
    #[serde(default)]
    #[schemars(length(max = 200))]
    finding_ids: Vec<FindingId>,
    /// The controls it makes pass.
    #[serde(default)]
    #[schemars(length(max = 200))]
    control_ids: Vec<ControlId>,
    /// The evidence it rests on.
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
    const DESCRIPTION: &'static str =
        "Proposes one story, or one task under an existing story. Nothing is created until a person approves.";
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

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut problems = FieldErrors::default();
        problems.found(
            "/releaseId",
            "release",
            facts.releases.get(arguments.release_id.as_str()),
        );
        problems.found("/teamId", "team", facts.teams.get(arguments.team_id.as_str()));
        let owner = owner(arguments.owner.as_ref(), "/owner", facts, &mut problems);
        arguments.references().check("", facts, &mut problems);
        match (arguments.kind, &arguments.parent_id) {
            (WorkItemKind::Story, Some(_)) => problems.add("/parentId", "must be left out: a story has no parent"),
            (_, Some(parent)) => {
                problems.found("/parentId", "work item", facts.work_items.get(parent.as_str()));
            }
            // A task without one is for `hierarchy` to judge: somebody should see what was wanted.
            (_, None) => {}
        }
        problems.end()?;
        let id: WorkItemId = ids.give();
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
            estimate: arguments.estimate.as_ref().map(Estimate::words),
            acceptance_criteria: &[],
            references: arguments.references(),
        };
        let mut references = arguments.references().places("");
        references.extend(
            arguments
                .parent_id
                .iter()
                .map(|id| (id.as_str().to_owned(), "/parentId".to_owned())),
        );
        Ok(Plan {
            change_set: ChangeSet(vec![item.create()]),
            headline: format!("Create {}: {}", arguments.kind.as_str(), quoted(&arguments.title)),
            risk: Risk::Low,
            place: PlanPlace {
                release: Some(arguments.release_id.clone()),
                team: Some(arguments.team_id.clone()),
                ..PlanPlace::default()
            },
            evidence: arguments.evidence_ids.clone(),
            references,
        })
    }
}
