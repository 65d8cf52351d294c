//! The decision panel: plain forms of server functions. With a script the panel sends them without leaving the page and keeps the draft.

mod approve;
mod foldable_sections;
mod forms;
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

/// A warning that an approval has to acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The mark that the acknowledgement names.
    pub mark: String,
    /// The label of the check.
    pub check: String,
    /// What it found.
    pub message: PlainText,
}

/// What a person had typed when the engine refused the form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The ticked values: reason codes, parts to keep, or the marks of acknowledged warnings.
    pub codes: Vec<String>,
    /// The form, by the last part of its address.
    pub form: String,
    /// The sections of the page that the person had opened, by their IDs: for an approval.
    #[serde(default)]
    pub opened: Vec<String>,
}

impl Draft {
    /// Whether the draft belongs to this form.
    pub(crate) fn is_of(&self, form: &str) -> bool {
        self.form == form && (!self.text.is_empty() || !self.codes.is_empty())
    }

    /// The draft of this form; empty if it belongs to another form.
    pub(crate) fn of(self, form: &str) -> Draft {
        if self.form == form { self } else { Draft::default() }
    }
}

/// What a person can do with the action now, and the reason where the person can do nothing.
#[island]
pub fn DecisionPanel(
    /// The action's ID.
    id: String,
    /// The digest that an approval names.
    digest: String,
    /// The value that ties the forms to this person's recorded visit; empty if no visit was recorded.
    view: String,
    /// The state that the page shows.
    state: State,
    /// What the person can do.
    panel: Panel,
    /// The warnings that an approval has to acknowledge.
    warnings: Vec<Warning>,
    /// What the person typed before, if the engine refused it.
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
                            step_up=panel.step_up.clone()
                            run=panel.run
                            draft=draft.clone().of("approve")
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
                <p class="refusal" class:said=move || desk.has_refusal() role="alert">
                    {move || desk.refusal().to_string()}
                </p>
            </div>
            <p class="again" hidden=move || !matches!(desk.phase.get(), Phase::Unknown(_))>
                <button type="button" class="button" on:click=move |_| desk.check_again()>
                    "Check again"
                </button>
            </p>
        </div>
    }
    .into_any()
}
