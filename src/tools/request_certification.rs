//! `loopiq_request_certification`: asks people for a certification. People grant or refuse it, never an agent.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use super::status_changes::change;
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

pub(super) struct RequestCertification;

/// A certification to request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    /// The certification.
    certification_id: CertificationId,
    /// Why the release is ready, for the people who certify.
    #[schemars(length(min = 1, max = 2_000))]
    statement: String,
}

impl Tool for RequestCertification {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_request_certification";
    const TITLE: &'static str = "Request certification";
    const DESCRIPTION: &'static str = "Proposes to request a certification. Nothing is requested until a person approves; people alone grant or \
         refuse it.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default().with([&arguments.certification_id])
    }

    fn plan(arguments: &Arguments, facts: &Facts, _: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let known = facts.certification(&arguments.certification_id);
        let certification = errors.require("/certificationId", "certification", known);
        if let Some(certification) = certification
            && matches!(
                certification.status,
                CertificationStatus::Requested | CertificationStatus::Granted
            )
        {
            errors.add(
                "/certificationId",
                format!("is {} already", certification.status.as_str()),
            );
        }
        errors.finish()?;
        let Some(certification) = certification else {
            return Err(Vec::new());
        };
        Ok(Plan {
            change_set: ChangeSet(vec![Change::Update(Update {
                kind: RecordKind::Certification,
                id: certification.id.to_string(),
                expected_version: certification.version,
                fields: [
                    change(
                        "status",
                        json!(certification.status),
                        json!(CertificationStatus::Requested),
                    ),
                    change("statement", json!(certification.statement), json!(arguments.statement)),
                ]
                .into_iter()
                .flatten()
                .collect(),
            })]),
            headline: headline(
                &format!("Request certification {}: ", certification.key),
                &certification.name,
                "",
            ),
            risk: Risk::Medium,
            scope: Scope {
                release: Some(certification.release_id.clone()),
                certification: Some(certification.id.clone()),
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: vec![(certification.id.to_string(), "/certificationId".to_owned())],
            items: Vec::new(),
            result_references: &["certificationId"],
        })
    }
}
