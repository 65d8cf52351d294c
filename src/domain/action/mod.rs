//! A governed action: what a client proposed, where the proposal came from, how the service judged it, and what became of it.

mod attempt;
mod decision;
mod lifecycle;
mod question;
mod risk;
mod state;

pub use attempt::{Attempt, AttemptOutcome};
pub use decision::{Decision, DecisionKind};
pub use lifecycle::{Execution, Lifecycle, Refusal, Stage};
pub use question::{Answer, Question};
pub use risk::Risk;
pub use state::{InvalidTransition, State};

use super::{ActionId, ApprovalId, Check, ClientId, Envelope, PersonId, ReleaseId, Severity, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

/// A governed action of one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The ID.
    pub id: ActionId,
    /// The ID of its approval, which clients and audit entries name as well.
    pub approval_id: ApprovalId,
    /// What is proposed.
    pub proposal: Proposal,
    /// Who proposed it, when, and after which reads.
    pub origin: Origin,
    /// How checks and policy judged it when it was proposed.
    pub judgement: Judgement,
    /// What became of it.
    pub lifecycle: Lifecycle,
}

/// What a client proposed, and what the tool made of it. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The governed tool that planned the change set.
    pub tool: String,
    /// The tool's version: an action of another version is not run.
    pub tool_version: u32,
    /// The client's key: the same key gives the same action.
    pub idempotency_key: String,
    /// What the action would do, in one line.
    pub headline: String,
    /// What the action would create and update, in one sentence.
    pub summary: String,
    /// Why, as the client stated it; not verified.
    pub reason: String,
    /// The client's workflow, if it named one.
    pub workflow: Option<String>,
    /// The release that the action belongs to.
    pub release_id: Option<ReleaseId>,
    /// The current key of that release.
    pub release_key: Option<String>,
    /// The team that the action belongs to.
    pub team_id: Option<TeamId>,
    /// `sha256:` and the hash of the payload.
    pub payload_digest: String,
    /// The envelope as canonical JSON (RFC 8785): exactly what an approval is bound to.
    pub envelope: String,
    /// `sha256:` and the hash of the envelope.
    pub digest: String,
    /// `sha256:` and the hash of what is asked for, without key and reason: equal for proposals that only repeat each other.
    pub request_digest: String,
    /// The action that this proposal replaces.
    pub supersedes: Option<ActionId>,
}

impl Proposal {
    /// The arguments, as canonical JSON (RFC 8785): a part of the envelope. `null` if the envelope is damaged.
    pub fn payload(&self) -> &str {
        #[derive(serde::Deserialize)]
        struct Part<'e> {
            #[serde(borrow)]
            payload: &'e serde_json::value::RawValue,
        }
        serde_json::from_str(&self.envelope).map_or("null", |part: Part<'_>| part.payload.get())
    }
}

/// Where a proposal came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The client that proposed it.
    pub client_id: ClientId,
    /// The person that the client acted for.
    pub caller_id: PersonId,
    /// The reviewer who made it from another action by leaving parts out, if one did.
    pub pruned_by: Option<PersonId>,
    /// The request that carried the proposal. The service generated the ID.
    pub request_id: String,
    /// The trace that the request belongs to. The service generated the ID.
    pub trace_id: String,
    /// The client's own ID of that request.
    pub client_request_id: Option<String>,
    /// The trace ID that the client named.
    pub client_trace_id: Option<String>,
    /// The calls of read tools in that trace before the proposal, oldest first.
    pub call_chain: Vec<ChainCall>,
    /// IDs that the payload cites although no read had returned them.
    pub unread_ids: Vec<String>,
    /// When it was proposed.
    pub created_at: Timestamp,
}

/// One call of a read tool before a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainCall {
    /// The tool.
    pub tool: String,
    /// When the client called it.
    pub at: Timestamp,
    /// The records that it returned: the first [`ChainCall::MAX_RECORDS`].
    pub record_ids: Vec<String>,
    /// How many more it returned.
    pub more: u32,
}

impl ChainCall {
    /// Records listed per call; further ones are only counted.
    pub const MAX_RECORDS: usize = 20;
    /// Calls kept per action; older ones are dropped.
    pub const MAX_CALLS: usize = 50;
}

/// How a proposal was judged when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The risk class, by the policy.
    pub risk: Risk,
    /// The risk class that the tool gave it.
    pub tool_risk: Risk,
    /// The highest severity among the findings that it closes or accepts.
    pub max_severity: Option<Severity>,
    /// What the checks found.
    pub checks: Vec<Check>,
    /// The version of the policy in force then.
    pub policy_version: i64,
    /// Index of the policy's rule that says who decides it.
    pub policy_rule_index: i64,
    /// When it expires, unless it has closed before.
    pub expires_at: Timestamp,
    /// The version of the policy in force when this value was read.
    pub current_policy_version: i64,
}

