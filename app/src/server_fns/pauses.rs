//! The forms that pause agents, a tool or a client, and resume.

use leptos::prelude::*;
use loopiq::views::Outcome;

#[cfg(feature = "ssr")]
use {super::form_response::FormRequest, crate::settings_message::SettingsPage};

/// Pauses what `target` names, as a lead or an operator.
#[server(prefix = "/do", endpoint = "pause-agents")]
pub async fn pause_agents(
    /// `agents`, `tool:NAME` or `client:ID`.
    #[server(default)]
    target: String,
    /// Why, for agents and people.
    #[server(default)]
    reason: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.pause(&services.ctx, &target, &reason).await;
    Ok(request
        .respond_on(SettingsPage::Pauses, FormRequest::outcome(outcome))
        .await)
}

/// Ends a pause, as an operator.
#[server(prefix = "/do", endpoint = "resume-agents")]
pub async fn resume_agents(
    /// `agents`, `tool:NAME` or `client:ID`.
    #[server(default)]
    target: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let outcome = services.engine.resume(&services.ctx, &target).await;
    Ok(request
        .respond_on(SettingsPage::Pauses, FormRequest::outcome(outcome))
        .await)
}
