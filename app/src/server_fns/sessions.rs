//! The forms that end sessions.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {super::form_response::FormRequest, crate::settings_message::SettingsPage, loopiq::domain::PersonId};

/// Ends a session: one's own, or as an operator that of another person.
#[server(prefix = "/do", endpoint = "end-session")]
pub async fn end_session(
    /// The session's name.
    #[server(default)]
    id: String,
    /// The person on whose page the form is; empty on the page of one's own sessions.
    #[server(default)]
    person: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.end_session(&services.ctx, &id).await;
    Ok(respond(&request, &person, FormRequest::outcome(outcome)).await)
}

/// Ends all sessions of a person, as an operator.
#[server(prefix = "/do", endpoint = "end-sessions")]
pub async fn end_sessions(
    /// The person.
    #[server(default)]
    person: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.end_sessions_of(&services.ctx, &person).await;
    Ok(respond(&request, &person, FormRequest::outcome(outcome)).await)
}

/// Ends all sessions of the signed-in person, also the one that asks.
#[server(prefix = "/do", endpoint = "sign-out-everywhere")]
pub async fn sign_out_everywhere() -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = FormRequest::outcome(services.engine.sign_out_everywhere(&services.ctx).await);
    if request.is_plain() && outcome.done {
        FormRequest::redirect_to("/logout");
    }
    Ok(outcome)
}

/// Responds on the page of the person, or on that of one's own sessions.
#[cfg(feature = "ssr")]
async fn respond(request: &FormRequest, person: &str, outcome: Outcome) -> Outcome {
    // Text that is not an ID never becomes part of a Location header.
    match PersonId::parse(person) {
        Ok(person) => {
            let path = format!("{}/{person}", SettingsPage::Access.path());
            request.respond_at(SettingsPage::Access, &path, outcome).await
        }
        Err(_) => request.respond_on(SettingsPage::Sessions, outcome).await,
    }
}
