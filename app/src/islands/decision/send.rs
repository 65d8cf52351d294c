//! Sending a decision in place, and finding out what became of it when the answer is lost.

use super::post::{Form, Lost};
use crate::server_fns::{ActionStatus, Status};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use loopiq::domain::PlainText;
use loopiq::domain::State;
use loopiq::views::Outcome;

/// Where sending stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is under way.
    Ready,
    /// A decision is under way: `Approving…`.
    Sending(&'static str),
    /// It was refused, or it never arrived: the words say which. The forms can be sent again.
    Refused(PlainText),
    /// The answer was lost, and so was the answer about that: nothing may be sent before it is known.
    Unknown(PlainText),
}

/// What the panel's forms share. `Copy`, so that each handler may keep its own.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) phase: RwSignal<Phase>,
    id: StoredValue<String>,
    before: State,
}

impl Desk {
    pub(super) fn new(id: String, before: State) -> Self {
        Self {
            phase: RwSignal::new(Phase::Ready),
            id: StoredValue::new(id),
            before,
        }
    }

    /// Whether nothing may be sent now. Buttons say so by `aria-disabled`: a disabled button would lose the focus.
    pub(super) fn busy(self) -> bool {
        matches!(self.phase.get(), Phase::Sending(_) | Phase::Unknown(_))
    }

    pub(super) fn progress(self) -> String {
        match self.phase.get() {
            Phase::Sending(words) => words.to_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn refusal(self) -> PlainText {
        match self.phase.get() {
            Phase::Refused(words) | Phase::Unknown(words) => words,
            _ => PlainText::default(),
        }
    }

    /// Whether there is a refusal to read.
    pub(super) fn said(self) -> bool {
        matches!(self.phase.get(), Phase::Refused(_) | Phase::Unknown(_))
    }

    /// Says why nothing was sent.
    pub(super) fn refuse(self, words: PlainText) {
        self.phase.set(Phase::Refused(words));
    }

    /// Sends one decision; a second press while it is under way does nothing.
    pub(super) fn send(self, words: &'static str, event: &SubmitEvent) {
        let Some(form) = Form::of(event) else { return };
        event.prevent_default();
        if self
            .phase
            .with_untracked(|phase| matches!(phase, Phase::Sending(_) | Phase::Unknown(_)))
        {
            return;
        }
        self.phase.set(Phase::Sending(words));
        spawn_local(async move {
            match form.post::<Outcome>().await {
                Ok(outcome) if outcome.done || outcome.state.is_some_and(|state| state != self.before) => {
                    let next = outcome.successor.unwrap_or_else(|| self.id.get_value());
                    self.load(&next);
                }
                Ok(outcome) => self.phase.set(Phase::Refused(outcome.message)),
                Err(Lost) => self.look().await,
            }
        });
    }

    pub(super) fn look_again(self) {
        spawn_local(async move { self.look().await });
    }

    /// The answer was lost. Whether the decision arrived is read before anything can be sent again.
    async fn look(self) {
        self.phase.set(Phase::Sending(
            "The answer was lost. Looking whether your decision arrived…",
        ));
        let id = self.id.get_value();
        let status = match Form::with(ActionStatus::url(), "id", &id) {
            Some(form) => form.post::<Status>().await,
            None => Err(Lost),
        };
        match status {
            Ok(status) => match status.state {
                Some(state) if state == self.before => self.phase.set(Phase::Refused(format!(
                    "The action is still {}: your decision did not arrive, or it takes more than yours. What you wrote is kept; \
                     sending it again does nothing twice.",
                    state.label().to_lowercase()
                ).into())),
                Some(_) => self.reload(),
                None => self.phase.set(Phase::Unknown(status.words)),
            },
            Err(Lost) => self.phase.set(Phase::Unknown(
                "The service cannot be reached, or you have been signed out, so it is not known whether your decision \
                 arrived. Nothing is sent twice. Look again, or load this page again."
                    .into(),
            )),
        }
    }

    /// Loads the document again: it shows what is stored now, and the message that was kept with it.
    fn reload(self) {
        self.load(&self.id.get_value());
    }

    fn load(self, id: &str) {
        let target = format!("/actions/{id}");
        // A browser that refuses to navigate leaves the person with words instead of a frozen panel.
        if window().location().assign(&target).is_err() {
            self.phase
                .set(Phase::Unknown("It is done. Load this page again to see it.".into()));
        }
    }
}
