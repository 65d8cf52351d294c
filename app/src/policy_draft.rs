//! A policy that is being written, kept in the session until it is in force or thrown away, so that looking at something else in
//! between loses nothing. Never in the URL.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const DRAFT: &str = "policy-draft";

/// What somebody has written and not switched on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyDraft {
    /// The policy.
    pub(crate) source: String,
    /// Why it should be in force.
    pub(crate) note: String,
    /// The version that was in force when they began.
    pub(crate) base: i64,
}

impl PolicyDraft {
    /// Keeps it, in place of one before.
    pub(crate) async fn put(&self, session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(DRAFT, self).await
        {
            tracing::warn!(%error, "a draft of the policy could not be kept");
        }
    }

    /// The one that is kept.
    pub(crate) async fn get(session: Option<&Session>) -> Option<Self> {
        session?.get(DRAFT).await.ok().flatten()
    }

    /// Throws it away.
    pub(crate) async fn discard(session: Option<&Session>) {
        remove(session, DRAFT).await;
    }
}

async fn remove(session: Option<&Session>, key: &str) {
    if let Some(session) = session
        && let Err(error) = session.remove_value(key).await
    {
        tracing::warn!(%error, key, "what the session kept could not be removed");
    }
}
