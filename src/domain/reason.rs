//! Reason codes: why an action ended as it did. Stable strings that agents act on.

use super::CheckId;
use serde::{Deserialize, Serialize};

/// Why an action was rejected or failed, or why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ReasonCode {
    /// A check's finding is the reason.
    Check(CheckId),
    /// A person declined it, in words of their own.
    Declined,
    /// Nobody decided (or ran it) in time.
    Expired,
    /// The proposer took it back.
    Withdrawn,
    /// A newer proposal took its place.
    Superseded,
    /// An approval was taken back.
    Revoked,
    /// A target record changed after the proposal.
    StaleTarget,
    /// Evidence is not what it was when the action was proposed.
    EvidenceChanged,
    /// Somebody has lost the right to it.
    NotAuthorized,
    /// The policy does not allow it.
    PolicyRefused,
    /// The key belongs to another proposal.
    IdempotencyConflict,
    /// Somebody decided before.
    AlreadyDecided,
    /// The decision named another digest than the action's.
    DigestMismatch,
    /// A person has declined the same payload before.
    RejectedBefore,
    /// The tool's plan would come out differently today.
    PlanChanged,
    /// The stored envelope is not what was proposed.
    EnvelopeDamaged,
    /// The person who decides has not opened the action in this session.
    NotOpened,
    /// As many actions wait already as the policy allows.
    TooManyPending,
}

impl ReasonCode {
    const PLAIN: [(ReasonCode, &'static str, &'static str); 17] = [
        (ReasonCode::Declined, "declined", "declined"),
        (ReasonCode::Expired, "expired", "its time ran out"),
        (ReasonCode::Withdrawn, "withdrawn", "withdrawn by its proposer"),
        (ReasonCode::Superseded, "superseded", "a newer proposal took its place"),
        (ReasonCode::Revoked, "revoked", "the approval was taken back"),
        (
            ReasonCode::StaleTarget,
            "stale_target",
            "a record it changes was changed since",
        ),
        (
            ReasonCode::EvidenceChanged,
            "evidence_changed",
            "evidence it cites was changed since",
        ),
        (
            ReasonCode::NotAuthorized,
            "not_authorized",
            "somebody it depends on may not do this",
        ),
        (
            ReasonCode::PolicyRefused,
            "policy_refused",
            "the policy does not allow it",
        ),
        (
            ReasonCode::IdempotencyConflict,
            "idempotency_conflict",
            "the key belongs to another proposal",
        ),
        (ReasonCode::AlreadyDecided, "already_decided", "somebody decided before"),
        (
            ReasonCode::DigestMismatch,
            "digest_mismatch",
            "it is not what was shown",
        ),
        (
            ReasonCode::RejectedBefore,
            "rejected_before",
            "a person declined the same before",
        ),
        (
            ReasonCode::PlanChanged,
            "plan_changed",
            "planned again today it would do something else",
        ),
        (
            ReasonCode::EnvelopeDamaged,
            "envelope_damaged",
            "what is stored is not what was proposed",
        ),
        (
            ReasonCode::NotOpened,
            "not_opened",
            "the person who decides has not opened it",
        ),
        (
            ReasonCode::TooManyPending,
            "too_many_pending",
            "as many actions wait already as the policy allows",
        ),
    ];

    /// The stable string.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::Check(check) => check.as_str(),
            plain => Self::PLAIN
                .iter()
                .find(|(code, ..)| *code == plain)
                .map_or("declined", |(_, name, _)| name),
        }
    }

    /// What it means, in words that follow a colon.
    pub fn words(self) -> &'static str {
        match self {
            ReasonCode::Check(check) => check.title(),
            plain => Self::PLAIN
                .iter()
                .find(|(code, ..)| *code == plain)
                .map_or("declined", |(.., words)| words),
        }
    }

    /// Reads the stable string.
    pub fn parse(text: &str) -> Option<ReasonCode> {
        CheckId::parse(text).map(ReasonCode::Check).or_else(|| {
            Self::PLAIN
                .iter()
                .find(|(_, name, _)| *name == text)
                .map(|(code, ..)| *code)
        })
    }

    /// The codes that a person can give when rejecting.
    pub fn for_rejection() -> impl Iterator<Item = ReasonCode> {
        std::iter::once(ReasonCode::Declined).chain(CheckId::ALL.into_iter().map(ReasonCode::Check))
    }
}

impl From<ReasonCode> for String {
    fn from(code: ReasonCode) -> String {
        code.as_str().to_owned()
    }
}

impl TryFrom<String> for ReasonCode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        ReasonCode::parse(&text).ok_or_else(|| format!("unknown reason code {text}"))
    }
}
