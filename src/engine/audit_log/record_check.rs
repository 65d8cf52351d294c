//! Comparison of an action and its decisions in the tables with the entries that record them, field by field.

use crate::audit::Event;
use crate::domain::{Action, Actor, Decision, DecisionKind, PersonId, Stage};
use crate::engine::actions::withdraw;
use crate::store::AuditRecord;
use serde_json::{Value, json};

/// A difference between the tables and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// The entry that says something else; 0 if there is none.
    pub seq: i64,
    /// What differs, in words that follow a colon.
    pub what: String,
}

/// The events of decisions.
const DECISIONS: [Event; 4] = [Event::Approved, Event::Endorsed, Event::Rejected, Event::Revoked];

/// What differs between an action in any state, with its decisions, and its entries.
pub(super) fn record_difference(
    action: &Action,
    decisions: &[Decision],
    entries: &[AuditRecord],
) -> Option<Difference> {
    if let Some(difference) = table_difference(action, decisions, entries) {
        return Some(difference);
    }
    // An approval by a person who has approved before has an entry, but no decision of its own.
    let lost = entries.iter().find(|entry| {
        let id = entry.content.details["decisionId"].as_str();
        let is_stored = |id: &str| decisions.iter().any(|decision| decision.id.as_str() == id);
        is_decision(entry) && id.is_some_and(|id| !is_stored(id))
    });
    if let Some(entry) = lost {
        return differs(entry, "the tables do not have this decision");
    }
    let last = entries.iter().rev().find(|entry| entry.content.state.is_some())?;
    let state = last.content.state.as_deref().unwrap_or_default();
    if state != action.state().as_str() {
        let what = format!(
            "by the log its state is {state}, in the tables it is {}",
            action.state().as_str()
        );
        return differs(last, &what);
    }
    let field = end_difference(action, last)?;
    differs(last, &format!("{field} of its end is another one in the tables"))
}

/// What differs between the proposal and these decisions in the tables and their entries.
pub(super) fn table_difference(action: &Action, decisions: &[Decision], entries: &[AuditRecord]) -> Option<Difference> {
    let Some(proposed) = entries.iter().find(|entry| is(entry, Event::Proposed)) else {
        return Some(Difference {
            seq: 0,
            what: "the log has no entry of its proposal".to_owned(),
        });
    };
    if let Some(field) = proposal_difference(proposed, action) {
        return differs(
            proposed,
            &format!("{field} of the proposal is another one in the tables"),
        );
    }
    for decision in decisions {
        let names_it = |entry: &&AuditRecord| entry.content.details["decisionId"] == json!(decision.id.as_str());
        let Some(entry) = entries.iter().filter(|entry| is_decision(entry)).find(names_it) else {
            return Some(Difference {
                seq: 0,
                what: format!("the log has no entry of the decision {}", decision.id),
            });
        };
        if let Some(field) = decision_difference(entry, decision) {
            return differs(entry, &format!("{field} of the decision is another one in the tables"));
        }
    }
    None
}

fn differs(entry: &AuditRecord, what: &str) -> Option<Difference> {
    Some(Difference {
        seq: entry.seq,
        what: what.to_owned(),
    })
}

fn is(entry: &AuditRecord, event: Event) -> bool {
    entry.event == event.as_str()
}

fn is_decision(entry: &AuditRecord) -> bool {
    DECISIONS.iter().any(|event| is(entry, *event))
}

