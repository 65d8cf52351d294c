//! The form that revokes a client or a token. The forms that show a secret are in the server, because an outcome is kept in the session.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {super::form_response::FormRequest, crate::settings_message::SettingsPage};

/// Revokes the access of a client: one's own, or as an operator any of the tenant.
#[server(prefix = "/do", endpoint = "revoke-grant")]
pub async fn revoke_grant(
    /// The grant.
    #[server(default)]
    id: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = FormRequest::outcome(services.engine.revoke_grant(&services.ctx, &id).await);
    Ok(request.respond_on(SettingsPage::Clients, outcome).await)
}
