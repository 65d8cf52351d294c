//! The decision panel: plain forms on the server functions. With a script they are sent in place and keep their draft.

mod approve;
mod forms;
mod parts;
mod post;
mod send;

pub use self::approve::Fields;

use self::approve::ApproveForm;
use self::forms::{AskForm, ExecuteForm, PruneForm, RejectForm, RevokeForm};
use self::send::{Desk, Phase};
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::State;
use loopiq::views::Panel;
use serde::{Deserialize, Serialize};

/// A warning: approving takes an acknowledgement of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What an acknowledgement names.
    pub mark: String,
    /// The check that warns.
    pub check: String,
    /// What it found.
    pub message: PlainText,
}

/// What somebody had typed when a rejection (or a revocation) was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Their text.
    pub text: String,
    /// What they had ticked: reason codes, or parts to keep.
    pub codes: Vec<String>,
    /// The form that it stood in, by the name of its address.
    pub form: String,
}

impl Draft {
    /// Whether it stood in this form.
    pub(crate) fn is_of(&self, form: &str) -> bool {
        self.form == form && (!self.text.is_empty() || !self.codes.is_empty())
    }

    /// What stood in this form; nothing, if it was another.
    pub(crate) fn of(self, form: &str) -> Draft {
        if self.form == form { self } else { Draft::default() }
    }
}

/// Everything a person can do to the action now, and why not where they can't.
#[island]
pub fn DecisionPanel(
    /// The action's ID.
    id: String,
    /// The digest that an approval names.
    digest: String,
    /// The value that ties the forms to this person's view of the page; empty where no view was recorded.
    view: String,
    /// The state that the page shows.
    state: State,
    /// What the person can do.
    panel: Panel,
    /// What approving needs an acknowledgement of.
    warnings: Vec<Warning>,
    /// What was typed before, if it was refused.
    draft: Draft,
) -> impl IntoView {
    let desk = Desk::new(id.clone(), state);
    let nothing = !(panel.approve || panel.reject || panel.execute || panel.revoke);
    view! {
        <div class="panel-body">
            {panel.why_not.clone().map(|why| view! { <p class=if nothing { "quiet" } else { "why-not" }>{why}</p> })}
            {panel
                .approve
                .then(|| {
                    view! {
                        <ApproveForm
                            desk
                            id=id.clone()
                            digest=digest.clone()
view=view.clone()
                            warnings
                            you_approve=panel.you_approve.clone()
                            word=panel.word.clone()
                            run=panel.run
                        />
                    }
                })}
            {panel.execute.then(|| view! { <ExecuteForm desk id=id.clone() view=view.clone() /> })}
            {panel
                .reject
                .then(|| {
                    view! {
                        <RejectForm
                            desk
                            id=id.clone()
                            digest=digest.clone()
view=view.clone()
                            reasons=panel.reasons.clone()
                            draft=draft.clone()
                        />
                    }
                })}
            {panel.ask.then(|| view! { <AskForm desk id=id.clone() draft=draft.clone() /> })}
            {(panel.prune.len() > 1)
                .then(|| {
                    view! {
                        <PruneForm
                            desk
                            id=id.clone()
                            digest=digest.clone()
view=view.clone()
                            parts=panel.prune.clone()
                            draft=draft.clone()
                        />
                    }
                })}
            {panel.revoke.then(|| view! { <RevokeForm desk id=id.clone() view=view.clone() draft=draft.clone() /> })}
            <div class="answers">
                <p role="status">{move || desk.progress()}</p>
                <p class="refusal" class:said=move || desk.said() role="alert">
                    {move || desk.refusal().to_string()}
                </p>
            </div>
            <p class="again" hidden=move || !matches!(desk.phase.get(), Phase::Unknown(_))>
                <button type="button" class="button" on:click=move |_| desk.look_again()>
                    "Look again"
                </button>
            </p>
        </div>
    }
    .into_any()
}
