//! The report of a run, as text and as JSON.

use super::plan::Group;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// The report of a run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub release: String,
    pub dry_run: bool,
    pub proposals: Vec<Proposal>,
    pub skipped: Vec<Skipped>,
    pub failed: Vec<Failure>,
    /// Blocking findings that an open work item covers.
    pub already_in_work: usize,
    /// Groups beyond the limit of packages.
    pub left_groups: usize,
    /// Findings in the left groups, and findings beyond the limit of tasks.
    pub left_findings: usize,
    /// Blockers that are failing controls. The agent proposes nothing for them.
    pub failing_controls: usize,
}

/// A package that this run or an earlier one proposed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proposal {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<String>,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_url: Option<String>,
    pub title: String,
    pub tasks: usize,
    pub findings: usize,
    /// The checks that did not pass, as `id verdict`.
    pub warnings: Vec<String>,
}

/// A group that needs no proposal.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub title: String,
    pub why: String,
}

/// A group whose proposal failed.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub title: String,
    pub error: String,
}

impl Proposal {
    /// From the tool's result.
    pub(super) fn from_result(result: &Value, group: &Group, title: &str) -> Self {
        let text = |name: &str| result[name].as_str().map(str::to_owned);
        let checks = result["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let warnings = checks.iter().filter_map(|check| {
            let (id, verdict) = (check["id"].as_str()?, check["verdict"].as_str()?);
            (verdict != "pass").then(|| format!("{id} {verdict}"))
        });
        Self {
            action_id: text("actionId"),
            status: text("status").unwrap_or_else(|| "unknown".to_owned()),
            review_url: text("reviewUrl"),
            title: title.to_owned(),
            tasks: group.children.len(),
            findings: group.findings().count(),
            warnings: warnings.collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = Vec::new();
        for proposal in &self.proposals {
            let id = proposal.action_id.as_deref().unwrap_or("(nothing stored)");
            lines.push(format!("{id}  {}  {}", proposal.status, proposal.title));
            let mut about = format!(
                "  {}, {}",
                count(proposal.tasks, "task"),
                count(proposal.findings, "finding")
            );
            if !proposal.warnings.is_empty() {
                about.push_str(&format!("; checks not passed: {}", proposal.warnings.join(", ")));
            }
            lines.push(about);
            lines.extend(proposal.review_url.iter().map(|url| format!("  {url}")));
        }
        lines.extend(
            self.skipped
                .iter()
                .map(|skipped| format!("skipped: {}: {}", skipped.title, skipped.why)),
        );
        lines.extend(
            self.failed
                .iter()
                .map(|failure| format!("failed: {}: {}", failure.title, failure.error)),
        );
        if lines.is_empty() {
            lines.push(format!("{}: nothing to propose", self.release));
        }
        if self.already_in_work > 0 {
            lines.push(format!(
                "{} covered by open work items",
                count(self.already_in_work, "blocking finding")
            ));
        }
        if self.left_findings > 0 {
            lines.push(format!(
                "left for another run: {}, in {} (--packages raises the limit)",
                count(self.left_findings, "finding"),
                count(self.left_groups, "more group"),
            ));
        }
        if self.failing_controls > 0 {
            lines.push(format!(
                "left to people: {}",
                count(self.failing_controls, "failing control")
            ));
        }
        f.write_str(&lines.join("\n"))
    }
}

pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
