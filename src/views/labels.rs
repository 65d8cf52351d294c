//! Labels: what people read for the values that the service stores and sends under stable names.
//!
//! The domain has only the stable names. A label can be changed without a change of the database, of MCP or of an audit entry.

use crate::domain::text::PlainText;
use crate::domain::*;
use crate::views::GrantState;

/// A value with a label for people.
pub trait Label {
    /// What people read.
    fn label(self) -> &'static str;
}

impl Label for State {
    fn label(self) -> &'static str {
        match self {
            State::PendingApproval => "Pending approval",
            State::Approved => "Approved",
            State::Rejected => "Rejected",
            State::Executed => "Executed",
            State::Failed => "Failed",
        }
    }
}

impl Label for ReopenCause {
    fn label(self) -> &'static str {
        match self {
            ReopenCause::SeenAgain => "a scan after the fix shows it",
            ReopenCause::SuppressionLifted => "a newer scan does not suppress it any more",
            ReopenCause::SeenInOtherRelease => "a scan shows it in another release, in which nothing sets it aside",
            ReopenCause::AcceptanceEnded => "the acceptance of its risk has ended",
            ReopenCause::StatusEnded => "the date until which the status was given has passed",
        }
    }
}

impl Label for Risk {
    fn label(self) -> &'static str {
        match self {
            Risk::Low => "Low",
            Risk::Medium => "Medium",
            Risk::High => "High",
        }
    }
}

impl Label for Verdict {
    fn label(self) -> &'static str {
        match self {
            Verdict::Pass => "Passed",
            Verdict::Unknown => "Unknown",
            Verdict::Warn => "Warning",
            Verdict::Block => "Blocking",
        }
    }
}

/// The name of a check. Why a reviewer rejects because of it is the label of its [`ReasonCode`].
impl Label for CheckId {
    fn label(self) -> &'static str {
        match self {
            CheckId::Context => "Scope",
            CheckId::Unrelated => "Relevance",
            CheckId::Titles => "Titles",
            CheckId::Hierarchy => "Parents",
            CheckId::Blockers => "Blockers",
            CheckId::Evidence => "Evidence",
            CheckId::Duplicates => "Duplicates",
            CheckId::Ownership => "Ownership",
            CheckId::Grounding => "Sources",
            CheckId::TextSafety => "Text",
        }
    }
}

/// The reason in lower case, so that it can follow a colon or stand in a list.
impl Label for ReasonCode {
    fn label(self) -> &'static str {
        match self {
            ReasonCode::Check(CheckId::Context) => "wrong tenant, team, release or certification",
            ReasonCode::Check(CheckId::Unrelated) => "unrelated records",
            ReasonCode::Check(CheckId::Titles) => "generic or missing titles",
            ReasonCode::Check(CheckId::Hierarchy) => "parent missing or wrong",
            ReasonCode::Check(CheckId::Blockers) => "open blockers",
            ReasonCode::Check(CheckId::Evidence) => "stale or missing evidence",
            ReasonCode::Check(CheckId::Duplicates) => "duplicate work",
            ReasonCode::Check(CheckId::Ownership) => "wrong owner or team",
            ReasonCode::Check(CheckId::Grounding) => "not supported by what the agent read",
            ReasonCode::Check(CheckId::TextSafety) => "misleading text",
            ReasonCode::Declined => "not wanted",
            ReasonCode::Expired => "expired",
            ReasonCode::Withdrawn => "withdrawn by the proposer",
            ReasonCode::Superseded => "replaced by a newer proposal",
            ReasonCode::Revoked => "approval revoked",
            ReasonCode::StaleTarget => "a record that it changes was edited after the proposal",
            ReasonCode::EvidenceChanged => "evidence that it cites changed after the proposal",
            ReasonCode::NotAuthorized => "a person involved is not allowed to do this",
            ReasonCode::PolicyRefused => "not allowed by the policy",
            ReasonCode::IdempotencyConflict => "the idempotency key belongs to another proposal",
            ReasonCode::AlreadyDecided => "already decided",
            ReasonCode::DigestMismatch => "not what the page showed",
            ReasonCode::RejectedBefore => "the same proposal was rejected before",
            ReasonCode::PlanChanged => "planned again, it would have a different effect",
            ReasonCode::EnvelopeDamaged => "the stored action is not what was proposed",
            ReasonCode::StepUpRequired => "the person who approves has to sign in again",
            ReasonCode::NotOpened => "not opened by the person who decides",
            ReasonCode::TooManyPending => "too many pending actions",
        }
    }
}

