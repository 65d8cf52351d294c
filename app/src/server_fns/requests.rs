//! The forms of the page of operator requests.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {super::form_response::FormRequest, crate::settings_message::SettingsPage};

/// Confirms a request of another operator, which carries it out.
#[server(prefix = "/do", endpoint = "confirm-request")]
pub async fn confirm_request(
    /// The request.
    #[server(default)]
    id: String,
    /// The value that the page's form carries.
    #[server(default)]
    view: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.confirm_request(&services.ctx, &id, &view).await;
    let outcome = FormRequest::outcome(outcome);
    Ok(request.respond_on(SettingsPage::Requests, outcome).await)
}

/// Declines a request of another operator.
#[server(prefix = "/do", endpoint = "decline-request")]
pub async fn decline_request(
    /// The request.
    #[server(default)]
    id: String,
    /// The reason.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.decline_request(&services.ctx, &id, &text).await;
    let outcome = FormRequest::outcome(outcome);
    Ok(request.respond_on(SettingsPage::Requests, outcome).await)
}

/// Withdraws a request of the same operator.
#[server(prefix = "/do", endpoint = "withdraw-request")]
pub async fn withdraw_request(
    /// The request.
    #[server(default)]
    id: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.withdraw_request(&services.ctx, &id).await;
    let outcome = FormRequest::outcome(outcome);
    Ok(request.respond_on(SettingsPage::Requests, outcome).await)
}

/// Asks a second operator to confirm that two accounts belong to the same person, or to two.
#[server(prefix = "/do", endpoint = "link-people")]
pub async fn link_people(
    /// One account.
    #[server(default)]
    one: String,
    /// The other account.
    #[server(default)]
    other: String,
    /// `same` or `different`.
    #[server(default)]
    whose: String,
    /// How the operator knows.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let same = match whose.as_str() {
        "same" => Some(true),
        "different" => Some(false),
        _ => None,
    };
    let asked = services
        .engine
        .request_link(&services.ctx, &one, &other, same, &text)
        .await;
    let outcome = asked.map(|asked| {
        let message = format!(
            "Request {} is waiting for a second operator. {}",
            asked.id,
            asked.next()
        );
        Outcome::new(true, message)
    });
    let outcome = FormRequest::outcome(outcome);
    Ok(request.respond_on(SettingsPage::Requests, outcome).await)
}
