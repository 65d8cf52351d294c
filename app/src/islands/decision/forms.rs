//! The panel's forms. Fields have the names of the server functions' arguments, so that the forms work without a script.

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
    /// Value, label, and whether it is ticked at first.
    reasons: Vec<(String, PlainText, bool)>,
    draft: Draft,
) -> impl IntoView {
    // Rejecting is folded unless there is a draft, so that its button never appears where the approve button was a moment ago.
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
                    <legend>"Reasons"</legend>
                    {reasons.collect_view()}
                </fieldset>
                <TextArea
                    id="reject-text"
                    label="Reason (required; the agent sees it, and it is kept in the audit trail)"
                    value=draft.text.clone()
                />
                <button type="submit" class="button danger" aria-disabled=move || desk.busy().to_string()>
                    "Reject"
                </button>
            </form>
        </details>
    }
    .into_any()
}

#[component]
pub(super) fn ExecuteForm(desk: Desk, id: String, view: String) -> impl IntoView {
    let submit = move |event: SubmitEvent| desk.send("Running…", &event);
    view! {
        <form method="post" action=Execute::url() on:submit=submit>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="view" value=view />
            <p>"Approved, not run. Running applies exactly what was approved, once."</p>
            <button type="submit" class="button primary" aria-disabled=move || desk.busy().to_string()>
                "Run now"
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
            <summary>"Revoke approval"</summary>
            <p>"Revoking ends this action: it is rejected, and the agent can propose it again."</p>
            <form method="post" action=Revoke::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="view" value=view />
                <TextArea id="revoke-text" label="Reason (required; the agent sees it, and it is kept in the audit trail)" value=draft.text />
                <button type="submit" class="button danger" aria-disabled=move || desk.busy().to_string()>
                    "Revoke approval"
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
    let submit = move |event: SubmitEvent| desk.send("Sending the question…", &event);
    view! {
        <details class="decide-reject" open=open>
            <summary>"Ask the proposer"</summary>
            <form method="post" action=Ask::url() on:submit=submit>
                <input type="hidden" name="id" value=id />
                <TextArea id="ask-text" label="Your question (the agent sees it; the action stays pending)" value=draft.text />
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
    /// Reference and title of each part that can be left out.
    parts: Vec<(String, PlainText)>,
    draft: Draft,
) -> impl IntoView {
    let open = draft.is_of("prune");
    let draft = draft.of("prune");
    let submit = move |event: SubmitEvent| desk.send("Creating the revised proposal…", &event);
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
                <p>"Clear what you don't want. The rest becomes a new proposal, which still needs approval. This action is then rejected."</p>
                <fieldset>
                    <legend>"Keep"</legend>
                    {ticks.collect_view()}
                </fieldset>
                <TextArea id="prune-text" label="Reason (kept in the audit trail)" value=draft.text />
                <button type="submit" class="button" aria-disabled=move || desk.busy().to_string()>
                    "Create revised proposal"
                </button>
            </form>
        </details>
    }
    .into_any()
}
