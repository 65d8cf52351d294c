//! `loopiq_accept_risk`: a person answers for findings or failing controls until a date; their blockers count as accepted.

use super::Tool;
use super::headline::{self, headline};
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use super::status_changes::{blocker_changes, dates_in, finding_change};
use super::work_item_arguments::{References, owner};
use crate::domain::text::prose::{counted, joined};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct AcceptRisk;

/// A risk to accept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The release that goes on with the risk.
    release_id: ReleaseId,
    /// Findings that stay.
    #[serde(default)]
    #[schemars(length(max = 200))]
    finding_ids: Vec<FindingId>,
    /// Controls that may keep failing.
    #[serde(default)]
    #[schemars(length(max = 200))]
    control_ids: Vec<ControlId>,
    /// Why the risk is acceptable.
    #[schemars(length(min = 1, max = 2_000))]
    justification: String,
    /// What reduces the risk meanwhile.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 500)))]
    compensating_controls: Vec<String>,
    /// Who answers for the risk: person ID or e-mail.
    owner: String,
    /// RFC 3339, at most a year ahead.
    expires_at: String,
}

impl Arguments {
    fn references(&self) -> References<'_> {
        References {
            findings: &self.finding_ids,
            controls: &self.control_ids,
            evidence: &[],
            blockers: &[],
        }
    }
}

impl Tool for AcceptRisk {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_accept_risk";
    const TITLE: &'static str = "Accept risk";
    const DESCRIPTION: &'static str = "Proposes that a person answers for findings or failing controls of one release until a date; their blockers \
         in it count as accepted.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        let mut query = arguments
            .references()
            .query(FactsQuery::default().with([&arguments.release_id]))
            .with_person(Some(&arguments.owner));
        let findings = arguments.finding_ids.iter().map(ToString::to_string);
        query
            .blockers_of
            .extend(findings.chain(arguments.control_ids.iter().map(ToString::to_string)));
        query
    }

    fn dates(arguments: &Arguments) -> Vec<(&'static str, Timestamp)> {
        dates_in("/expiresAt", Some(&arguments.expires_at))
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let release = errors.require("/releaseId", "release", facts.release(&arguments.release_id));
        arguments.references().check("", facts, &mut errors);
        let owner = owner(Some(&arguments.owner), "/owner", facts, &mut errors);
        errors.check_date("/expiresAt", Some(&arguments.expires_at));
        if arguments.finding_ids.is_empty() && arguments.control_ids.is_empty() {
            errors.add("/findingIds", "name at least one finding or control");
        }
        let findings: Vec<&Finding> = arguments
            .finding_ids
            .iter()
            .filter_map(|id| facts.finding(id))
            .collect();
        for (n, id) in arguments.finding_ids.iter().enumerate() {
            let Some(finding) = facts.finding(id) else {
                continue;
            };
            let here = finding
                .releases
                .iter()
                .find(|one| one.release_id == arguments.release_id);
            if let Some(until) = here.and_then(|one| one.accepted_until) {
                errors.add(
                    format!("/findingIds/{n}"),
                    format!("is accepted for this release until {}", until.rfc3339()),
                );
            } else if !matches!(finding.status, FindingStatus::Open | FindingStatus::Accepted) {
                errors.add(
                    format!("/findingIds/{n}"),
                    format!("is {} and no risk", finding.status.as_str()),
                );
            }
        }
        for (n, id) in arguments.control_ids.iter().enumerate() {
            if facts
                .control(id)
                .is_some_and(|one| one.status == ControlStatus::Passing)
            {
                errors.add(format!("/controlIds/{n}"), "is passing and no risk");
            }
        }
        errors.finish()?;
        let (Some(release), Some(owner)) = (release, owner) else {
            return Err(Vec::new());
        };
        let id: RiskAcceptanceId = ids.next_id();
        let mut fields = Map::new();
        fields.insert("releaseId".into(), json!(release.id));
        fields.insert("ownerId".into(), json!(owner));
        fields.insert("findingIds".into(), json!(arguments.finding_ids));
        fields.insert("controlIds".into(), json!(arguments.control_ids));
        fields.insert("justification".into(), json!(arguments.justification));
        fields.insert("compensatingControls".into(), json!(arguments.compensating_controls));
        fields.insert("expiresAt".into(), json!(arguments.expires_at));
        let mut changes = vec![Change::Create(Create {
            kind: RecordKind::RiskAcceptance,
            id: id.to_string(),
            client_ref: None,
            fields,
        })];
        // The finding itself is accepted as soon as its risk is accepted in every release that shows it.
        let accepted_elsewhere = |finding: &&&Finding| {
            let others = finding.releases.iter().filter(|one| one.release_id != release.id);
            finding.status == FindingStatus::Open && others.clone().all(|one| one.accepted_until.is_some())
        };
        for finding in findings.iter().filter(accepted_elsewhere) {
            let until = Some(&arguments.expires_at);
            changes.push(finding_change(
                finding,
                FindingStatus::Accepted,
                &arguments.justification,
                until,
            ));
        }
        let resting = facts.blockers().filter(|blocker| {
            let finding = blocker
                .finding_id
                .as_ref()
                .is_some_and(|id| arguments.finding_ids.contains(id));
            let control = blocker
                .control_id
                .as_ref()
                .is_some_and(|id| arguments.control_ids.contains(id));
            blocker.release_id == release.id && blocker.status == BlockerStatus::Open && (finding || control)
        });
        changes.extend(blocker_changes(resting, BlockerStatus::Accepted));
        Ok(Plan {
            change_set: ChangeSet(changes),
            headline: headline_of(arguments, &findings, facts),
            risk: Risk::High,
            scope: Scope {
                release: Some(release.id.clone()),
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: arguments.references().with_pointers(""),
            items: Vec::new(),
            result_references: &["releaseId", "findingIds", "controlIds"],
        })
    }
}

/// Names the one finding or control, or counts several and names the first.
fn headline_of(arguments: &Arguments, findings: &[&Finding], facts: &Facts) -> String {
    let controls: Vec<&Control> = arguments
        .control_ids
        .iter()
        .filter_map(|id| facts.control(id))
        .collect();
    let until = format!(" until {}", headline::day(&arguments.expires_at));
    match (findings, controls.as_slice()) {
        ([one], []) => {
            let (title, identity) = headline::finding(one);
            headline("Accept risk: ", title, &(identity + &until))
        }
        ([], [one]) => headline("Accept risk: ", &one.title, &format!(" ({}){until}", one.key)),
        _ => {
            let keys = findings
                .iter()
                .map(|one| one.key.as_str())
                .chain(controls.iter().map(|one| one.key.as_str()));
            let subjects = subjects(findings.len(), controls.len());
            headline(
                &format!("Accept risk: {subjects} ("),
                &headline::keys(keys),
                &format!("){until}"),
            )
        }
    }
}

/// `2 findings and 1 control`.
fn subjects(findings: usize, controls: usize) -> String {
    let subjects = [(findings, "finding"), (controls, "control")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count, noun));
    joined(&subjects.collect::<Vec<_>>())
}