/// The noun for one record, in lower case.
impl Label for RecordKind {
    fn label(self) -> &'static str {
        match self {
            RecordKind::Action => "action",
            RecordKind::Approval => "approval",
            RecordKind::Decision => "decision",
            RecordKind::Question => "question",
            RecordKind::Attempt => "attempt",
            RecordKind::Release => "release",
            RecordKind::Certification => "certification",
            RecordKind::Team => "team",
            RecordKind::Person => "person",
            RecordKind::Component => "component",
            RecordKind::Control => "control",
            RecordKind::Evidence => "evidence",
            RecordKind::Finding => "finding",
            RecordKind::Blocker => "blocker",
            RecordKind::WorkItem => "work item",
            RecordKind::EvidenceLink => "evidence link",
            RecordKind::RiskAcceptance => "risk acceptance",
            RecordKind::AuditNote => "audit note",
            RecordKind::CurrentEvidence => "current evidence",
            RecordKind::Client => "client",
            RecordKind::Grant => "grant",
            RecordKind::Token => "token",
            RecordKind::OperatorRequest => "operator request",
            RecordKind::Session => "session",
        }
    }
}

/// Labels that are short: one line for each value.
macro_rules! labels {
    ($($name:ident { $($variant:ident = $label:literal,)* })*) => {$(
        impl Label for $name {
            fn label(self) -> &'static str { match self { $($name::$variant => $label,)* } }
        }
    )*};
}

labels! {
    Role { Developer = "Developer", Reviewer = "Reviewer", Lead = "Lead", Auditor = "Auditor", Operator = "Operator", }
    Severity { None = "None", Low = "Low", Medium = "Medium", High = "High", Critical = "Critical", }
    ReleaseStatus { Planned = "Planned", InProgress = "In progress", Certified = "Certified", Released = "Released", }
    CertificationStatus { Open = "Open", Requested = "Requested", Granted = "Granted", Refused = "Refused", }
    ControlStatus { Passing = "Passing", Failing = "Failing", Unknown = "Unknown", }
    FindingStatus {
        Open = "Open", Suppressed = "Suppressed", Fixed = "Fixed", FalsePositive = "False positive", Accepted = "Accepted",
    }
    BlockerStatus { Open = "Open", Resolved = "Resolved", Accepted = "Accepted", }
    WorkItemKind { Story = "Story", Task = "Task", }
    WorkItemStatus { Open = "Open", InProgress = "In progress", Done = "Done", Cancelled = "Cancelled", }
    Priority { Low = "Low", Medium = "Medium", High = "High", Critical = "Critical", }
    ComponentKind { Application = "Application", Module = "Module", Repository = "Repository", Service = "Service", }
    CollectedFrom {
        Run = "end of the run",
        Told = "set by the importer",
        Import = "time of import; the file names none",
    }
    Scope {
        Read = "Read records and actions",
        Propose = "Propose changes, which people decide, and withdraw them",
        Import = "Import evidence and findings",
        Catalog = "Read and apply the catalog",
        Audit = "Search and export the audit log",
    }
    Permission {
        SignIn = "Sign in, and see and end one's own sessions and clients",
        ReadRecords = "Read records over MCP",
        Propose = "Propose an action",
        Withdraw = "Withdraw an action",
        ViewActions = "See the inbox and actions",
        Approve = "Approve an action",
        Reject = "Reject an action",
        Execute = "Execute an approved action",
        Revoke = "Revoke an approval",
        Ask = "Ask a question about an action",
        Answer = "Answer a question about an action",
        Prune = "Leave out parts of an action",
        ReadPolicy = "See the policy and its versions",
        ReadCatalog = "See the catalog and releases",
        Certify = "Decide certifications, and set the status of releases",
        SearchAudit = "Search the audit trail, and get its proofs",
        Import = "Import evidence and findings",
        ApplyCatalog = "Apply a catalog",
        IssueToken = "Create tokens for programs, and revoke those of others",
        Pause = "Pause agents, a tool or a client",
        Configure = "Change settings and the policy, confirm requests, and resume what is paused",
        EndSessions = "See people, and end their sessions",
        Sweep = "Expire overdue actions",
        Scrub = "Verify stored evidence",
    }
    GrantState {
        Active = "Active",
        Offered = "Waits for the person",
        Ended = "Ended",
        Revoked = "Revoked",
    }
    SourceKind {
        Service = "LoopIQ itself",
        Command = "a command at the console",
        Request = "a request",
    }
    EventOutcome { Ok = "OK", Refused = "Refused", Failed = "Failed", }
    DecisionKind { Approve = "Approved", Reject = "Rejected", Revoke = "Revoked", }
    RequestStatus {
        Pending = "Waiting for a second operator",
        Confirmed = "Confirmed",
        Declined = "Declined",
        Withdrawn = "Withdrawn",
        Expired = "Expired",
    }
}

