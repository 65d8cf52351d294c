//! The content of an audit entry, and the terms that find it.

use super::Terms;
use crate::domain::{Actor, ClientOfEntry, EventOutcome, Source, Term, TermField, ids};
use crate::views::event_label;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happened. The names are stored in the log and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Event {
    Proposed,
    Replayed,
    Refused,
    Viewed,
    Endorsed,
    Approved,
    Rejected,
    Revoked,
    Withdrawn,
    Expired,
    Superseded,
    Pruned,
    Asked,
    Answered,
    Executed,
    Failed,
    AttemptFailed,
    ChecksChanged,
    Denied,
    ImportStarted,
    Imported,
    EvidenceChanged,
    EvidenceIntact,
    FindingsReopened,
    FindingsSuppressed,
    SignedIn,
    SignInFailed,
    SignedOut,
    SessionEnded,
    ClientAllowed,
    TokenOffered,
    TokenIssued,
    TokenRevoked,
    AgentsPaused,
    AgentsResumed,
    AuditSearched,
    Configured,
    TenantCreated,
    CatalogApplied,
    ReleaseStatusSet,
    CertificationGranted,
    CertificationRefused,
    PolicySwitched,
    OperatorRequested,
    OperatorConfirmed,
    OperatorDeclined,
    OperatorWithdrew,
    OperatorExpired,
    PersonLinked,
    PersonToldApart,
    CheckpointSigned,
    KeyRotated,
    Exported,
}

/// Every event with its name in the log.
pub const EVENTS: [(Event, &str); 53] = [
    (Event::Proposed, "action.proposed"),
    (Event::Replayed, "action.replayed"),
    (Event::Refused, "action.refused"),
    (Event::Viewed, "action.viewed"),
    (Event::Endorsed, "action.endorsed"),
    (Event::Approved, "action.approved"),
    (Event::Rejected, "action.rejected"),
    (Event::Revoked, "action.revoked"),
    (Event::Withdrawn, "action.withdrawn"),
    (Event::Expired, "action.expired"),
    (Event::Superseded, "action.superseded"),
    (Event::Pruned, "action.pruned"),
    (Event::Asked, "action.asked"),
    (Event::Answered, "action.answered"),
    (Event::Executed, "action.executed"),
    (Event::Failed, "action.failed"),
    (Event::AttemptFailed, "action.attempt_failed"),
    (Event::ChecksChanged, "checks.changed"),
    (Event::Denied, "access.denied"),
    (Event::ImportStarted, "evidence.import_started"),
    (Event::Imported, "evidence.imported"),
    (Event::EvidenceChanged, "evidence.changed"),
    (Event::EvidenceIntact, "evidence.intact"),
    (Event::FindingsReopened, "findings.reopened"),
    (Event::FindingsSuppressed, "findings.suppressed"),
    (Event::SignedIn, "session.signed_in"),
    (Event::SignInFailed, "session.sign_in_failed"),
    (Event::SignedOut, "session.signed_out"),
    (Event::SessionEnded, "session.ended"),
    (Event::ClientAllowed, "client.allowed"),
    (Event::TokenOffered, "token.offered"),
    (Event::TokenIssued, "token.issued"),
    (Event::TokenRevoked, "token.revoked"),
    (Event::AgentsPaused, "agents.paused"),
    (Event::AgentsResumed, "agents.resumed"),
    (Event::AuditSearched, "audit.searched"),
    (Event::Configured, "tenant.configured"),
    (Event::TenantCreated, "tenant.created"),
    (Event::CatalogApplied, "catalog.applied"),
    (Event::ReleaseStatusSet, "release.status_set"),
    (Event::CertificationGranted, "certification.granted"),
    (Event::CertificationRefused, "certification.refused"),
    (Event::PolicySwitched, "policy.switched"),
    (Event::OperatorRequested, "operator.requested"),
    (Event::OperatorConfirmed, "operator.confirmed"),
    (Event::OperatorDeclined, "operator.declined"),
    (Event::OperatorWithdrew, "operator.withdrawn"),
    (Event::OperatorExpired, "operator.expired"),
    (Event::PersonLinked, "person.linked"),
    (Event::PersonToldApart, "person.told_apart"),
    (Event::CheckpointSigned, "audit.checkpoint_signed"),
    (Event::KeyRotated, "audit.key_rotated"),
    (Event::Exported, "audit.exported"),
];

impl Event {
    /// The event's name in the log.
    pub fn as_str(self) -> &'static str {
        EVENTS
            .iter()
            .find(|(event, _)| *event == self)
            .map_or("unknown", |(_, name)| name)
    }

    /// How an event of this kind ended.
    pub fn outcome(self) -> EventOutcome {
        match self {
            Event::Refused | Event::Denied | Event::SignInFailed => EventOutcome::Refused,
            Event::Failed | Event::AttemptFailed | Event::EvidenceChanged => EventOutcome::Failed,
            _ => EventOutcome::Ok,
        }
    }
}

/// A release, by ID and by its key at the time of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The record's ID.
    pub id: String,
    /// The key at the time.
    pub key: String,
}

