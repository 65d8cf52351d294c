//! Comparison of the tables with the audit log. Before an action runs, its envelope, its decisions and its state are compared with the
//! entries that were written when the action was proposed and decided. An attacker who can write the tables alone can neither change what
//! was approved nor invent an approval.

use super::{check_entry, keys, read_checkpoint};
use crate::audit::Event;
use crate::domain::{Action, Actor, Decision, DecisionKind, PersonId, Stage, State};
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::withdraw;
use crate::store::{AuditRecord, ReadTx, StoreError};
use serde_json::{Value, json};

/// What differs between the action and its entries, in words that follow a colon; `None` if nothing does. Each entry is checked by its hashes,
/// by its seal, and by its proof for the latest checkpoint, if the checkpoint covers it.
pub(crate) async fn difference(
    tx: &mut ReadTx,
    action: &Action,
    approvals: &Approvals,
) -> Result<Option<&'static str>, Error> {
    let entries = tx.lifecycle_of_action(&action.id).await?;
    let (tenant, keys) = (tx.ctx().tenant().clone(), keys(tx)?);
    for entry in &entries {
        match check_entry(entry, &tenant) {
            Err(_) => return Ok(Some("an audit entry of this action is not what was written")),
            Ok(leaf) if !keys.sealed(&leaf, &entry.seal) => {
                return Ok(Some("an audit entry of this action was not written by this service"));
            }
            Ok(_) => {}
        }
    }
    let last = entries.last().map_or(0, |entry| entry.seq);
    if !nothing_is_hidden(tx, action, last).await? {
        return Ok(Some(
            "since its last audit entry, an entry is missing or changed, or changes the state of this action",
        ));
    }
    if !are_in_the_tree(tx, &entries).await? {
        return Ok(Some("an audit entry of this action is not in the signed log"));
    }
    let approved = entries.iter().any(|entry| is(entry, Event::Approved));
    if !approved || entries.last().and_then(|entry| entry.content.state.as_deref()) != Some(State::Approved.as_str()) {
        return Ok(Some("by the audit trail this action is not approved"));
    }
    Ok(table_difference(action, &approvals.given, &entries))
}

/// Leaves in one read.
const LEAVES: i64 = 1_000;

/// Whether the log from entry `last` to its end is complete and sealed, and has no further entry that defines the state of the action. The
/// columns that the action's entries were selected by count only where the seal covers them: a changed column could hide a revocation.
async fn nothing_is_hidden(tx: &mut ReadTx, action: &Action, last: i64) -> Result<bool, Error> {
    // On PostgreSQL other transactions append entries in the meantime. Those up to this head are complete.
    let (tenant, keys, head) = (tx.ctx().tenant().clone(), keys(tx)?, tx.audit_head().await?);
    let mut seen = last;
    while seen < head {
        let leaves = tx.audit_leaves(seen, LEAVES.min(head - seen)).await?;
        if leaves.is_empty() {
            return Ok(false);
        }
        for leaf in &leaves {
            seen += 1;
            let hash = leaf.intact_hash(&tenant);
            let is_ours = hash.is_some_and(|hash| keys.sealed(&hash, &leaf.seal));
            let is_about_it = leaf.action_id.as_deref() == Some(action.id.as_str()) && !leaf.defines_no_state();
            if leaf.seq != seen || !is_ours || is_about_it {
                return Ok(false);
            }
        }
    }
    // A smaller head was set back.
    Ok(seen == head)
}

