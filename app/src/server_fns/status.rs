//! Reads the state of an action, for an island that got no response to a decision.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::State;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {super::form_response::FormRequest, loopiq::engine::Visit};

/// The state of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state; `None` where there is no such action for this person.
    pub state: Option<State>,
    /// The last event and its actor, or why the state cannot be read.
    pub words: PlainText,
}

/// Reads the state. This does not count as a visit of the action's page. The method is POST so that no cache answers.
#[server(prefix = "/do", endpoint = "action-status")]
pub async fn action_status(
    /// The action's ID.
    #[server(default)]
    id: String,
) -> Result<Status, ServerFnError> {
    let request = FormRequest::from_context()?;
    Ok(
        match request
            .services
            .engine
            .action_page(&request.services.ctx, &id, Visit::Unrecorded)
            .await
        {
            Ok(view) => Status {
                state: Some(view.state),
                words: view.timeline.last().map_or_else(PlainText::default, |step| {
                    format!("{} ({})", step.words, step.actor).into()
                }),
            },
            Err(error) => {
                FormRequest::set_status(&error);
                Status {
                    state: None,
                    words: error.to_string().into(),
                }
            }
        },
    )
}
