//! Sends a decision without leaving the page, and reads the action's state if there is no response.

use super::post::{Form, NoResponse};
use crate::STEP_UP_START;
use crate::server_fns::{ActionStatus, Status};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use loopiq::domain::PlainText;
use loopiq::domain::State;
use loopiq::views::{Label, Outcome};

/// The progress of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// No decision is in progress.
    Ready,
    /// The panel waits for the response: `Approving…`.
    Sending(&'static str),
    /// The decision was refused, or it did not arrive; the message says which. The forms can be sent again.
    Refused(PlainText),
    /// The outcome is unknown, and the state could not be read. Nothing can be sent until it is known.
    Unknown(PlainText),
}

/// The state that the panel's forms share. It is `Copy`, so that each event handler can have it.
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

    /// Whether nothing can be sent now. Buttons use `aria-disabled`, because a disabled button would lose the focus.
    pub(super) fn busy(self) -> bool {
        matches!(self.phase.get(), Phase::Sending(_) | Phase::Unknown(_))
    }

    pub(super) fn progress(self) -> String {
        match self.phase.get() {
            Phase::Sending(progress) => progress.to_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn refusal(self) -> PlainText {
        match self.phase.get() {
            Phase::Refused(message) | Phase::Unknown(message) => message,
            _ => PlainText::default(),
        }
    }

    /// Whether there is a refusal to show.
    pub(super) fn has_refusal(self) -> bool {
        matches!(self.phase.get(), Phase::Refused(_) | Phase::Unknown(_))
    }

    /// Shows why nothing was sent.
    pub(super) fn refuse(self, message: PlainText) {
        self.phase.set(Phase::Refused(message));
    }

    /// Sends a decision. A second press before the response does nothing.
    pub(super) fn send(self, progress: &'static str, event: &SubmitEvent) {
        let Some(form) = Form::of(event) else { return };
        event.prevent_default();
        if self
            .phase
            .with_untracked(|phase| matches!(phase, Phase::Sending(_) | Phase::Unknown(_)))
        {
            return;
        }
        self.phase.set(Phase::Sending(progress));
        spawn_local(async move {
            match form.post::<Outcome>().await {
                Ok(outcome) if outcome.done || outcome.state.is_some_and(|state| state != self.before) => {
                    let next = outcome.successor.unwrap_or_else(|| self.id.get_value());
                    self.load(&next);
                }
                Ok(outcome) if outcome.sign_in_again => self.sign_in_again(outcome.message),
                Ok(outcome) => self.phase.set(Phase::Refused(outcome.message)),
                Err(NoResponse) => self.check_state().await,
            }
        });
    }

    pub(super) fn check_again(self) {
        spawn_local(async move { self.check_state().await });
    }

    /// Reads the action's state after a lost response, before anything can be sent again.
    async fn check_state(self) {
        self.phase
            .set(Phase::Sending("No response. Checking whether your decision was saved…"));
        let id = self.id.get_value();
        let status = match Form::with(ActionStatus::url(), "id", &id) {
            Some(form) => form.post::<Status>().await,
            None => Err(NoResponse),
        };
        match status {
            Ok(status) => match status.state {
                Some(state) if state == self.before => self.phase.set(Phase::Refused(format!(
                    "The action is still {}. Either your decision was not saved, or more approvals are needed. Your text is kept. Try again; \
                     a decision can't be recorded twice.",
                    state.label().to_lowercase()
                ).into())),
                Some(_) => self.reload(),
                None => self.phase.set(Phase::Unknown(status.words)),
            },
            Err(NoResponse) => self.phase.set(Phase::Unknown(
                "We couldn't confirm that your decision was saved. Check again; it can't be recorded twice."
                    .into(),
            )),
        }
    }

    /// Loads the page again. It shows the stored state and the flash message.
    fn reload(self) {
        self.load(&self.id.get_value());
    }

    /// Leads to the sign-in that an approval requires. The server has kept what the person entered.
    fn sign_in_again(self, message: PlainText) {
        let target = format!("{STEP_UP_START}?action={}", self.id.get_value());
        self.phase.set(Phase::Refused(message));
        // If the browser refuses to navigate, the message says what to do.
        drop(window().location().assign(&target));
    }

    fn load(self, id: &str) {
        let target = format!("/actions/{id}");
        // If the browser refuses to navigate, the person gets a message instead of a frozen panel.
        if window().location().assign(&target).is_err() {
            self.phase.set(Phase::Unknown(
                "Your decision was saved. Reload this page to see it.".into(),
            ));
        }
    }
}
