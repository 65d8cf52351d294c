//! The forms of the policy's page. What was written stays in the session, whatever becomes of it.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{Outcome, PolicyReport};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {
    super::answer::Door, crate::policy_draft::PolicyDraft, crate::said::Page, loopiq::domain::Permission,
    loopiq::engine::Switched,
};

/// What a check of a policy found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChecked {
    /// What it would mean; nothing where it could not be checked.
    pub report: Option<PolicyReport>,
    /// Why it could not; empty otherwise.
    pub message: PlainText,
}

/// Checks a policy without switching it on. A plain form is led to the page, which says what was found.
#[server(prefix = "/do", endpoint = "check-policy")]
pub async fn check_policy(
    /// The policy as TOML.
    #[server(default)]
    source: String,
    /// Why it should be in force.
    #[server(default)]
    note: String,
    /// The version that was in force when the person began.
    #[server(default)]
    base: String,
) -> Result<PolicyChecked, ServerFnError> {
    let door = Door::open()?;
    let draft = draft(&source, note, &base);
    let services = &door.services;
    let checked = match services.engine.check_policy(&services.ctx, &draft.source).await {
        Ok(report) => PolicyChecked {
            report: Some(report),
            message: PlainText::default(),
        },
        Err(error) => {
            Door::refused(&error);
            PolicyChecked {
                report: None,
                message: error.to_string().into(),
            }
        }
    };
    if door.is_plain() && !Door::is_denied() {
        if checked.report.is_none() {
            Page::Policy
                .say(door.session(), &outcome(false, checked.message.clone()))
                .await;
        }
        keep(&door, &draft).await;
        to_the_page();
    }
    Ok(checked)
}

/// Switches a policy on, if nobody has switched on another one since. One that loosens something waits for a second operator.
#[server(prefix = "/do", endpoint = "switch-policy")]
pub async fn switch_policy(
    /// The policy as TOML.
    #[server(default)]
    source: String,
    /// Why, kept with the version.
    #[server(default)]
    note: String,
    /// The version that was in force when the person began.
    #[server(default)]
    base: String,
) -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    let draft = draft(&source, note, &base);
    let services = &door.services;
    let switched = services
        .engine
        .switch_policy(&services.ctx, &draft.source, &draft.note, draft.base)
        .await;
    let outcome = match switched {
        Ok(Switched::Same(version)) => outcome(
            true,
            format!("Version {version} says the same and is in force already, so nothing was changed."),
        ),
        Ok(Switched::InForce(version)) => outcome(true, format!("Version {version} is in force now.")),
        Ok(Switched::Waits(asked, _)) => outcome(
            true,
            format!(
                "Request {} waits for a second operator, because it loosens something; version {} stays in force until then. {}",
                asked.id,
                draft.base,
                asked.next()
            ),
        ),
        Err(error) => {
            Door::refused(&error);
            outcome(false, error.to_string())
        }
    };
    if door.is_plain() && !Door::is_denied() {
        Page::Policy.say(door.session(), &outcome).await;
        if outcome.done {
            PolicyDraft::discard(door.session()).await;
        } else {
            keep(&door, &draft).await;
        }
        to_the_page();
    }
    Ok(outcome)
}

/// Throws away the draft that the session keeps. The policy is not touched.
#[server(prefix = "/do", endpoint = "discard-policy-draft")]
pub async fn discard_policy_draft() -> Result<Outcome, ServerFnError> {
    let door = Door::open()?;
    PolicyDraft::discard(door.session()).await;
    let outcome = outcome(true, "The draft is gone. This is the policy in force.".to_owned());
    if door.is_plain() && !Door::is_denied() {
        Page::Policy.say(door.session(), &outcome).await;
        to_the_page();
    }
    Ok(outcome)
}

/// What was sent. Browsers end each line of a text area with CR LF; the policy in force would differ in every line. A base that is no
/// number is the version of nobody, which the engine refuses.
#[cfg(feature = "ssr")]
fn draft(source: &str, note: String, base: &str) -> PolicyDraft {
    PolicyDraft {
        source: source.replace("\r\n", "\n"),
        note,
        base: base.parse().unwrap_or_default(),
    }
}

/// Keeps what was written, for those whom the page would show it.
#[cfg(feature = "ssr")]
async fn keep(door: &Door, draft: &PolicyDraft) {
    if door.services.may(Permission::Configure) {
        draft.put(door.session()).await;
    }
}

#[cfg(feature = "ssr")]
fn outcome(done: bool, message: impl Into<PlainText>) -> Outcome {
    Outcome {
        done,
        message: message.into(),
        state: None,
        successor: None,
    }
}

#[cfg(feature = "ssr")]
fn to_the_page() {
    Door::lead(Page::Policy.path());
}
