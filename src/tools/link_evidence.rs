//! `loopiq_link_evidence`: links evidence to a control or a certification.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct LinkEvidence;

/// Evidence, and the record that it supports.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The evidence.
    evidence_id: EvidenceId,
    /// This or certificationId.
    #[serde(default)]
    control_id: Option<ControlId>,
    // The certification, if no control is named.
    #[serde(default)]
    certification_id: Option<CertificationId>,
}

impl Tool for LinkEvidence {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_link_evidence";
    const TITLE: &'static str = "Link evidence";
    const DESCRIPTION: &'static str = "Proposes to link evidence to one control or one certification.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default()
            .with([&arguments.evidence_id])
            .with(&arguments.control_id)
            .with(&arguments.certification_id)
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let evidence = errors.require("/evidenceId", "evidence", facts.evidence(&arguments.evidence_id));
        let target = match (&arguments.control_id, &arguments.certification_id) {
            (Some(id), None) => errors
                .require("/controlId", "control", facts.control(id))
                .map(|control| {
                    (
                        control.id.as_str(),
                        &control.release_id,
                        format!("control {}", control.key),
                        "/controlId",
                    )
                }),
            (None, Some(id)) => errors
                .require("/certificationId", "certification", facts.certification(id))
                .map(|c| {
                    (
                        c.id.as_str(),
                        &c.release_id,
                        format!("certification {}", c.key),
                        "/certificationId",
                    )
                }),
            _ => {
                errors.add("", "name either controlId or certificationId, one of the two");
                None
            }
        };
        errors.finish()?;
        let (Some(evidence), Some((target, release, label, at))) = (evidence, target) else {
            return Err(Vec::new());
        };
        let link: EvidenceLinkId = ids.next_id();
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
            headline: headline(&format!("Link evidence {} to ", evidence.key), &label, ""),
            risk: Risk::Medium,
            scope: Scope {
                release: Some(release.clone()),
                certification: arguments.certification_id.clone(),
                ..Scope::default()
            },
            evidence: vec![evidence.id.clone()],
            references: vec![
                (evidence.id.as_str().to_owned(), "/evidenceId".to_owned()),
                (target.to_owned(), at.to_owned()),
            ],
            items: Vec::new(),
            result_references: &["evidenceId", "controlId", "certificationId"],
        })
    }
}
