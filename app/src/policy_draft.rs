//! The draft of a policy, kept in the session until it is active or discarded, so that an operator who opens another page loses nothing.
//! It never becomes part of a URL.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const DRAFT: &str = "policy-draft";

/// A policy that an operator has written and not activated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyDraft {
    /// The policy.
    pub(crate) source: String,
    /// The reason for the change.
    pub(crate) note: String,
    /// The version that was active when the operator started.
    pub(crate) base: i64,
}

impl PolicyDraft {
    /// Stores the draft and replaces an earlier one.
    pub(crate) async fn put(&self, session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(DRAFT, self).await
        {
            tracing::warn!(%error, "a draft of the policy could not be stored");
        }
    }

    /// The stored draft.
    pub(crate) async fn get(session: Option<&Session>) -> Option<Self> {
        session?.get(DRAFT).await.ok().flatten()
    }

    /// Removes the draft from the session.
    pub(crate) async fn discard(session: Option<&Session>) {
        remove(session, DRAFT).await;
    }
}

async fn remove(session: Option<&Session>, key: &str) {
    if let Some(session) = session
        && let Err(error) = session.remove_value(key).await
    {
        tracing::warn!(%error, key, "a value could not be removed from the session");
    }
}
