//! `loopiq_link_evidence`: ties evidence to a control or a certification.

use super::Tool;
use super::plan::{FieldErrors, NewIds, Plan, PlanPlace};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct LinkEvidence;

/// Evidence, and what it is evidence for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    /// The evidence.
    evidence_id: EvidenceId,
    /// The control it is for; or else the certification.
    #[serde(default)]
    control_id: Option<ControlId>,
    /// The certification it is for; or else the control.
    #[serde(default)]
    certification_id: Option<CertificationId>,
}

impl Tool for LinkEvidence {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_link_evidence";
    const TITLE: &'static str = "Link evidence";
    const DESCRIPTION: &'static str =
        "Proposes to tie evidence to one control or one certification. Nothing is tied until a person approves.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default()
            .with([&arguments.evidence_id])
            .with(&arguments.control_id)
            .with(&arguments.certification_id)
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut problems = FieldErrors::default();
        let evidence = problems.found(
            "/evidenceId",
            "evidence",
            facts.evidence.get(arguments.evidence_id.as_str()),
        );
        let target = match (&arguments.control_id, &arguments.certification_id) {
            (Some(id), None) => problems
                .found("/controlId", "control", facts.controls.get(id.as_str()))
                .map(|control| {
                    (
                        control.id.as_str(),
                        &control.release_id,
                        format!("control {}", control.key),
                        "/controlId",
                    )
                }),
            (None, Some(id)) => problems
                .found(
                    "/certificationId",
                    "certification",
                    facts.certifications.get(id.as_str()),
                )
                .map(|c| {
                    (
                        c.id.as_str(),
                        &c.release_id,
                        format!("certification {}", c.key),
                        "/certificationId",
                    )
                }),
            _ => {
                problems.add("", "name either controlId or certificationId, one of the two");
                None
            }
        };
        problems.end()?;
        let (Some(evidence), Some((target, release, words, at))) = (evidence, target) else {
            return Err(Vec::new());
        };
        let link: EvidenceLinkId = ids.give();
        let mut fields = Map::new();
        fields.insert("evidenceId".into(), json!(evidence.id));
        fields.insert("targetId".into(), json!(target));
        Ok(Plan {
            change_set: ChangeSet(vec![Change::Create(Create {
                kind: RecordKind::EvidenceLink,
                id: link.as_str().to_owned(),
                client_ref: None,
                fields,
            })]),
            headline: format!("Link evidence {} to {words}", evidence.key),
            risk: Risk::Medium,
            place: PlanPlace {
                release: Some(release.clone()),
                certification: arguments.certification_id.clone(),
                ..PlanPlace::default()
            },
            evidence: vec![evidence.id.clone()],
            references: vec![
                (evidence.id.as_str().to_owned(), "/evidenceId".to_owned()),
                (target.to_owned(), at.to_owned()),
            ],
        })
    }
}