/// The actor of an audit entry: `Dana Developer via Helix`.
pub fn actor_label(actor: &Actor) -> PlainText {
    match actor {
        Actor::Person { name, .. } => name.into(),
        Actor::Client { name, caller_name, .. } => format!("{caller_name} via {name}").into(),
        Actor::Program { name, .. } => name.into(),
        Actor::System => "LoopIQ".into(),
    }
}

/// An audit event by its stable name, as a timeline and the audit trail show it. The actor is shown next to it.
pub fn event_label(event: &str) -> &str {
    match event {
        "action.proposed" => "proposed",
        "action.replayed" => "proposed again with the same key",
        "action.refused" => "proposal refused",
        "action.viewed" => "viewed",
        "action.endorsed" => "approved (more approvals needed)",
        "action.approved" => "approved",
        "action.rejected" => "rejected",
        "action.revoked" => "approval revoked",
        "action.withdrawn" => "withdrawn",
        "action.expired" => "expired",
        "action.superseded" => "superseded",
        "action.pruned" => "left parts out",
        "action.asked" => "question asked",
        "action.answered" => "question answered",
        "action.executed" => "executed",
        "action.failed" => "execution refused",
        "action.attempt_failed" => "execution interrupted (can be run again)",
        "checks.changed" => "checks gave another result",
        "access.denied" => "access denied",
        "evidence.import_started" => "evidence import started",
        "evidence.imported" => "evidence imported",
        "evidence.changed" => "stored evidence found changed",
        "audit.checkpoint_signed" => "checkpoint of the audit trail signed",
        "audit.key_rotated" => "key of the audit trail replaced",
        "audit.exported" => "audit trail exported",
        "evidence.intact" => "stored evidence found intact again",
        "findings.reopened" => "findings reopened",
        "findings.suppressed" => "findings suppressed by a scan",
        "session.signed_in" => "signed in",
        "session.sign_in_failed" => "sign-in failed",
        "session.signed_out" => "signed out",
        "session.ended" => "session ended",
        "client.allowed" => "client allowed to act",
        "token.offered" => "token offered to a person",
        "token.issued" => "token issued",
        "token.revoked" => "token revoked",
        "agents.paused" => "agents paused",
        "agents.resumed" => "agents resumed",
        "audit.searched" => "audit trail searched",
        "tenant.configured" => "tenant settings changed",
        "policy.switched" => "policy activated",
        "tenant.created" => "organisation created",
        "catalog.applied" => "catalog applied",
        "release.status_set" => "release status set",
        "certification.granted" => "certification granted",
        "certification.refused" => "certification refused",
        "operator.requested" => "operator request made",
        "operator.confirmed" => "operator request confirmed",
        "operator.declined" => "operator request declined",
        "operator.withdrawn" => "operator request withdrawn",
        "operator.expired" => "operator request expired",
        "person.linked" => "two accounts linked as one person",
        "person.told_apart" => "two accounts declared different people",
        // A newer version of the service may have written it.
        unknown => unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_value_has_a_label_of_its_own() {
        fn distinct<T: Label + Copy>(values: &[T]) {
            let labels: BTreeSet<&str> = values.iter().map(|value| value.label()).collect();
            assert_eq!(labels.len(), values.len(), "{labels:?}");
        }
        distinct(&State::ALL);
        distinct(&CheckId::ALL);
        distinct(RecordKind::ALL);
        distinct(Permission::ALL);
        distinct(&ReasonCode::for_rejection().collect::<Vec<_>>());
        distinct(&[Risk::Low, Risk::Medium, Risk::High]);
        distinct(&[Verdict::Pass, Verdict::Unknown, Verdict::Warn, Verdict::Block]);
    }

    #[test]
    fn an_actor_is_named_with_its_client() {
        let person = Actor::Person {
            id: PersonId::from_bits(1),
            name: "Dana Developer".to_owned(),
            email: "dana@acme.example".to_owned(),
        };
        let client = Actor::Client {
            id: ClientId::from_bits(2),
            name: "Helix".to_owned(),
            caller_id: PersonId::from_bits(1),
            caller_name: "Dana Developer".to_owned(),
            caller_email: "dana@acme.example".to_owned(),
        };
        assert_eq!(actor_label(&person), "Dana Developer");
        assert_eq!(actor_label(&client), "Dana Developer via Helix");
        let program = Actor::Program {
            id: ClientId::from_bits(3),
            name: "Nightly import".to_owned(),
        };
        assert_eq!(actor_label(&program), "Nightly import");
        assert_eq!(actor_label(&Actor::System), "LoopIQ");
    }
}
