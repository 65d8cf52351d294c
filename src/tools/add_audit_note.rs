//! `loopiq_add_audit_note`: a note bound to an action. No entry of the audit log is ever changed.

use super::Tool;
use super::headline::headline;
use super::plan::{FieldErrors, NewIds, Plan, Scope};
use crate::domain::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

pub(super) struct AddAuditNote;

/// A note on an action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments {
    // The action, in any state.
    action_id: ActionId,
    /// What later readers should know.
    #[schemars(length(min = 1, max = 2_000))]
    text: String,
}

impl Tool for AddAuditNote {
    type Arguments = Arguments;
    const NAME: &'static str = "loopiq_add_audit_note";
    const TITLE: &'static str = "Add audit note";
    const DESCRIPTION: &'static str =
        "Proposes a note on an action, for later readers. The note changes no audit entry.";
    const VERSION: u32 = 1;

    fn needs(arguments: &Arguments) -> FactsQuery {
        FactsQuery::default().with([&arguments.action_id])
    }

    fn plan(arguments: &Arguments, facts: &Facts, ids: &mut NewIds<'_>) -> Result<Plan, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let action = errors.require("/actionId", "action", facts.action(&arguments.action_id));
        errors.finish()?;
        let Some(action) = action else {
            return Err(Vec::new());
        };
        let id: AuditNoteId = ids.next_id();
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
            // Without the action's own headline, because the proposer may have no right to see that action.
            headline: headline("Add a note to an action", "", ""),
            risk: Risk::Low,
            scope: Scope {
                release: action.release_id.clone(),
                team: action.team_id.clone(),
                ..Scope::default()
            },
            evidence: Vec::new(),
            references: vec![(action.id.to_string(), "/actionId".to_owned())],
            items: Vec::new(),
            result_references: &["actionId"],
        })
    }
}
