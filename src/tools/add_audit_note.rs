//! `loopiq_add_audit_note`: a note bound to an action. No entry of the audit log is ever changed.

use super::Tool;
use super::plan::{FieldErrors, NewIds, Plan, PlanPlace};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct AddAuditNote;

/// A note on an action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    /// The action, whatever became of it.
    action_id: ActionId,
    /// What somebody who looks at it later should know, in plain text.
    #[schemars(length(min = 1, max = 2_000))]
    text: String,
}

impl Tool for AddAuditNote {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_add_audit_note";
    const TITLE: &'static str = "Add audit note";
    const DESCRIPTION: &'static str =
        "Proposes a note on an action, for whoever looks at it later. No audit entry is changed by it.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default().with([&arguments.action_id])
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut problems = FieldErrors::default();
        let action = problems.found("/actionId", "action", facts.actions.get(arguments.action_id.as_str()));
        problems.end()?;
        let Some(action) = action else {
            return Err(Vec::new());
        };
        let id: AuditNoteId = ids.give();
        let mut fields = Map::new();
        fields.insert("actionId".into(), json!(action.id));
        fields.insert("text".into(), json!(arguments.text));
        Ok(Plan {
            change_set: ChangeSet(vec![Change::Create(Create {
                kind: RecordKind::AuditNote,
                id: id.to_string(),
                client_ref: None,
                fields,
            })]),
            // Without the action's own headline: whoever proposes may not be one of those who see it.
            headline: "Add a note to an action".to_owned(),
            risk: Risk::Low,
            place: PlanPlace {
                release: action.release_id.clone(),
                team: action.team_id.clone(),
                ..PlanPlace::default()
            },
            evidence: Vec::new(),
            references: vec![(action.id.to_string(), "/actionId".to_owned())],
        })
    }
}