impl Action {
    /// The stored state. A reader who must know about expiry asks [`Action::state_at`].
    pub fn state(&self) -> State {
        self.lifecycle.stage.state()
    }

    /// Whether the action has expired although its expiry has not been written yet.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.state().is_final() && self.judgement.expires_at <= now
    }

    /// The state as a reader sees it: an overdue action is Rejected.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.is_overdue(now) {
            State::Rejected
        } else {
            self.state()
        }
    }

    /// The text that a reviewer types to confirm an approval of high risk: the key of the release, or the number of records that
    /// the action writes.
    pub fn confirmation_text(&self) -> String {
        self.proposal.release_key.clone().unwrap_or_else(|| {
            let envelope: Option<Envelope> = serde_json::from_str(&self.proposal.envelope).ok();
            envelope.map_or(1, |envelope| envelope.change_set.0.len()).to_string()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, ChangeSet, Create, RecordKind, TenantId, WorkItemId};
    use serde_json::Value;

    /// An action that expires at 10, plans these many work items, and belongs to the release of this key.
    fn action(stage: Stage, items: u128, release_key: Option<&str>) -> Action {
        let create = |n: u128| {
            Change::Create(Create {
                kind: RecordKind::WorkItem,
                id: WorkItemId::from_bits(n).to_string(),
                client_ref: None,
                fields: Default::default(),
            })
        };
        let envelope = Envelope {
            envelope_version: Envelope::VERSION,
            tenant: TenantId::parse("acme").unwrap(),
            action_id: ActionId::from_bits(1),
            tool: String::new(),
            tool_version: 1,
            payload: Value::Null,
            change_set: ChangeSet((0..items).map(create).collect()),
            evidence: Vec::new(),
            risk: Risk::Low,
            expires_at: Timestamp(10),
            supersedes_action_id: None,
        };
        let (envelope, digest) = envelope.seal().unwrap();
        Action {
            id: ActionId::from_bits(1),
            approval_id: ApprovalId::from_bits(1),
            proposal: Proposal {
                tool: String::new(),
                tool_version: 1,
                idempotency_key: String::new(),
                headline: String::new(),
                summary: String::new(),
                reason: String::new(),
                workflow: None,
                release_id: None,
                release_key: release_key.map(str::to_owned),
                team_id: None,
                payload_digest: String::new(),
                envelope,
                digest,
                request_digest: String::new(),
                supersedes: None,
            },
            origin: Origin {
                client_id: ClientId::from_bits(1),
                caller_id: PersonId::from_bits(1),
                pruned_by: None,
                request_id: String::new(),
                trace_id: String::new(),
                client_request_id: None,
                client_trace_id: None,
                call_chain: Vec::new(),
                unread_ids: Vec::new(),
                created_at: Timestamp(0),
            },
            judgement: Judgement {
                risk: Risk::Low,
                tool_risk: Risk::Low,
                max_severity: None,
                checks: Vec::new(),
                policy_version: 1,
                policy_rule_index: 0,
                expires_at: Timestamp(10),
                current_policy_version: 1,
            },
            lifecycle: Lifecycle {
                stage,
                revision: 1,
                repeats: None,
                repeats_pending: None,
                repeated_by: 0,
                superseded_by: None,
                targets_changed_at: None,
            },
        }
    }

    #[test]
    fn an_open_action_is_rejected_from_the_moment_it_expires() {
        let refusal = Refusal {
            at: Timestamp(5),
            codes: Vec::new(),
            message: String::new(),
        };
        for (stage, state) in [
            (Stage::PendingApproval, State::PendingApproval),
            (Stage::Approved, State::Approved),
        ] {
            let action = action(stage, 1, None);
            assert_eq!(action.state(), state);
            assert_eq!(
                (action.is_overdue(Timestamp(9)), action.state_at(Timestamp(9))),
                (false, state)
            );
            assert_eq!(
                (action.is_overdue(Timestamp(10)), action.state_at(Timestamp(10))),
                (true, State::Rejected)
            );
            assert!(action.is_overdue(Timestamp(11)));
        }
        let failed = action(Stage::Failed(refusal), 1, None);
        assert_eq!(
            (failed.is_overdue(Timestamp(11)), failed.state_at(Timestamp(11))),
            (false, State::Failed)
        );
    }

    #[test]
    fn a_reviewer_types_the_release_or_the_number_of_records() {
        assert_eq!(
            action(Stage::PendingApproval, 3, Some("SHOP-1")).confirmation_text(),
            "SHOP-1"
        );
        assert_eq!(action(Stage::PendingApproval, 3, None).confirmation_text(), "3");
    }
}