/// The first of these fields that is not the same.
fn first_different(fields: &[(&'static str, bool)]) -> Option<&'static str> {
    fields.iter().find(|(_, same)| !same).map(|(field, _)| *field)
}

/// The field of the proposal that differs. What pages show of it, and everything that the policy judges it by, is compared.
fn proposal_difference(entry: &AuditRecord, action: &Action) -> Option<&'static str> {
    let (content, details) = (&entry.content, &entry.content.details);
    let (proposal, origin, judgement) = (&action.proposal, &action.origin, &action.judgement);
    let sender = match (&content.actor, &origin.pruned_by) {
        (
            Actor::Client {
                id: client, caller_id, ..
            },
            None,
        ) => caller_id == &origin.caller_id && client == &origin.client_id,
        // A revision that a reviewer made by leaving parts out.
        (Actor::Person { id, .. }, Some(pruner)) => id == pruner,
        _ => false,
    };
    let release = content.release.as_ref().map(|release| release.id.as_str());
    let tools: Vec<&str> = origin.call_chain.iter().map(|call| call.tool.as_str()).collect();
    first_different(&[
        ("the sender", sender && details["callerId"] == json!(origin.caller_id)),
        ("the digest", details["digest"] == json!(proposal.digest)),
        (
            "the payload digest",
            content.payload_digest.as_ref() == Some(&proposal.payload_digest),
        ),
        ("the tool", content.tool.as_ref() == Some(&proposal.tool)),
        (
            "the version of the tool",
            content.schema_version == Some(proposal.tool_version),
        ),
        (
            "the idempotency key",
            content.idempotency_key.as_ref() == Some(&proposal.idempotency_key),
        ),
        ("the headline", content.headline.as_ref() == Some(&proposal.headline)),
        ("the reason", content.note.as_deref() == Some(proposal.reason.as_str())),
        ("the workflow", content.workflow == proposal.workflow),
        (
            "the release",
            release == proposal.release_id.as_ref().map(|id| id.as_str()),
        ),
        (
            "the approval ID",
            content.approval_id.as_deref() == Some(action.approval_id.as_str()),
        ),
        (
            "the trace",
            content.trace_id == origin.trace_id && content.client_trace_id == origin.client_trace_id,
        ),
        ("the chain of calls", content.tool_call_chain == tools),
        ("the time", details["proposedAt"] == json!(origin.created_at)),
        (
            "the risk",
            details["risk"] == json!(judgement.risk) && details["toolRisk"] == json!(judgement.tool_risk),
        ),
        (
            "the highest severity",
            details["maxSeverity"] == json!(judgement.max_severity),
        ),
        ("the expiry", details["expiresAt"] == json!(judgement.expires_at)),
        (
            "the policy version",
            details["policyVersion"] == json!(judgement.policy_version),
        ),
    ])
}

/// The field of the decision that differs.
fn decision_difference(entry: &AuditRecord, decision: &Decision) -> Option<&'static str> {
    let kind = match decision.kind {
        DecisionKind::Approve => is(entry, Event::Approved) || is(entry, Event::Endorsed),
        DecisionKind::Reject => is(entry, Event::Rejected),
        DecisionKind::Revoke => is(entry, Event::Revoked),
    };
    let by = |person: &PersonId| matches!(&entry.content.actor, Actor::Person { id, .. } if id == person);
    let same = |field: &str, value: Value| entry.content.details[field] == value;
    first_different(&[
        ("the kind", kind),
        ("the person", by(&decision.person_id)),
        (
            "the text",
            entry.content.note.as_deref().unwrap_or_default() == decision.reason,
        ),
        ("the digest", same("digest", json!(decision.digest))),
        (
            "the acknowledged warnings",
            same("acknowledged", json!(decision.acknowledged)),
        ),
        ("the reason codes", same("reasonCodes", json!(decision.reason_codes))),
        (
            "the policy version",
            same("policyVersion", json!(decision.policy_version)),
        ),
        ("the time", same("decidedAt", json!(decision.decided_at))),
        ("the time of reading", same("openedAt", json!(decision.opened_at))),
        (
            "the opened sections",
            same("openedSections", json!(decision.opened_sections)),
        ),
        (
            "the typed confirmation",
            same("typed", json!(decision.confirmation_text)),
        ),
    ])
}

/// The field of a closed action's end that differs from its last entry.
fn end_difference(action: &Action, last: &AuditRecord) -> Option<&'static str> {
    match &action.lifecycle.stage {
        Stage::Executed(execution) => first_different(&[
            ("the result", last.content.details["result"] == execution.result),
            ("the time", execution.at <= last.at),
        ]),
        Stage::Rejected(refusal) | Stage::Failed(refusal) => {
            let note = last.content.note.as_deref().unwrap_or_default();
            let text = match is(last, Event::Withdrawn) {
                true => withdraw::message(note),
                false => note.to_owned(),
            };
            let codes = &last.content.details["reasonCodes"];
            first_different(&[
                ("the text", refusal.message == text),
                ("the reason codes", codes.is_null() || *codes == json!(refusal.codes)),
                ("the time", refusal.at <= last.at),
            ])
        }
        Stage::PendingApproval | Stage::Approved => None,
    }
}
