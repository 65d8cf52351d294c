//! Comparison of the tables with the audit log. Before an action runs, its envelope, its decisions and its state are compared with the
//! entries that were written when the action was proposed and decided. An attacker who can write the tables alone can neither change what
//! was approved nor invent an approval.

use crate::audit::Event;
use crate::domain::{Action, Actor, Decision, PersonId, State};
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::store::{AuditRecord, ReadTx};
use serde_json::{Value, json};

/// What differs between the action and its entries, in words that follow a colon; `None` if nothing does.
pub(crate) async fn difference(
    tx: &mut ReadTx,
    action: &Action,
    approvals: &Approvals,
) -> Result<Option<&'static str>, Error> {
    let entries = tx.lifecycle_of_action(&action.id).await?;
    let tenant = tx.ctx().tenant();
    if !entries.iter().all(|entry| entry.is_intact(tenant)) {
        return Ok(Some("an audit entry of this action is not what was written"));
    }
    Ok(compared(action, &approvals.given, &entries))
}

fn compared(action: &Action, approvals: &[Decision], entries: &[AuditRecord]) -> Option<&'static str> {
    let Some(proposed) = entries.iter().find(|entry| is(entry, Event::Proposed)) else {
        return Some("the audit trail holds no proposal of this action");
    };
    if !proposes(proposed, action) {
        return Some("the audit trail holds another proposal of this action");
    }
    if !approvals
        .iter()
        .all(|one| entries.iter().any(|entry| approves(entry, one)))
    {
        return Some("the audit trail holds no entry of an approval that the tables hold");
    }
    let approved = entries.iter().any(|entry| is(entry, Event::Approved));
    let last = entries.last().and_then(|entry| entry.content.state.as_deref());
    if !approved || last != Some(State::Approved.as_str()) {
        return Some("by the audit trail this action is not approved");
    }
    None
}

fn is(entry: &AuditRecord, event: Event) -> bool {
    entry.event == event.as_str()
}

/// Whether the entry records this proposal: the same envelope, for the same person, with everything that the policy judges it by.
fn proposes(entry: &AuditRecord, action: &Action) -> bool {
    let details = &entry.content.details;
    let by = match (&entry.content.actor, &action.origin.pruned_by) {
        (Actor::Client { caller_id, .. }, None) => caller_id == &action.origin.caller_id,
        // A revision that a reviewer made by leaving parts out.
        (Actor::Person { id, .. }, Some(pruner)) => id == pruner,
        _ => false,
    };
    by && [
        ("digest", json!(action.proposal.digest)),
        ("payloadDigest", json!(action.proposal.payload_digest)),
        ("callerId", json!(action.origin.caller_id)),
        ("risk", json!(action.judgement.risk)),
        ("toolRisk", json!(action.judgement.tool_risk)),
        ("maxSeverity", json!(action.judgement.max_severity)),
        ("expiresAt", json!(action.judgement.expires_at)),
        ("policyVersion", json!(action.judgement.policy_version)),
    ]
    .into_iter()
    .all(|(field, value)| details[field] == value)
}

/// Whether the entry records this approval: the same decision by the same person about the same envelope.
fn approves(entry: &AuditRecord, decision: &Decision) -> bool {
    let by = |person: &PersonId| matches!(&entry.content.actor, Actor::Person { id, .. } if id == person);
    let same = |field: &str, value: Value| entry.content.details[field] == value;
    (is(entry, Event::Approved) || is(entry, Event::Endorsed))
        && by(&decision.person_id)
        && same("decisionId", json!(decision.id.as_str()))
        && same("digest", json!(decision.digest))
        && same("acknowledged", json!(decision.acknowledged))
        && same("policyVersion", json!(decision.policy_version))
}
