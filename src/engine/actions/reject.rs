//! Rejecting: a reviewer declines a pending action.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::check_changes;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::decision::{
    DecisionBasis, acting_person, approvals_if_allowed, done, record_decision, replay, validate_text,
};
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::decode_envelope;
use crate::engine::actions::revalidate::{current_plan, require_same_view};
use crate::engine::audit_entries::NamedRecords;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error};
use crate::store::WriteTx;
use crate::views::Outcome;

impl Engine {
    /// Rejects an action, with reason codes and a text that the agent will read. Rejecting needs no view of the page; a form that carries
    /// the value of a view (`view`, else empty) must carry the right one.
    pub async fn reject(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        codes: &[ReasonCode],
        text: &str,
        view: &str,
    ) -> Result<Outcome, Error> {
        let command = Reject {
            digest: digest.to_owned(),
            codes: codes.to_vec(),
            text: text.to_owned(),
            view: view.to_owned(),
        };
        self.on_action(ctx, id, command).await
    }
}

struct Reject {
    digest: String,
    codes: Vec<ReasonCode>,
    text: String,
    view: String,
}

impl ActionCommand for Reject {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Reject;
    const SENDER: Sender = Sender::Decider;

    async fn run(self, tx: &mut WriteTx, policies: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        let text = validate_text(&self.text, "why you reject it, so that the agent can propose better")?;
        let codes = reasons(self.codes)?;
        let Ok(to) = action.state().reject() else {
            return Ok(match replay(tx, &action, DecisionKind::Reject).await? {
                Some(first) => Committed::Done(first),
                None => Committed::Refused(lifecycle::already_decided(tx, &action).await?),
            });
        };
        if action.proposal.digest != self.digest {
            return Err(Error::DigestMismatch);
        }
        require_same_view(tx, &action, &self.view).await?;
        let person = acting_person(tx)?;
        let approvals = approvals_if_allowed(tx, policies, &action, &person).await?;
        // The basis is what the page showed: the current checks, or those of the proposal where it can no longer be planned.
        // A damaged envelope can be rejected too.
        let plan = match decode_envelope(&action) {
            Ok(_) => Some(current_plan(tx, &action, &approvals.policies).await),
            Err(_) => None,
        };
        let basis = match plan {
            Some(Ok(planned)) => {
                check_changes::record(tx, &action, &action.judgement.checks, &planned.checks).await?;
                let PageSnapshot {
                    checks,
                    facts: snapshot,
                    ..
                } = planned.snapshot();
                DecisionBasis {
                    checks,
                    snapshot,
                    record_versions: planned.record_versions(),
                    named: planned.named_records(action.proposal.payload()),
                    ..DecisionBasis::default()
                }
            }
            None | Some(Err(Error::Refused { .. })) => DecisionBasis {
                checks: action.judgement.checks.clone(),
                named: NamedRecords::load(tx, &action).await?,
                ..DecisionBasis::default()
            },
            Some(Err(broken)) => return Err(broken),
        };
        let basis = DecisionBasis {
            codes: codes.clone(),
            text: text.clone(),
            ..basis
        };
        let entry = record_decision(tx, &action, to, Event::Rejected, DecisionKind::Reject, basis).await?;
        let stage = lifecycle::rejected(tx, codes, text);
        lifecycle::close(tx, &action, &stage, entry).await?;
        Ok(Committed::Done(done(
            to,
            "You rejected it. Nothing was written, and the agent can read why.",
        )))
    }
}

/// The codes of a rejection: [`ReasonCode::Declined`] if the reviewer chose none.
///
/// # Errors
/// A code is not one that a reviewer can give.
fn reasons(codes: Vec<ReasonCode>) -> Result<Vec<ReasonCode>, Error> {
    if codes.is_empty() {
        return Ok(vec![ReasonCode::Declined]);
    }
    let unknown = codes
        .iter()
        .find(|code| !ReasonCode::for_rejection().any(|known| known == **code));
    match unknown {
        Some(code) => Err(Error::field(
            "/codes",
            format!("{} is not a reason to give here", code.as_str()),
        )),
        None => Ok(codes),
    }
}
