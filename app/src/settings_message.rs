//! The outcome of a form on a settings page, kept in the session until that page has shown it once. It never becomes part of a URL.

use loopiq::views::Outcome;
use tower_sessions::Session;

/// A settings page that shows the outcome of its own forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingsPage {
    /// `/settings/catalog`.
    Catalog,
    /// `/settings/policy`.
    Policy,
    /// `/settings/requests`.
    Requests,
    /// `/settings/sessions`.
    Sessions,
    /// `/settings/clients`.
    Clients,
    /// `/settings/pauses`.
    Pauses,
    /// `/settings/access`, and the pages of people below it.
    Access,
}

impl SettingsPage {
    /// The path of the page.
    pub(crate) fn path(self) -> &'static str {
        match self {
            SettingsPage::Catalog => "/settings/catalog",
            SettingsPage::Policy => "/settings/policy",
            SettingsPage::Requests => "/settings/requests",
            SettingsPage::Sessions => "/settings/sessions",
            SettingsPage::Clients => "/settings/clients",
            SettingsPage::Pauses => "/settings/pauses",
            SettingsPage::Access => "/settings/access",
        }
    }

    fn key(self) -> &'static str {
        match self {
            SettingsPage::Catalog => "catalog-message",
            SettingsPage::Policy => "policy-message",
            SettingsPage::Requests => "requests-message",
            SettingsPage::Sessions => "sessions-message",
            SettingsPage::Clients => "clients-message",
            SettingsPage::Pauses => "pauses-message",
            SettingsPage::Access => "access-message",
        }
    }

    /// Stores the outcome for the next visit of the page.
    pub(crate) async fn store_message(self, session: Option<&Session>, outcome: &Outcome) {
        if let Some(session) = session
            && let Err(error) = session.insert(self.key(), outcome).await
        {
            tracing::warn!(%error, "the message for the next page could not be stored");
        }
    }

    /// Takes the stored outcome out of the session.
    pub(crate) async fn take_message(self, session: Option<&Session>) -> Option<Outcome> {
        let session = session?;
        let outcome = session.get(self.key()).await.ok().flatten()?;
        if let Err(error) = session.remove_value(self.key()).await {
            tracing::warn!(%error, "a message that was shown could not be removed");
        }
        Some(outcome)
    }
}
