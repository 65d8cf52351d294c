//! What the agent does: read, group, look for work that is there already, propose.

use super::agent::{Agent, Refused};
use super::package::{self, Blocker, Release};
use super::plan::{Finding, Group, groups};
use super::report::{Failure, Proposal, Report, Skipped};
use crate::commands::one_line;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Titles as alike as this are taken for the same work.
const ALIKE: f64 = 0.9;

/// What one run is told.
pub(super) struct Task<'a> {
    /// The tenant that is meant; the token decides which one it is.
    pub tenant: &'a str,
    /// The release's key.
    pub release: &'a str,
    /// Ask for previews and checks alone.
    pub dry_run: bool,
    /// The most packages to propose.
    pub most: usize,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkItem {
    key: String,
    title: String,
    status: String,
    #[serde(default)]
    finding_ids: Vec<String>,
    #[serde(default)]
    score: f64,
}

impl WorkItem {
    fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "open" | "in_progress")
    }
}

/// Runs the agent to its end. What fails with one package is in the report; what fails before is the error.
pub(super) async fn run(agent: &Agent, task: &Task<'_>, tell: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    let context: Value = agent.read("loopiq_get_context", json!({})).await?;
    let tenant = context["tenant"]["id"].as_str().unwrap_or_default();
    ensure!(
        tenant == task.tenant,
        "the token is for the tenant {tenant}, not for {}",
        task.tenant
    );
    tell(&format!(
        "acting for {} in {tenant}, trace {}",
        context["caller"]["email"].as_str().unwrap_or("somebody"),
        agent.trace()
    ));
    let releases: Vec<Named> = agent.list("loopiq_list_releases", json!({})).await?;
    let found = releases.into_iter().find(|release| release.key == task.release);
    let id = found
        .with_context(|| format!("there is no release {} that you can see", task.release))?
        .id;
    let release: Release = agent.read("loopiq_get_release", json!({ "releaseId": id })).await?;
    let certification: Value = agent
        .read("loopiq_get_release_certification", json!({ "releaseId": id }))
        .await?;
    tell(&format!(
        "{}: {} certifications, {} open blockers",
        release.key,
        release.certifications.len(),
        certification["openBlockers"].as_u64().unwrap_or_default()
    ));
    let open = json!({ "releaseId": id, "status": "open" });
    let blockers: Vec<Blocker> = agent.list("loopiq_list_blockers", open.clone()).await?;
    let findings: Vec<Finding> = agent.list("loopiq_list_findings", open).await?;
    let items: Vec<WorkItem> = agent.list("loopiq_list_work_items", json!({ "releaseId": id })).await?;
    let taken: BTreeSet<String> = items
        .iter()
        .filter(|item| item.is_open())
        .flat_map(|item| item.finding_ids.iter().cloned())
        .collect();
    let blocking: BTreeSet<&str> = blockers
        .iter()
        .filter_map(|blocker| blocker.finding_id.as_deref())
        .collect();

    let mut report = Report {
        release: release.key.clone(),
        dry_run: task.dry_run,
        ..Report::default()
    };
    report.failing_controls = blockers.iter().filter(|blocker| blocker.finding_id.is_none()).count();
    let findings: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| blocking.contains(finding.id.as_str()))
        .collect();
    report.already_in_work = findings.iter().filter(|finding| taken.contains(&finding.id)).count();
    let groups = groups(findings, &taken);
    tell(&format!(
        "{} groups of findings that block and that nobody works on",
        groups.len()
    ));

    let mut left = groups.into_iter();
    // What is skipped does not count: it must not stand in the way of the rest for ever.
    while report.proposals.len() + report.failed.len() < task.most {
        let Some(group) = left.next() else { break };
        let title = package::title(&group);
        report.left_findings += group.left;
        match propose(agent, task, &group, &release, &blockers, &title).await {
            Ok(Outcome::Proposed(proposal)) => {
                tell(&format!("{}: {title}", proposal.status));
                report.proposals.push(*proposal);
            }
            Ok(Outcome::Skipped(why)) => {
                tell(&format!("skipped: {title}: {why}"));
                report.skipped.push(Skipped { title, why });
            }
            Err(error) => {
                let why = one_line(&error);
                tell(&format!("failed: {title}: {why}"));
                report.failed.push(Failure { title, error: why });
            }
        }
    }
    for group in left {
        report.left_groups += 1;
        report.left_findings += group.findings().count() + group.left;
    }
    Ok(report)
}

enum Outcome {
    Proposed(Box<Proposal>),
    Skipped(String),
}

async fn propose(
    agent: &Agent,
    task: &Task<'_>,
    group: &Group,
    release: &Release,
    blockers: &[Blocker],
    title: &str,
) -> Result<Outcome> {
    let similar: Vec<WorkItem> = agent
        .read::<Similar>("loopiq_find_similar_work_items", json!({ "title": title }))
        .await?
        .items;
    if let Some(same) = similar.iter().find(|item| item.is_open() && item.score >= ALIKE) {
        return Ok(Outcome::Skipped(format!(
            "{} \"{}\" is open; add these findings to it",
            same.key, same.title
        )));
    }
    let arguments = package::arguments(group, release, blockers);
    let mut arguments = arguments.with_context(|| format!("{} has no team to give the work to", release.key))?;
    if task.dry_run {
        arguments.insert("dryRun".into(), json!(true));
    }
    match agent.call("loopiq_create_remediation_work_package", arguments).await {
        Ok(answer) => Ok(Outcome::Proposed(Box::new(Proposal::of(&answer, group, title)))),
        // The same findings were proposed when something else about them was otherwise, an evidence record for instance.
        Err(error)
            if error
                .downcast_ref::<Refused>()
                .is_some_and(|refused| refused.code == "idempotency_conflict") =>
        {
            Ok(Outcome::Skipped(format!("proposed before. {error}")))
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Similar {
    items: Vec<WorkItem>,
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
