//! `loopiq_update_finding_status`: what a finding is by now, and why. The blockers that rest on it follow.

use super::Tool;
use super::plan::{FieldErrors, NewIds, Plan, PlanPlace};
use super::status_changes::{blocker_changes, finding_change, moment};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct UpdateFindingStatus;

/// Another status of one finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    /// The finding.
    finding_id: FindingId,
    /// The version that you read: if it has another one by now, read it again.
    expected_version: i64,
    /// What it is by now. A risk is accepted by loopiq_accept_risk, which asks for more.
    status: FindingStatus,
    /// Why, in plain text.
    #[schemars(length(min = 1, max = 2_000))]
    justification: String,
    /// Until when, where it is not for good: RFC 3339.
    #[serde(default)]
    expires_at: Option<String>,
}

impl Tool for UpdateFindingStatus {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_update_finding_status";
    const TITLE: &'static str = "Update finding status";
    const DESCRIPTION: &'static str = "Proposes another status of one finding, with its justification; the blockers that rest on it follow. \
         Nothing is changed until a person approves.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        let mut query = FactsQuery::default().with([&arguments.finding_id]);
        query.blockers_of.insert(arguments.finding_id.to_string());
        query
    }

    fn dates(arguments: &Arguments) -> Vec<(&'static str, Timestamp)> {
        moment("/expiresAt", arguments.expires_at.as_ref())
    }

    fn plan(arguments: &Arguments, facts: &Facts, _: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut problems = FieldErrors::default();
        let finding = problems.found(
            "/findingId",
            "finding",
            facts.findings.get(arguments.finding_id.as_str()),
        );
        if arguments.status == FindingStatus::Accepted {
            problems.add(
                "/status",
                "is given by loopiq_accept_risk, which asks who answers for it and until when",
            );
        }
        problems.moment("/expiresAt", arguments.expires_at.as_ref());
        let Some(finding) = finding else {
            return problems.end().and(Err(Vec::new()));
        };
        problems.version(
            "/expectedVersion",
            "finding",
            finding.version,
            arguments.expected_version,
        );
        if finding.status == arguments.status {
            problems.add("/status", format!("is {} already", finding.status.as_str()));
        }
        problems.end()?;
        let until = arguments.expires_at.as_ref();
        let mut changes = vec![finding_change(
            finding,
            arguments.status,
            &arguments.justification,
            until,
        )];
        let to = match arguments.status {
            FindingStatus::Open => BlockerStatus::Open,
            _ => BlockerStatus::Resolved,
        };
        let resting = facts
            .blockers
            .values()
            .filter(|one| one.finding_id.as_ref() == Some(&finding.id));
        changes.extend(blocker_changes(resting, to));
        let grave = matches!(finding.severity, Severity::Critical | Severity::High);
        Ok(Plan {
            change_set: ChangeSet(changes),
            headline: format!("Set {} to {}", finding.key, arguments.status.label().to_lowercase()),
            risk: if grave && arguments.status != FindingStatus::Open {
                Risk::High
            } else {
                Risk::Medium
            },
            place: PlanPlace {
                // Seen in several, it acts in none of them alone.
                release: match finding.release_ids.as_slice() {
                    [one] => Some(one.clone()),
                    _ => None,
                },
                ..PlanPlace::default()
            },
            evidence: Vec::new(),
            references: vec![(finding.id.to_string(), "/findingId".to_owned())],
        })
    }
}
