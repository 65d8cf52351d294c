//! The draft of a catalog, kept in the session until it is applied or discarded. It never becomes part of a URL.

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

const DRAFT: &str = "catalog-draft";

/// A catalog that an operator has written and not applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogDraft {
    /// The YAML.
    pub(crate) source: String,
    /// Whether records that the catalog does not declare are retired.
    pub(crate) prune: bool,
}

impl CatalogDraft {
    /// Stores the draft and replaces an earlier one.
    pub(crate) async fn put(&self, session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.insert(DRAFT, self).await
        {
            tracing::warn!(%error, "a draft of the catalog could not be stored");
        }
    }

    /// The stored draft.
    pub(crate) async fn get(session: Option<&Session>) -> Option<Self> {
        session?.get(DRAFT).await.ok().flatten()
    }

    /// Removes the draft from the session.
    pub(crate) async fn discard(session: Option<&Session>) {
        if let Some(session) = session
            && let Err(error) = session.remove_value(DRAFT).await
        {
            tracing::warn!(%error, "a draft of the catalog could not be removed");
        }
    }
}
