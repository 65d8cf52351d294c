//! What a person has typed on a settings page, kept in the session until it is used or discarded, so that a refusal or another page loses
//! nothing. It never becomes part of a URL.

use crate::islands::Draft;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

/// A draft. The session has one of each kind.
pub(crate) trait SessionDraft: Serialize + DeserializeOwned + Send + Sync {
    /// Its key in the session.
    const KEY: &'static str;

    /// Stores the draft and replaces an earlier one.
    async fn put(&self, session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(Self::KEY, self).await
        {
            tracing::warn!(%error, key = Self::KEY, "a draft could not be stored");
        }
    }

    /// The stored draft.
    async fn get(session: Option<&Session>) -> Option<Self> {
        session?.get(Self::KEY).await.ok().flatten()
    }

    /// Removes the draft from the session.
    async fn discard(session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.remove_value(Self::KEY).await
        {
            tracing::warn!(%error, key = Self::KEY, "a draft could not be removed");
        }
    }
}

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

impl SessionDraft for PolicyDraft {
    const KEY: &'static str = "policy-draft";
}

/// A catalog that an operator has written and not applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogDraft {
    /// The YAML.
    pub(crate) source: String,
    /// Whether records that the catalog does not declare are retired.
    pub(crate) prune: bool,
}

impl SessionDraft for CatalogDraft {
    const KEY: &'static str = "catalog-draft";
}

/// What a person entered for an approval that requires another sign-in first. It is kept until the action is decided, or another approval
/// requires a sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApprovalDraft {
    /// The action's ID.
    pub(crate) action: String,
    /// What the person typed, acknowledged and opened.
    pub(crate) draft: Draft,
}

impl SessionDraft for ApprovalDraft {
    const KEY: &'static str = "approval-draft";
}

impl ApprovalDraft {
    /// The draft of this action.
    pub(crate) async fn of(session: Option<&Session>, action: &str) -> Option<Draft> {
        let kept = Self::get(session).await?;
        (kept.action == action).then_some(kept.draft)
    }
}

/// The release about which the person has just sent a form, so that the page shows the outcome in its card.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastRelease {
    /// The ID of the release.
    pub(crate) release: String,
}

impl SessionDraft for LastRelease {
    const KEY: &'static str = "last-release";
}

/// The reason for a decision about a certification that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReasonDraft {
    /// The ID of the certification.
    pub(crate) certification: String,
    /// The reason.
    pub(crate) reason: String,
}

impl SessionDraft for ReasonDraft {
    const KEY: &'static str = "reason-draft";
}
