//! Reading an action's state, for an island whose answer was lost.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::State;
use loopiq::engine::Visit;
use serde::{Deserialize, Serialize};

/// Where an action stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state; `None` where there is no such action for this person.
    pub state: Option<State>,
    /// What happened last and who did it, or why it cannot be told.
    pub words: PlainText,
}

/// Reads it. Nobody counts as having seen the action by this. It is a POST only so that no cache answers it.
#[server(prefix = "/do", endpoint = "action-status")]
pub async fn action_status(
    /// The action's ID.
    #[server(default)]
    id: String,
) -> Result<Status, ServerFnError> {
    let door = super::answer::Door::open()?;
    Ok(
        match door
            .services
            .engine
            .action_page(&door.services.ctx, &id, Visit::Unrecorded)
            .await
        {
            Ok(view) => Status {
                state: Some(view.state),
                words: view.timeline.last().map_or_else(PlainText::default, |step| {
                    format!("{} ({})", step.words, step.actor).into()
                }),
            },
            Err(error) => {
                super::answer::Door::refused(&error);
                Status {
                    state: None,
                    words: error.to_string().into(),
                }
            }
        },
    )
}
