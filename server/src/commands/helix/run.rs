//! The agent's run: reads records, groups findings, looks for existing work items and proposes work packages.

use super::agent::{Agent, ToolRefusal};
use super::package::{self, Blocker, Release};
use super::plan::{Finding, Group, groups};
use super::report::{Failure, Proposal, Report, Skipped, count};
use crate::commands::one_line;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A work item whose title has at least this similarity score counts as the same work, and the agent proposes nothing.
const SAME_WORK_SCORE: f64 = 0.9;

/// The options of a run.
pub(super) struct RunOptions<'a> {
    /// The expected tenant. The token determines the actual one.
    pub tenant: &'a str,
    /// The release's key.
    pub release: &'a str,
    /// Only request previews and checks.
    pub dry_run: bool,
    /// The maximum number of packages to propose.
    pub max_packages: usize,
}

#[derive(Deserialize)]
struct ReleaseSummary {
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

/// Runs the agent. An error with one package is in the report; an error before the first package ends the run.
pub(super) async fn run(agent: &Agent, options: &RunOptions<'_>, log: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    let context: Value = agent.read("loopiq_get_context", json!({})).await?;
    let tenant = context["tenant"]["id"].as_str().unwrap_or_default();
    ensure!(
        tenant == options.tenant,
        "the token is for the tenant {tenant}, not for {}",
        options.tenant
    );
    log(&format!(
        "acting for {} in {tenant}, trace {}",
        context["caller"]["email"].as_str().unwrap_or("an unknown caller"),
        agent.trace()
    ));
    let releases: Vec<ReleaseSummary> = agent.list("loopiq_list_releases", json!({})).await?;
    let found = releases.into_iter().find(|release| release.key == options.release);
    let id = found
        .with_context(|| format!("there is no release {} that you can see", options.release))?
        .id;
    let release: Release = agent.read("loopiq_get_release", json!({ "releaseId": id })).await?;
    let certification: Value = agent
        .read("loopiq_get_release_certification", json!({ "releaseId": id }))
        .await?;
    log(&format!(
        "{}: {}, {}",
        release.key,
        count(release.certifications.len(), "certification"),
        count(
            certification["openBlockers"].as_u64().unwrap_or_default() as usize,
            "open blocker"
        )
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
        dry_run: options.dry_run,
        ..Report::default()
    };
    report.failing_controls = blockers.iter().filter(|blocker| blocker.finding_id.is_none()).count();
    let findings: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| blocking.contains(finding.id.as_str()))
        .collect();
    report.already_in_work = findings.iter().filter(|finding| taken.contains(&finding.id)).count();
    let groups = groups(findings, &taken);
    log(&format!(
        "blocking findings without an open work item: {}",
        count(groups.len(), "group")
    ));

    let mut left = groups.into_iter();
    // Skipped groups do not count against the limit. Otherwise the same skipped groups would block all later runs.
    while report.proposals.len() + report.failed.len() < options.max_packages {
        let Some(group) = left.next() else { break };
        let title = package::title(&group);
        report.left_findings += group.omitted;
        match propose(agent, options, &group, &release, &blockers, &title).await {
            Ok(Outcome::Proposed(proposal)) => {
                log(&format!("{}: {title}", proposal.status));
                report.proposals.push(*proposal);
            }
            Ok(Outcome::Skipped(why)) => {
                log(&format!("skipped: {title}: {why}"));
                report.skipped.push(Skipped { title, why });
            }
            Err(error) => {
                let why = one_line(&error);
                log(&format!("failed: {title}: {why}"));
                report.failed.push(Failure { title, error: why });
            }
        }
    }
    for group in left {
        report.left_groups += 1;
        report.left_findings += group.findings().count() + group.omitted;
    }
    Ok(report)
}

enum Outcome {
    Proposed(Box<Proposal>),
    Skipped(String),
}

async fn propose(
    agent: &Agent,
    options: &RunOptions<'_>,
    group: &Group,
    release: &Release,
    blockers: &[Blocker],
    title: &str,
) -> Result<Outcome> {
    let similar: Vec<WorkItem> = agent
        .read::<Similar>("loopiq_find_similar_work_items", json!({ "title": title }))
        .await?
        .items;
    if let Some(same) = similar
        .iter()
        .find(|item| item.is_open() && item.score >= SAME_WORK_SCORE)
    {
        return Ok(Outcome::Skipped(format!(
            "{} \"{}\" is open; add these findings to it",
            same.key, same.title
        )));
    }
    let arguments = package::arguments(group, release, blockers);
    let mut arguments = arguments.with_context(|| format!("{} has no team that could do the work", release.key))?;
    if options.dry_run {
        arguments.insert("dryRun".into(), json!(true));
    }
    match agent.call("loopiq_create_remediation_work_package", arguments).await {
        Ok(result) => Ok(Outcome::Proposed(Box::new(Proposal::from_result(
            &result, group, title,
        )))),
        // An earlier run proposed the same findings with other arguments, for example before new evidence was imported.
        Err(error)
            if error
                .downcast_ref::<ToolRefusal>()
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
mod tests;