/// The content of an entry, version 1. Empty fields are omitted from the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The version of this structure: always 1.
    pub version: u32,
    /// Who caused the event.
    pub actor: Actor,
    /// The client that acted, with its reported version; if a person or the service acted on an action, the client that proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientOfEntry>,
    /// What the sender says about its program: name and version, or `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Where the request came from: kind, address, and session or token.
    #[serde(default)]
    pub source: Source,
    /// The ID of the HTTP request or command, generated by the service.
    pub request_id: String,
    /// The trace ID, generated by the service. All entries about an action have the trace ID of its proposal.
    pub trace_id: String,
    /// The sender's own ID of the request (`X-Request-Id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The trace ID that the sender named (`traceparent`); in entries about an action, that of its proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_trace_id: Option<String>,
    /// The workflow that the client named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The tool that proposed the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tools that the client called in the trace before the proposal, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_call_chain: Vec<String>,
    /// The request for approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
    /// The client's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// SHA-256 of the submitted payload, which is in the action's envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_digest: Option<String>,
    /// The version of the tool, which defines the schema of the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
    /// The version of the policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<i64>,
    /// How the event ended. It follows from the kind of event and is set when the entry is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<EventOutcome>,
    /// What the action would do, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// The action's state after the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The release that the action is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Place>,
    /// A person's or an agent's text: the agent's reason, the text of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// IDs of the records that the event created, changed or is about. Records that were written come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// Keys of those records that have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_keys: Vec<String>,
    /// Further data of this kind of event: payload, digests, verdicts, result.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

impl Content {
    /// The search terms of the entry. The titles of the payload are included, so that an auditor finds an execution by its
    /// subject.
    pub fn terms(&self, event: &str, action_id: Option<&str>) -> Terms {
        let mut terms = vec![
            Term::new(TermField::Event, event),
            Term::new(TermField::Trace, &self.trace_id),
        ];
        let mut prose = vec![self.headline.as_deref(), self.note.as_deref(), Some(event_label(event))];
        match &self.actor {
            Actor::Person { id, name, email } => {
                person_terms(&mut terms, id.as_str(), name, email);
                prose.push(Some(name));
            }
            Actor::Client {
                name,
                caller_id,
                caller_name,
                caller_email,
                ..
            } => {
                person_terms(&mut terms, caller_id.as_str(), caller_name, caller_email);
                prose.extend([Some(name.as_str()), Some(caller_name.as_str())]);
            }
            Actor::Program { name, .. } => prose.push(Some(name)),
            Actor::System => {}
        }
        let single = [
            (TermField::Tool, self.tool.as_deref()),
            (TermField::Key, self.idempotency_key.as_deref()),
            (TermField::State, self.state.as_deref()),
            // A client finds its entries by the ID that it knows. Entries of other clients that name the same trace are found too; each
            // says which client it is from.
            (TermField::Trace, self.client_trace_id.as_deref()),
            (TermField::Record, self.source.session.as_deref()),
            (TermField::Record, self.client.as_ref().map(|client| client.id.as_str())),
            (TermField::Action, action_id),
            (TermField::Record, action_id),
            (TermField::Record, self.approval_id.as_deref()),
            (
                TermField::Release,
                self.release.as_ref().map(|release| release.id.as_str()),
            ),
            (
                TermField::Release,
                self.release.as_ref().map(|release| release.key.as_str()),
            ),
        ];
        terms.extend(
            single
                .into_iter()
                .filter_map(|(field, value)| Some(Term::new(field, value?))),
        );
        terms.extend(
            self.records
                .iter()
                .chain(&self.record_keys)
                .map(|id| Term::new(TermField::Record, id)),
        );
        let titles = titles(&self.details);
        prose.extend(titles.iter().map(|title| Some(title.as_str())));
        // IDs in the note refer to records as well.
        let cited: Vec<Term> = self
            .note
            .iter()
            .flat_map(|note| ids::scan(note))
            .map(|id| Term::new(TermField::Record, id))
            .collect();
        terms.extend(cited);
        Terms::new(terms, prose.into_iter().flatten())
    }
}

fn person_terms(terms: &mut Vec<Term>, id: &str, name: &str, email: &str) {
    terms.extend([id, name, email].map(|value| Term::new(TermField::Person, value)));
    terms.extend(name.split_whitespace().map(|part| Term::new(TermField::Person, part)));
}

/// Every `title` in a payload or result.
/// The titles in a payload, which an entry keeps for the search.
pub fn titles(payload: &Value) -> Vec<String> {
    let mut titles = Vec::new();
    collect_titles(payload, &mut titles);
    titles
}

fn collect_titles(value: &Value, titles: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_titles(item, titles)),
        Value::Object(fields) => {
            for (name, item) in fields {
                match item {
                    Value::String(text) if name == "title" => titles.push(text.clone()),
                    Value::Array(items) if name == "titles" => {
                        titles.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    other => collect_titles(other, titles),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_every_event_and_every_field() {
        let document = include_str!("../../docs/audit-entries.md");
        let mut listed: Vec<&str> = document
            .lines()
            .skip_while(|line| *line != "## Events")
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        let mut events: Vec<&str> = EVENTS.iter().map(|(_, name)| *name).collect();
        listed.sort_unstable();
        events.sort_unstable();
        assert_eq!(listed, events);
        let content = serde_json::to_value(crate::audit::fingerprint::sample(Actor::System)).unwrap();
        for field in content.as_object().unwrap().keys() {
            assert!(document.contains(&format!("`{field}`")), "{field}");
        }
    }
}
