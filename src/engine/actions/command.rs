//! The frame of every command on a stored action: authorize, load the action inside the transaction, refuse or run, audit a denial.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::identified_decider;
use crate::engine::actions::lifecycle;
use crate::engine::admin::pauses;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error};
use crate::store::WriteTx;
use std::future::Future;

/// How a command ended that commits its transaction. An [`Error`] rolls back instead.
pub(crate) enum Committed<T> {
    /// The command was carried out.
    Done(T),
    /// The command was refused, and what was written meanwhile (an expiry) is kept.
    Refused(Error),
}

impl<T> Committed<T> {
    /// A refusal as an error again, once its transaction is committed.
    pub(crate) fn into_result(self) -> Result<T, Error> {
        match self {
            Committed::Done(done) => Ok(done),
            Committed::Refused(error) => Err(error),
        }
    }
}

/// Who may send a command on one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A person in a browser whose account is identified.
    Decider,
    /// The caller that the action was proposed for; other callers are told that there is no such action.
    Proposer,
}

/// A command on one stored action.
pub(crate) trait ActionCommand: Send + 'static {
    /// What the sender gets back.
    type Output: Send + 'static;
    /// The permission that the sender needs.
    const PERMISSION: Permission;
    /// Who may send it.
    const SENDER: Sender;
    /// Whether a pause of agents, of the action's tool or of its client stops it.
    const STOPS_IN_PAUSE: bool = false;

    /// Carries the command out on an action that has not expired.
    fn run(
        self,
        tx: &mut WriteTx,
        policies: &PolicyCache,
        action: Action,
    ) -> impl Future<Output = Result<Committed<Self::Output>, Error>> + Send;
}

impl Engine {
    /// Runs a command on the action with this ID, in one transaction. A denial leaves its audit entry.
    pub(crate) async fn on_action<C: ActionCommand>(
        &self,
        ctx: &Ctx,
        id: &str,
        command: C,
    ) -> Result<C::Output, Error> {
        self.authorize(ctx, C::PERMISSION).await?;
        let id = lifecycle::parse_id(id)?;
        let (action_id, policies) = (id.clone(), self.policies.clone());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { load_and_run(tx, &policies, &action_id, command).await })
            })
            .await
            .and_then(Committed::into_result);
        if let Err(error) = &outcome
            && error.is_denial()
        {
            self.deny(ctx, C::PERMISSION, Some(&id), error).await?;
        }
        outcome
    }
}

async fn load_and_run<C: ActionCommand>(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    id: &ActionId,
    command: C,
) -> Result<Committed<C::Output>, Error> {
    if C::SENDER == Sender::Decider {
        identified_decider(tx, policies).await?;
    }
    let action = lifecycle::load(tx, id).await?;
    if C::SENDER == Sender::Proposer {
        let caller = tx.ctx().principal.person().map(|person| &person.id);
        if caller != Some(&action.origin.caller_id) {
            return Err(lifecycle::not_found(id.as_str()));
        }
    }
    match lifecycle::expire_if_overdue(tx, &action).await? {
        Some(expired) => Ok(Committed::Refused(expired)),
        None => {
            // What is closed gets the usual response, which says how it was closed.
            if C::STOPS_IN_PAUSE && !action.state().is_final() {
                pauses::refuse_paused_action(tx, &action).await?;
            }
            command.run(tx, policies, action).await
        }
    }
}
