//! `loopiq_update_finding_status`: a new status of a finding, with the reason. The blockers of the finding follow.

use super::Tool;
use super::headline::{self, headline};
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use super::status_changes::{blocker_changes, dates_in, finding_change};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) struct UpdateFindingStatus;

/// A new status of one finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The finding.
    finding_id: FindingId,
    /// The `version` that you read.
    expected_version: i64,
    // The new status. A risk is accepted by `loopiq_accept_risk`, which asks for more.
    status: FindingStatus,
    /// Why this is so.
    #[schemars(length(min = 1, max = 2_000))]
    justification: String,
    /// RFC 3339, if not for good.
    #[serde(default)]
    expires_at: Option<String>,
}

impl Tool for UpdateFindingStatus {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_update_finding_status";
    const TITLE: &'static str = "Update finding status";
    const DESCRIPTION: &'static str =
        "Proposes a new status of one finding; its blockers follow. To accept a risk, use loopiq_accept_risk.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        let mut query = FactsQuery::default().with([&arguments.finding_id]);
        query.blockers_of.insert(arguments.finding_id.to_string());
        query
    }

    fn dates(arguments: &Arguments) -> Vec<(&'static str, Timestamp)> {
        dates_in("/expiresAt", arguments.expires_at.as_ref())
    }

    fn plan(arguments: &Arguments, facts: &Facts, _: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let finding = errors.require("/findingId", "finding", facts.finding(&arguments.finding_id));
        if arguments.status == FindingStatus::Accepted {
            errors.add(
                "/status",
                "is given by loopiq_accept_risk, which asks who answers for it and until when",
            );
        }
        errors.check_date("/expiresAt", arguments.expires_at.as_ref());
        let Some(finding) = finding else {
            return errors.finish().and(Err(Vec::new()));
        };
        errors.check_version(
            "/expectedVersion",
            "finding",
            finding.version,
            arguments.expected_version,
        );
        if finding.status == arguments.status {
            errors.add("/status", format!("is {} already", finding.status.as_str()));
        }
        errors.finish()?;
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
            .blockers()
            .filter(|one| one.finding_id.as_ref() == Some(&finding.id));
        changes.extend(blocker_changes(resting, to));
        let severe = matches!(finding.severity, Severity::Critical | Severity::High);
        Ok(Plan {
            change_set: ChangeSet(changes),
            headline: headline_of(arguments, finding),
            risk: if severe && arguments.status != FindingStatus::Open {
                Risk::High
            } else {
                Risk::Medium
            },
            scope: Scope {
                // A finding of several releases belongs to none of them alone.
                release: match finding.release_ids.as_slice() {
                    [one] => Some(one.clone()),
                    _ => None,
                },
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: vec![(finding.id.to_string(), "/findingId".to_owned())],
            items: Vec::new(),
            result_references: &["findingId"],
        })
    }
}

/// `Unused import (FND-109, low): open to fixed`.
fn headline_of(arguments: &Arguments, finding: &Finding) -> String {
    let (title, identity) = headline::finding(finding);
    let [from, to] = [finding.status, arguments.status].map(|status| status.as_str().replace('_', " "));
    let until = arguments.expires_at.as_ref();
    let until = until.map_or_else(String::new, |until| format!(" until {}", headline::day(until)));
    headline("", title, &format!("{identity}: {from} to {to}{until}"))
}
