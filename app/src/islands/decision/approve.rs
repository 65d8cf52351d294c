//! The approval form. For an approval of high risk, the reviewer opens the sections of the page and types a word.

use super::foldable_sections::{FoldableSections, open_all};
use super::send::Desk;
use super::{Draft, Warning};
use crate::server_fns::{Approve, ApproveAndRun};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::PlainText;
use loopiq::views::StepUpNote;

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
    view: String,
    warnings: Vec<Warning>,
    you_approve: PlainText,
    /// The word to type, where one is asked for.
    word: Option<String>,
    /// What the policy requires of the person's sign-in.
    step_up: Option<StepUpNote>,
    /// Whether it may be run at once.
    run: bool,
    /// What the person entered before signing in again.
    draft: Draft,
) -> impl IntoView {
    let Some(word) = word else {
        let fields = view! { <Fields id digest view warnings you_approve word=None step_up draft /> }.into_any();
        return view! { <Sent desk fields sections=None run /> }.into_any();
    };
    let sections = FoldableSections::watch(draft.opened.clone());
    view! {
        {move || {
            if sections.alive.get() {
                let fields = view! {
                    <Fields
                        id=id.clone()
                        digest=digest.clone()
                        view=view.clone()
                        warnings=warnings.clone()
                        you_approve=you_approve.clone()
                        word=Some(word.clone())
                        step_up=step_up.clone()
                        draft=draft.clone()
                    />
                }
                    .into_any();
                view! { <Sent desk fields sections=Some(sections) run /> }.into_any()
            } else {
                view! {
                    <div class="decide-approve">
                        <p class="you-approve">{you_approve.clone()}</p>
                        <p>"High risk: approval has a separate confirmation page."</p>
                        {step_up.clone().map(sign_in_note)}
                        <div class="buttons">
                            <a class="button" href=format!("/actions/{id}/confirm")>
                                "Continue"
                            </a>
                        </div>
                    </div>
                }
                    .into_any()
            }
        }}
    }
    .into_any()
}

/// The form, sent in place.
#[component]
fn Sent(desk: Desk, fields: AnyView, sections: Option<FoldableSections>, run: bool) -> impl IntoView {
    let closed = move || sections.map(FoldableSections::closed).unwrap_or_default();
    let submit = move |event: SubmitEvent| {
        let closed = closed();
        if !closed.is_empty() {
            event.prevent_default();
            let titles: Vec<&str> = closed.iter().map(|section| section.title.as_str()).collect();
            desk.refuse(format!("Not sent. First open: {}.", titles.join(", ")).into());
        } else if by_second_button(&event) {
            desk.send("Approving and running…", &event);
        } else {
            desk.send("Approving…", &event);
        }
    };
    let opened = move || sections.map(|sections| sections.opened.get()).unwrap_or_default();
    view! {
        <form method="post" action=Approve::url() class="decide-approve" on:submit=submit>
            {fields}
            {move || {
                opened()
                    .into_iter()
                    .map(|id| view! { <input type="hidden" name="opened[]" value=id /> })
                    .collect_view()
            }}
            {move || {
                let closed = closed();
                (!closed.is_empty())
                    .then(|| {
                        view! {
                            <p class="folded">
                                {match closed.len() {
                                    1 => "1 section is still closed. ".to_owned(),
                                    count => format!("{count} sections are still closed. "),
                                }}
                                <button type="button" class="button" on:click=move |_| open_all()>
                                    "Open them"
                                </button>
                            </p>
                        }
                    })
            }}
            <div class="buttons">
                <button type="submit" class="button primary" aria-disabled=move || desk.busy().to_string()>
                    "Approve"
                </button>
                {run
                    .then(|| {
                        view! {
                            <button
                                type="submit"
                                class="button"
                                formaction=ApproveAndRun::url()
                                aria-disabled=move || desk.busy().to_string()
                            >
                                "Approve and run"
                            </button>
                        }
                    })}
            </div>
        </form>
    }
    .into_any()
}

/// What an approval is made of: which action, what was looked at, and the word. Also for the page that asks for it without a script.
#[component]
pub fn Fields(
    /// The action's ID.
    id: String,
    /// The digest that the approval names.
    digest: String,
    /// The value that ties the form to this person's view of the page.
    view: String,
    /// The warnings that an approval has to acknowledge.
    warnings: Vec<Warning>,
    /// What one would be agreeing to.
    you_approve: PlainText,
    /// The word to type, where one is asked for.
    word: Option<String>,
    /// What the policy requires of the person's sign-in.
    step_up: Option<StepUpNote>,
    /// What the person entered before signing in again.
    draft: Draft,
) -> impl IntoView {
    let Draft {
        text: typed,
        codes: ticked,
        ..
    } = draft;
    let acknowledgement = move |warning: Warning| {
        let checked = ticked.contains(&warning.mark);
        acknowledgement(warning, checked)
    };
    view! {
        <input type="hidden" name="id" value=id />
        <input type="hidden" name="digest" value=digest />
        <input type="hidden" name="view" value=view />
        <p class="you-approve">{you_approve}</p>
        {(!warnings.is_empty())
            .then(|| {
                view! {
                    <fieldset class="acknowledge">
                        <legend>"Acknowledge each warning"</legend>
                        {warnings.into_iter().map(acknowledgement).collect_view()}
                    </fieldset>
                }
            })}
        {word
            .map(|word| {
                view! {
                    <div class="field typed">
                        <label for="typed">"Type " <kbd>{word}</kbd> " to confirm"</label>
                        <input
                            id="typed"
                            name="typed"
                            type="text"
                            value=typed
                            required
                            autocomplete="off"
                            autocapitalize="off"
                            spellcheck="false"
                        />
                    </div>
                }
            })}
        {step_up.map(sign_in_note)}
    }
    .into_any()
}

/// What the person should know about the sign-in before approving.
fn sign_in_note(note: StepUpNote) -> impl IntoView {
    view! { <p class=if note.again { "step-up" } else { "quiet" }>{note.message}</p> }.into_any()
}

fn acknowledgement(warning: Warning, checked: bool) -> impl IntoView {
    view! {
        <label class="tick">
            <input type="checkbox" name="acknowledged[]" value=warning.mark checked=checked required />
            <span>
                <span class="quiet">{warning.check} ": "</span>
                <bdi>{warning.message}</bdi>
            </span>
        </label>
    }
    .into_any()
}
