//! `loopiq_create_remediation_work_package`: one story and its tasks, created in one approved transaction.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, PlannedItem, Scope};
use super::work_item_arguments::{Estimate, NewItem, References, default_priority, owner};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;

pub(super) struct CreateRemediationWorkPackage;

/// One parent story and its tasks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The release whose blockers the package removes.
    release_id: ReleaseId,
    // The certification that is blocked.
    #[serde(default)]
    certification_id: Option<CertificationId>,
    // The team that will do the work.
    team_id: TeamId,
    /// Key, name or ID.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    application: Option<String>,
    /// Key, name or ID.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    module: Option<String>,
    /// Key, name or ID.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    repository: Option<String>,
    /// Key, name or ID.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    service: Option<String>,
    // The story.
    parent: Parent,
    // The tasks.
    #[schemars(length(min = 1, max = 50))]
    children: Vec<Child>,
    /// Blockers that the package removes.
    #[serde(default)]
    #[schemars(length(max = 200))]
    blocker_ids: Vec<BlockerId>,
}

// The story.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
struct Parent {
    /// What will be better, in one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    // What a person must know to do the work.
    #[schemars(length(max = 10_000))]
    description: String,
    /// Person ID or e-mail.
    #[serde(default)]
    owner: Option<String>,
    // How urgent the story is.
    #[serde(default = "default_priority")]
    priority: Priority,
    /// What is true when it is done.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(min = 1, max = 1_000)))]
    acceptance_criteria: Vec<String>,
}

// One task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
struct Child {
    /// Your name for the task; the result pairs it with the ID.
    #[schemars(length(min = 1, max = 100))]
    client_ref: String,
    /// What to do, in one line.
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// What the assignee must know.
    #[schemars(length(max = 10_000))]
    description: String,
    /// Person ID or e-mail.
    #[serde(default)]
    owner: Option<String>,
    // How much work the task is.
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

impl Child {
    fn references(&self) -> References<'_> {
        References {
            findings: &self.finding_ids,
            controls: &self.control_ids,
            evidence: &self.evidence_ids,
            blockers: &[],
        }
    }
}

impl Arguments {
    fn components(&self) -> [(ComponentKind, &'static str, Option<&String>); 4] {
        [
            (ComponentKind::Application, "/application", self.application.as_ref()),
            (ComponentKind::Module, "/module", self.module.as_ref()),
            (ComponentKind::Repository, "/repository", self.repository.as_ref()),
            (ComponentKind::Service, "/service", self.service.as_ref()),
        ]
    }

    fn package_references(&self) -> References<'_> {
        References {
            findings: &[],
            controls: &[],
            evidence: &[],
            blockers: &self.blocker_ids,
        }
    }
}

impl Tool for CreateRemediationWorkPackage {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_create_remediation_work_package";
    const TITLE: &'static str = "Create remediation work package";
    const DESCRIPTION: &'static str =
        "Proposes one story and its tasks for the blockers of a release. Once approved, all or nothing is created.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        let mut query = FactsQuery::default()
            .with([&arguments.release_id])
            .with(&arguments.certification_id)
            .with([&arguments.team_id])
            .with_person(arguments.parent.owner.as_ref());
        for (_, _, named) in arguments.components() {
            query = query.with_component(named);
        }
        for child in &arguments.children {
            query = child.references().query(query.with_person(child.owner.as_ref()));
        }
        arguments.package_references().query(query)
    }

    fn items(arguments: &Arguments) -> Vec<PlannedItem> {
        let story = PlannedItem {
            pointer: "/parent".to_owned(),
            change: 0,
            client_ref: None,
            title: arguments.parent.title.clone(),
            can_be_left_out: false,
        };
        let tasks = arguments.children.iter().enumerate().map(|(index, child)| PlannedItem {
            pointer: format!("/children/{index}"),
            change: index + 1,
            client_ref: Some(child.client_ref.clone()),
            title: child.title.clone(),
            can_be_left_out: true,
        });
        [story].into_iter().chain(tasks).collect()
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        errors.require("/releaseId", "release", facts.release(&arguments.release_id));
        if let Some(id) = &arguments.certification_id {
            errors.require("/certificationId", "certification", facts.certification(id));
        }
        errors.require("/teamId", "team", facts.team(&arguments.team_id));
        let mut components = Vec::new();
        for (kind, at, named) in arguments.components() {
            let Some(named) = named else { continue };
            components.extend(
                errors
                    .require(at, kind.as_str(), facts.find_component(kind, named))
                    .map(|c| c.id.clone()),
            );
        }
        arguments.package_references().check("", facts, &mut errors);
        let parent_owner = owner(arguments.parent.owner.as_ref(), "/parent/owner", facts, &mut errors);
        let mut references = arguments.package_references().with_pointers("");
        let (mut seen, mut owners) = (BTreeSet::new(), Vec::new());
        for (index, child) in arguments.children.iter().enumerate() {
            let at = format!("/children/{index}");
            child.references().check(&at, facts, &mut errors);
            references.extend(child.references().with_pointers(&at));
            owners.push(owner(child.owner.as_ref(), &format!("{at}/owner"), facts, &mut errors));
            if !seen.insert(child.client_ref.as_str()) {
                errors.add(
                    format!("{at}/clientRef"),
                    "is in this package twice; each task needs its own",
                );
            }
        }
        errors.finish()?;

        let parent: WorkItemId = ids.next_id();
        let story = NewItem {
            id: &parent,
            client_ref: None,
            kind: WorkItemKind::Story,
            release: &arguments.release_id,
            team: &arguments.team_id,
            parent: None,
            owner: parent_owner,
            title: &arguments.parent.title,
            description: &arguments.parent.description,
            priority: arguments.parent.priority,
            estimate: None,
            acceptance_criteria: &arguments.parent.acceptance_criteria,
            references: arguments.package_references(),
        };
        let mut changes = vec![story.create()];
        for (child, child_owner) in arguments.children.iter().zip(owners) {
            let id: WorkItemId = ids.next_id();
            let task = NewItem {
                id: &id,
                client_ref: Some(child.client_ref.clone()),
                kind: WorkItemKind::Task,
                release: &arguments.release_id,
                team: &arguments.team_id,
                parent: Some(&parent),
                owner: child_owner,
                title: &child.title,
                description: &child.description,
                priority: arguments.parent.priority,
                estimate: child.estimate.as_ref().map(Estimate::text),
                acceptance_criteria: &[],
                references: child.references(),
            };
            changes.push(task.create());
        }
        let mut evidence: Vec<EvidenceId> = arguments
            .children
            .iter()
            .flat_map(|child| child.evidence_ids.iter().cloned())
            .collect();
        evidence.sort();
        evidence.dedup();
        Ok(Plan {
            change_set: ChangeSet(changes),
            headline: headline("Create work package: \"", &arguments.parent.title, "\""),
            risk: Risk::Medium,
            scope: Scope {
                release: Some(arguments.release_id.clone()),
                certification: arguments.certification_id.clone(),
                team: Some(arguments.team_id.clone()),
                components,
            },
            evidence,
            references,
            items: Self::items(arguments),
            result_references: &["releaseId", "certificationId", "teamId", "blockerIds"],
        })
    }
}