/// Whether the tree of the latest checkpoint contains the entries that it covers.
async fn are_in_the_tree(tx: &mut ReadTx, entries: &[AuditRecord]) -> Result<bool, Error> {
    let (tenant, keys) = (tx.ctx().tenant().clone(), keys(tx)?);
    // Read before the database, because a task of this node may sign a checkpoint in the meantime.
    let remembered = keys.remembered(tenant.as_str()).map_or(0, |last| last.size);
    let Some(stored) = tx.latest_checkpoint().await? else {
        return Ok(remembered == 0);
    };
    let Ok(checkpoint) = read_checkpoint(&stored, &tenant, &keys) else {
        return Ok(false);
    };
    if remembered > checkpoint.size {
        // The database was set back behind a checkpoint that this node signed.
        return Ok(false);
    }
    let covered: Vec<&AuditRecord> = entries
        .iter()
        .filter(|entry| entry.seq as u64 <= checkpoint.size)
        .collect();
    let seqs: Vec<u64> = covered.iter().map(|entry| entry.seq as u64).collect();
    if seqs.is_empty() {
        return Ok(true);
    }
    let proofs = match tx.audit_inclusion(&seqs, checkpoint.size).await {
        Ok(proofs) => proofs,
        // A hash of the tree is missing.
        Err(StoreError::Damaged { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(covered.iter().zip(&proofs).all(|(entry, proof)| {
        let leaf = entry.leaf(&tenant).bytes();
        leaf.is_ok_and(|leaf| proof.verify(leaf.as_bytes(), &checkpoint.root).is_ok())
    }))
}

/// What differs between the tables and the entries of an action in any state, in words that follow a colon.
pub(super) fn record_difference(
    action: &Action,
    decisions: &[Decision],
    entries: &[AuditRecord],
) -> Option<&'static str> {
    if let Some(why) = table_difference(action, decisions, entries) {
        return Some(why);
    }
    // An approval by a person who has approved before has an entry, but no decision of its own.
    let mut recorded = entries
        .iter()
        .filter(|entry| DECISIONS.iter().any(|event| is(entry, *event)))
        .filter_map(|entry| entry.content.details["decisionId"].as_str());
    if !recorded.all(|id| decisions.iter().any(|decision| decision.id.as_str() == id)) {
        return Some("the tables lack a decision that the audit trail has");
    }
    let last = entries.iter().rev().find(|entry| entry.content.state.is_some());
    match last {
        Some(last) if last.content.state.as_deref() == Some(action.state().as_str()) => end_difference(action, last),
        _ => Some("by the audit trail this action is in another state"),
    }
}

/// What differs between the end of an action in the tables and its last entry. Nothing for an action that is still open.
fn end_difference(action: &Action, last: &AuditRecord) -> Option<&'static str> {
    match &action.lifecycle.stage {
        Stage::Executed(execution) => (last.content.details["result"] != execution.result)
            .then_some("by the audit trail its execution had another result"),
        Stage::Rejected(refusal) | Stage::Failed(refusal) => {
            let note = last.content.note.as_deref().unwrap_or_default();
            let text = match is(last, Event::Withdrawn) {
                true => withdraw::message(note),
                false => note.to_owned(),
            };
            let codes = &last.content.details["reasonCodes"];
            let same = refusal.message == text && (codes.is_null() || *codes == json!(refusal.codes));
            (!same).then_some("by the audit trail it ended for another reason")
        }
        _ => None,
    }
}

/// What differs between the proposal and these decisions in the tables and their entries, in words that follow a colon.
fn table_difference(action: &Action, decisions: &[Decision], entries: &[AuditRecord]) -> Option<&'static str> {
    let Some(proposed) = entries.iter().find(|entry| is(entry, Event::Proposed)) else {
        return Some("the audit trail has no proposal of this action");
    };
    if !proposes(proposed, action) {
        return Some("the audit trail has another proposal of this action");
    }
    let is_recorded = |decision: &Decision| entries.iter().any(|entry| records(entry, decision));
    (!decisions.iter().all(is_recorded)).then_some("the audit trail has no entry of a decision in the tables")
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
    by && entry.content.payload_digest.as_ref() == Some(&action.proposal.payload_digest)
        && [
            ("digest", json!(action.proposal.digest)),
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

/// The events of decisions.
const DECISIONS: [Event; 4] = [Event::Approved, Event::Endorsed, Event::Rejected, Event::Revoked];

/// Whether the entry records this decision: by the same person, about the same envelope, with the same words.
fn records(entry: &AuditRecord, decision: &Decision) -> bool {
    let event = match decision.kind {
        DecisionKind::Approve => is(entry, Event::Approved) || is(entry, Event::Endorsed),
        DecisionKind::Reject => is(entry, Event::Rejected),
        DecisionKind::Revoke => is(entry, Event::Revoked),
    };
    let by = |person: &PersonId| matches!(&entry.content.actor, Actor::Person { id, .. } if id == person);
    let same = |field: &str, value: Value| entry.content.details[field] == value;
    event
        && by(&decision.person_id)
        && entry.content.note.as_deref().unwrap_or_default() == decision.reason
        && same("decisionId", json!(decision.id.as_str()))
        && same("digest", json!(decision.digest))
        && same("acknowledged", json!(decision.acknowledged))
        && same("reasonCodes", json!(decision.reason_codes))
        && same("policyVersion", json!(decision.policy_version))
}
