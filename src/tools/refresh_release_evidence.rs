//! `loopiq_refresh_release_evidence`: the newest evidence of a provider and kind becomes the current one of a release.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use super::status_changes::change;
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct RefreshReleaseEvidence;

/// The evidence to bring up to date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The release.
    release_id: ReleaseId,
    /// As the evidence names it.
    #[schemars(length(min = 1, max = 1_000))]
    provider: String,
    /// Such as sarif.
    #[schemars(length(min = 1, max = 100))]
    kind: String,
}

impl Tool for RefreshReleaseEvidence {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_refresh_release_evidence";
    const TITLE: &'static str = "Refresh release evidence";
    const DESCRIPTION: &'static str =
        "Proposes that a release uses the newest imported evidence of a provider and kind.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        let mut query = FactsQuery::default().with([&arguments.release_id]);
        query.newest = Some((
            arguments.release_id.clone(),
            arguments.provider.clone(),
            arguments.kind.clone(),
        ));
        query
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let release = errors.require("/releaseId", "release", facts.release(&arguments.release_id));
        let newest = facts
            .all_evidence()
            .filter(|one| {
                one.release_id == arguments.release_id
                    && one.provider == arguments.provider
                    && one.kind == arguments.kind
            })
            .max_by_key(|one| (one.collected_at, one.id.as_str().to_owned()));
        let current = facts.all_current_evidence().next();
        match (newest, current) {
            (None, _) if release.is_some() => {
                errors.add(
                    "/provider",
                    "has no evidence of this kind in this release; import some first",
                );
            }
            (Some(newest), Some(current)) if newest.id == current.evidence_id => {
                errors.add(
                    "/provider",
                    format!("{} is the newest, and current already", newest.key),
                );
            }
            _ => {}
        }
        errors.finish()?;
        let (Some(release), Some(newest)) = (release, newest) else {
            return Err(Vec::new());
        };
        let set = match current {
            Some(current) => Change::Update(Update {
                kind: RecordKind::CurrentEvidence,
                id: current.id.to_string(),
                expected_version: current.version,
                fields: change("evidenceId", json!(current.evidence_id), json!(newest.id))
                    .into_iter()
                    .collect(),
            }),
            None => {
                let id: CurrentEvidenceId = ids.next_id();
                let mut fields = Map::new();
                fields.insert("releaseId".into(), json!(release.id));
                fields.insert("provider".into(), json!(arguments.provider));
                fields.insert("kind".into(), json!(arguments.kind));
                fields.insert("evidenceId".into(), json!(newest.id));
                Change::Create(Create {
                    kind: RecordKind::CurrentEvidence,
                    id: id.to_string(),
                    client_ref: None,
                    fields,
                })
            }
        };
        Ok(Plan {
            change_set: ChangeSet(vec![set]),
            headline: headline(
                &format!("Go by {} of ", newest.key),
                &format!("{} ({})", arguments.provider, arguments.kind),
                &format!(" in {}", release.key),
            ),
            risk: Risk::Low,
            scope: Scope {
                release: Some(release.id.clone()),
                ..Scope::default()
            },
            evidence: vec![newest.id.clone()],
            references: vec![(newest.id.to_string(), "/provider".to_owned())],
            items: Vec::new(),
            result_references: &["releaseId"],
        })
    }
}
