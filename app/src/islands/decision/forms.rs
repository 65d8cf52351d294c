//! The panel's forms. Names and values are those of the server functions, so that they work without a script.

use super::Draft;
use super::send::Desk;
use crate::components::textarea::TextArea;
use crate::server_fns::{Ask, Execute, Prune, Reject, Revoke};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::PlainText;

#[component]
pub(super) fn RejectForm(
    desk: Desk,
    id: String,
    digest: String,
    view: String,
    /// Value, words, and whether it is ticked to begin with.
    reasons: Vec<(String, PlainText, bool)>,
    draft: Draft,
) -> impl IntoView {
    // A draft is shown again; otherwise rejecting is folded, so that it is never where approving was a moment ago.
    let open = draft.is_of("reject");
    let draft = draft.of("reject");
    let submit = move |event: SubmitEvent| desk.send("Rejecting…", &event);
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
                <input type="hidden" name="view" value=view />
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
pub(super) fn ExecuteForm(desk: Desk, id: String, view: String) -> impl IntoView {
    let submit = move |event: SubmitEvent| desk.send("Executing…", &event);
    view! {
        <form method="post" action=Execute::url() on:submit=submit>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="view" value=view />
            <p>"It was approved and has not run. Executing applies exactly the change set that was approved, once."</p>
            <button type="submit" class="button primary" aria-disabled=move || desk.busy().to_string()>
                "Execute 1 action"
            </button>
        </form>
    }
    .into_any()
}

#[component]
pub(super) fn RevokeForm(desk: Desk, id: String, view: String, draft: Draft) -> impl IntoView {
    let open = draft.is_of("revoke");
    let draft = draft.of("revoke");
    let submit = move |event: SubmitEvent| desk.send("Revoking…", &event);
    view! {
        <details class="decide-reject" open=open>
            <summary>"Revoke the approval"</summary>
            <form method="post" action=Revoke::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="view" value=view />
                <TextArea id="revoke-text" label="Why (the agent and the audit trail will hold it)" value=draft.text />
                <button type="submit" class="button danger" aria-disabled=move || desk.busy().to_string()>
                    "Revoke 1 approval"
                </button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
pub(super) fn AskForm(desk: Desk, id: String, draft: Draft) -> impl IntoView {
    let open = draft.is_of("ask");
    let draft = draft.of("ask");
    let submit = move |event: SubmitEvent| desk.send("Asking…", &event);
    view! {
        <details class="decide-reject" open=open>
            <summary>"Ask the proposer"</summary>
            <form method="post" action=Ask::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <TextArea id="ask-text" label="What you want to know (the agent reads it, and it stays pending)" value=draft.text />
                <button type="submit" class="button" aria-disabled=move || desk.busy().to_string()>
                    "Ask"
                </button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
pub(super) fn PruneForm(
    desk: Desk,
    id: String,
    digest: String,
    view: String,
    /// Reference and title of each part.
    parts: Vec<(String, PlainText)>,
    draft: Draft,
) -> impl IntoView {
    let open = draft.is_of("prune");
    let draft = draft.of("prune");
    let submit = move |event: SubmitEvent| desk.send("Making a revision…", &event);
    let ticks = parts.into_iter().map(|(name, title)| {
        let ticked = !open || draft.codes.contains(&name);
        view! {
            <label class="tick">
                <input type="checkbox" name="keep[]" value=name checked=ticked />
                <bdi>{title}</bdi>
            </label>
        }
    });
    view! {
        <details class="decide-reject" open=open>
            <summary>"Leave parts out"</summary>
            <form method="post" action=Prune::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="digest" value=digest />
                <input type="hidden" name="view" value=view />
                <p>"Untick what is not wanted. What is left becomes a proposal of its own, for a decision of its own."</p>
                <fieldset>
                    <legend>"Keep"</legend>
                    {ticks.collect_view()}
                </fieldset>
                <TextArea id="prune-text" label="Why (the audit trail will hold it)" value=draft.text />
                <button type="submit" class="button" aria-disabled=move || desk.busy().to_string()>
                    "Make the revision"
                </button>
            </form>
        </details>
    }
    .into_any()
}
