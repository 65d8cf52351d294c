//! `loopiq_request_certification`: asks the people who certify. They grant or refuse it, never an agent.

use super::Tool;
use super::plan::{FieldErrors, NewIds, Plan, PlanPlace};
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
    /// Why it is time, for those who certify.
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
        let mut problems = FieldErrors::default();
        let known = facts.certifications.get(arguments.certification_id.as_str());
        let certification = problems.found("/certificationId", "certification", known);
        if let Some(certification) = certification
            && matches!(
                certification.status,
                CertificationStatus::Requested | CertificationStatus::Granted
            )
        {
            problems.add(
                "/certificationId",
                format!("is {} already", certification.status.as_str()),
            );
        }
        problems.end()?;
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
            headline: format!("Request certification {}", certification.key),
            risk: Risk::Medium,
            place: PlanPlace {
                release: Some(certification.release_id.clone()),
                certification: Some(certification.id.clone()),
                ..PlanPlace::default()
            },
            evidence: Vec::new(),
            references: vec![(certification.id.to_string(), "/certificationId".to_owned())],
        })
    }
}
