//! The forms of the policy page. The session keeps the draft whatever the outcome is.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{Outcome, PolicyReport};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {
    super::form_response::FormRequest,
    crate::drafts::{PolicyDraft, SessionDraft},
    crate::settings_message::SettingsPage,
    loopiq::domain::Permission,
    loopiq::engine::Switched,
};

/// The result of checking a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChecked {
    /// The report; absent if the draft could not be checked.
    pub report: Option<PolicyReport>,
    /// Why it could not be checked; empty otherwise.
    pub message: PlainText,
}

/// Checks a draft without activating it. A plain form is redirected to the page, which shows the report.
#[server(prefix = "/do", endpoint = "check-policy")]
pub async fn check_policy(
    /// The policy as TOML.
    #[server(default)]
    source: String,
    /// The reason for the change.
    #[server(default)]
    note: String,
    /// The version that was active when the person started.
    #[server(default)]
    base: String,
) -> Result<PolicyChecked, ServerFnError> {
    let request = FormRequest::from_context()?;
    let draft = draft(&source, note, &base);
    let services = &request.services;
    let checked = match services.engine.check_policy(&services.ctx, &draft.source).await {
        Ok(report) => PolicyChecked {
            report: Some(report),
            message: PlainText::default(),
        },
        Err(error) => {
            FormRequest::set_status(&error);
            PolicyChecked {
                report: None,
                message: error.to_string().into(),
            }
        }
    };
    if request.is_shown_by_page() {
        keep(&request, &draft).await;
        if checked.report.is_none() {
            let refused = Outcome::new(false, checked.message.clone());
            request.respond_on(SettingsPage::Policy, refused).await;
        } else {
            FormRequest::redirect_to(SettingsPage::Policy.path());
        }
    }
    Ok(checked)
}

/// Activates a policy, unless another version was activated since. A policy that loosens something waits for a second operator.
#[server(prefix = "/do", endpoint = "switch-policy")]
pub async fn switch_policy(
    /// The policy as TOML.
    #[server(default)]
    source: String,
    /// The reason for the change, stored with the version.
    #[server(default)]
    note: String,
    /// The version that was active when the person started.
    #[server(default)]
    base: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let draft = draft(&source, note, &base);
    let services = &request.services;
    let switched = services
        .engine
        .switch_policy(&services.ctx, &draft.source, &draft.note, draft.base)
        .await;
    let outcome = match switched {
        Ok(Switched::Same(version)) => Outcome::new(
            true,
            format!("Version {version} is the same and already active. Nothing was changed."),
        ),
        Ok(Switched::InForce(version)) => Outcome::new(true, format!("Version {version} is now active.")),
        Ok(Switched::Waits(asked, _)) => Outcome::new(
            true,
            format!(
                "The draft loosens the policy, so request {} is waiting for a second operator. Version {} stays active until then. {}",
                asked.id,
                draft.base,
                asked.next()
            ),
        ),
        Err(error) => {
            FormRequest::set_status(&error);
            Outcome::new(false, error.to_string())
        }
    };
    if request.is_shown_by_page() {
        if outcome.done {
            PolicyDraft::discard(request.session()).await;
        } else {
            keep(&request, &draft).await;
        }
    }
    Ok(request.respond_on(SettingsPage::Policy, outcome).await)
}

/// Discards the draft in the session. The policy does not change.
#[server(prefix = "/do", endpoint = "discard-policy-draft")]
pub async fn discard_policy_draft() -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    PolicyDraft::discard(request.session()).await;
    let outcome = Outcome::new(true, "Draft discarded. This is the active policy.");
    Ok(request.respond_on(SettingsPage::Policy, outcome).await)
}

/// The draft that was sent. Browsers end the lines of a text area with CR LF, which would make every line differ from the active policy. A base
/// that is not a number becomes version 0, which the engine refuses.
#[cfg(feature = "ssr")]
fn draft(source: &str, note: String, base: &str) -> PolicyDraft {
    PolicyDraft {
        source: source.replace("\r\n", "\n"),
        note,
        base: base.parse().unwrap_or_default(),
    }
}

/// Stores the draft if the person is allowed to see it on the page.
#[cfg(feature = "ssr")]
async fn keep(request: &FormRequest, draft: &PolicyDraft) {
    if request.services.may(Permission::Configure) {
        draft.put(request.session()).await;
    }
}
