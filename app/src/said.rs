//! What became of a settings page's form, kept in the session until that page has shown it once. Never in the URL.

use loopiq::views::Outcome;
use tower_sessions::Session;

/// The page that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// `/settings/policy`.
    Policy,
    /// `/settings/requests`.
    Requests,
}

impl Page {
    /// Where the page is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Page::Policy => "/settings/policy",
            Page::Requests => "/settings/requests",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Page::Policy => "policy-said",
            Page::Requests => "requests-said",
        }
    }

    /// Keeps what became of a form for the next showing of the page.
    pub(crate) async fn say(self, session: Option<&Session>, outcome: &Outcome) {
        if let Some(session) = session
            && let Err(error) = session.insert(self.key(), outcome).await
        {
            tracing::warn!(%error, "the message for the next page could not be kept");
        }
    }

    /// Takes what was kept to be said.
    pub(crate) async fn said(self, session: Option<&Session>) -> Option<Outcome> {
        let session = session?;
        let outcome = session.get(self.key()).await.ok().flatten()?;
        if let Err(error) = session.remove_value(self.key()).await {
            tracing::warn!(%error, "a message that was shown could not be removed");
        }
        Some(outcome)
    }
}
