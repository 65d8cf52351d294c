//! Revoking: a reviewer takes an approval back before the action has run.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::decision::{
    DecisionBasis, acting_person, approvals_if_allowed, done, record_decision, replay, validate_text,
};
use crate::engine::actions::lifecycle;
use crate::engine::actions::revalidate::require_same_view;
use crate::engine::audit_entries::NamedRecords;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error};
use crate::store::WriteTx;
use crate::views::Outcome;

impl Engine {
    /// Revokes an approval: the action is Rejected. `view`: as for [`Engine::reject`].
    pub async fn revoke(&self, ctx: &Ctx, id: &str, text: &str, view: &str) -> Result<Outcome, Error> {
        let command = Revoke {
            text: text.to_owned(),
            view: view.to_owned(),
        };
        self.on_action(ctx, id, command).await
    }
}

struct Revoke {
    text: String,
    view: String,
}

impl ActionCommand for Revoke {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Revoke;
    const SENDER: Sender = Sender::Decider;

    async fn run(self, tx: &mut WriteTx, policies: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        let text = validate_text(&self.text, "why you take the approval back")?;
        let Ok(to) = action.state().revoke() else {
            return Ok(match replay(tx, &action, DecisionKind::Revoke).await? {
                Some(first) => Committed::Done(first),
                None => Committed::Refused(lifecycle::already_decided(tx, &action).await?),
            });
        };
        require_same_view(tx, &action, &self.view).await?;
        let person = acting_person(tx)?;
        approvals_if_allowed(tx, policies, &action, &person).await?;
        let basis = DecisionBasis {
            codes: vec![ReasonCode::Revoked],
            text: text.clone(),
            named: NamedRecords::load(tx, &action).await?,
            ..DecisionBasis::default()
        };
        let entry = record_decision(tx, &action, to, Event::Revoked, DecisionKind::Revoke, basis).await?;
        let stage = lifecycle::rejected(tx, vec![ReasonCode::Revoked], text);
        lifecycle::close(tx, &action, &stage, entry).await?;
        Ok(Committed::Done(done(
            to,
            "You revoked the approval. The action is rejected now, and nothing was written. The agent can propose it again.",
        )))
    }
}
