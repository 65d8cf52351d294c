//! What became of a decision, kept in the session until the action's page has shown it once. Never in the URL.

use crate::islands::Draft;
use loopiq::views::Outcome;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const KEY: &str = "flash";

/// A message for the next showing of one action's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flash {
    /// The action it speaks of.
    pub(crate) action: String,
    /// What became of the decision.
    pub(crate) outcome: Outcome,
    /// What the person had typed, to be put back when it was refused.
    pub(crate) draft: Draft,
}

impl Flash {
    /// Keeps it. A session that cannot be written costs the message, never the decision.
    pub(crate) async fn put(self, session: Option<Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(KEY, self).await
        {
            tracing::warn!(%error, "the message for the next page could not be kept");
        }
    }

    /// Takes the message for this action, if there is one. A message for another action stays for its own page.
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
