//! The panel's forms. Names and values are those of the server functions, so that they work without a script.

use super::send::Desk;
use super::{Draft, Warning};
use crate::components::textarea::TextArea;
use crate::server_fns::{
    Approve, ApproveAndRun, Execute, Reject, Revoke, approve, approve_and_run, execute, reject, revoke,
};
use leptos::ev::SubmitEvent;
use leptos::form::FromFormData;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// Reads a form for its server function. Where that fails the browser sends the plain form, which works as well.
fn read<T: FromFormData>(event: &SubmitEvent) -> Option<T> {
    let form = T::from_event(event).ok()?;
    event.prevent_default();
    Some(form)
}

/// Whether the form was sent by its second button, which has an address of its own.
fn by_second_button(event: &SubmitEvent) -> bool {
    event
        .submitter()
        .is_some_and(|button| button.has_attribute("formaction"))
}

#[component]
pub(super) fn ApproveForm(
    desk: Desk,
    id: String,
    digest: String,
    warnings: Vec<Warning>,
    you_approve: String,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        if by_second_button(&event) {
            if let Some(ApproveAndRun {
                id,
                digest,
                acknowledged,
            }) = read(&event)
            {
                desk.send("Approving and running…", approve_and_run(id, digest, acknowledged));
            }
        } else if let Some(Approve {
            id,
            digest,
            acknowledged,
        }) = read(&event)
        {
            desk.send("Approving…", approve(id, digest, acknowledged));
        }
    };
    view! {
        <form method="post" action=Approve::url() class="decide-approve" on:submit=submit>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="digest" value=digest />
            <p class="you-approve">{you_approve}</p>
            {(!warnings.is_empty())
                .then(|| {
                    view! {
                        <fieldset class="acknowledge">
                            <legend>"I have looked at each warning"</legend>
                            {warnings.into_iter().map(acknowledgement).collect_view()}
                        </fieldset>
                    }
                })}
            <div class="buttons">
                <button type="submit" class="button primary" aria-disabled=move || desk.busy().to_string()>
                    "Approve"
                </button>
                <button
                    type="submit"
                    class="button"
                    formaction=ApproveAndRun::url()
                    aria-disabled=move || desk.busy().to_string()
                >
                    "Approve and run"
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn acknowledgement(warning: Warning) -> impl IntoView {
    view! {
        <label class="tick">
            <input type="checkbox" name="acknowledged[]" value=warning.mark required />
            <span>
                <span class="quiet">{warning.check} ": "</span>
                <bdi>{warning.message}</bdi>
            </span>
        </label>
    }
    .into_any()
}

#[component]
pub(super) fn RejectForm(
    desk: Desk,
    id: String,
    digest: String,
    /// Value, words, and whether it is ticked to begin with.
    reasons: Vec<(String, String, bool)>,
    draft: Draft,
    open: bool,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        if let Some(Reject {
            id,
            digest,
            codes,
            text,
        }) = read(&event)
        {
            desk.send("Rejecting…", reject(id, digest, codes, text));
        }
    };
    let reasons = reasons.into_iter().map(|(value, words, ticked)| {
        let ticked = if open { draft.codes.contains(&value) } else { ticked };
        view! {
            <label class="tick">
                <input type="checkbox" name="codes[]" value=value checked=ticked />
                <span>{words}</span>
            </label>
        }
    });
    view! {
        <details class="decide-reject" open=open>
            <summary>"Reject"</summary>
            <form method="post" action=Reject::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="digest" value=digest />
                <fieldset>
                    <legend>"What is wrong"</legend>
                    {reasons.collect_view()}
                </fieldset>
                <TextArea
                    id="reject-text"
                    label="Why (the agent and the audit trail will hold it)"
                    value=draft.text.clone()
                />
                <button type="submit" class="button danger" aria-disabled=move || desk.busy().to_string()>
                    "Reject 1 action"
                </button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
pub(super) fn ExecuteForm(desk: Desk, id: String) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        if let Some(Execute { id }) = read(&event) {
            desk.send("Executing…", execute(id));
        }
    };
    view! {
        <form method="post" action=Execute::url() on:submit=submit>
            <input type="hidden" name="id" value=id />
            <p>"It was approved and has not run. Executing applies exactly the change set that was approved, once."</p>
            <button type="submit" class="button primary" aria-disabled=move || desk.busy().to_string()>
                "Execute 1 action"
            </button>
        </form>
    }
    .into_any()
}

#[component]
pub(super) fn RevokeForm(desk: Desk, id: String, draft: Draft, open: bool) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        if let Some(Revoke { id, text }) = read(&event) {
            desk.send("Revoking…", revoke(id, text));
        }
    };
    view! {
        <details class="decide-reject" open=open>
            <summary>"Revoke the approval"</summary>
            <form method="post" action=Revoke::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <TextArea id="revoke-text" label="Why (the agent and the audit trail will hold it)" value=draft.text />
                <button type="submit" class="button danger" aria-disabled=move || desk.busy().to_string()>
                    "Revoke 1 approval"
                </button>
            </form>
        </details>
    }
    .into_any()
}
