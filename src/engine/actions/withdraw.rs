//! Withdrawing: the proposer takes a proposal back.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::lifecycle;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::WriteTx;
use serde_json::json;

impl Engine {
    /// Withdraws an action that was proposed for this caller. The same withdrawal twice is one.
    pub(crate) async fn withdraw(&self, ctx: &Ctx, id: &str, text: &str) -> Result<State, Error> {
        let text = text.trim().to_owned();
        self.on_action(ctx, id, Withdraw { text }).await
    }
}

/// The message of a withdrawn action, with the proposer's text.
pub(crate) fn message(text: &str) -> String {
    format!("Withdrawn by its proposer: {text}")
}

struct Withdraw {
    text: String,
}

impl ActionCommand for Withdraw {
    type Output = State;
    const PERMISSION: Permission = Permission::Withdraw;
    const SENDER: Sender = Sender::Proposer;

    async fn run(self, tx: &mut WriteTx, _: &PolicyCache, action: Action) -> Result<Committed<State>, Error> {
        if action.lifecycle.stage.reason_codes().contains(&ReasonCode::Withdrawn) {
            return Ok(Committed::Done(action.state()));
        }
        let Ok(to) = action.state().withdraw() else {
            return Ok(Committed::Refused(lifecycle::already_decided(tx, &action).await?));
        };
        let message = message(&self.text);
        let mut entry = audit_entries::about(tx, &action, Event::Withdrawn, to, json!(null));
        entry.content.note = Some(self.text);
        let stage = lifecycle::rejected(tx, vec![ReasonCode::Withdrawn], message);
        lifecycle::close(tx, &action, &stage, entry).await?;
        Ok(Committed::Done(to))
    }
}
