//! The outcome of a decision, kept in the session until the action's page has shown it once. It never becomes part of a URL.

use crate::islands::Draft;
use loopiq::views::Outcome;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const KEY: &str = "flash";

/// A message for the next visit of one action's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flash {
    /// The action that the message is about.
    pub(crate) action: String,
    /// The outcome of the decision.
    pub(crate) outcome: Outcome,
    /// What the person typed. The page puts it back into the form if the decision was refused.
    pub(crate) draft: Draft,
}

impl Flash {
    /// Stores the message. If the session cannot be written, the message is lost, never the decision.
    pub(crate) async fn put(self, session: Option<Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(KEY, self).await
        {
            tracing::warn!(%error, "the message for the next page could not be stored");
        }
    }

    /// Takes the message for this action out of the session. A message for another action stays there for that action's page.
    pub(crate) async fn take(session: Option<Session>, action: &str) -> Option<Flash> {
        let session = session?;
        let flash: Flash = session.get(KEY).await.ok().flatten()?;
        if flash.action != action {
            return None;
        }
        if let Err(error) = session.remove_value(KEY).await {
            tracing::warn!(%error, "a message that was shown could not be removed");
        }
        Some(flash)
    }
}
