//! Reason codes: why an action was rejected or failed. The codes are stable, because agents act on them.

use super::CheckId;
use serde::{Deserialize, Serialize};

/// Why an action was rejected or failed, or why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ReasonCode {
    /// A check's result is the reason.
    Check(CheckId),
    /// A person declined it, with a reason in text.
    Declined,
    /// It was not decided, or not executed, in time.
    Expired,
    /// The proposer withdrew it.
    Withdrawn,
    /// A newer proposal superseded it.
    Superseded,
    /// The approval was revoked.
    Revoked,
    /// A target record changed after the proposal.
    StaleTarget,
    /// Cited evidence has changed since the proposal.
    EvidenceChanged,
    /// A person whom the action depends on has lost the right.
    NotAuthorized,
    /// The policy forbids it.
    PolicyRefused,
    /// The idempotency key belongs to another proposal.
    IdempotencyConflict,
    /// Another person has decided.
    AlreadyDecided,
    /// The decision names another digest than the action has.
    DigestMismatch,
    /// A person has declined an equal payload.
    RejectedBefore,
    /// Planning the action today gives another plan.
    PlanChanged,
    /// The stored envelope differs from the proposal.
    EnvelopeDamaged,
    /// The person who decides has not opened the action in this session.
    NotOpened,
    /// The policy's limit of pending actions is reached.
    TooManyPending,
}

impl ReasonCode {
    const PLAIN: [(ReasonCode, &'static str); 17] = [
        (ReasonCode::Declined, "declined"),
        (ReasonCode::Expired, "expired"),
        (ReasonCode::Withdrawn, "withdrawn"),
        (ReasonCode::Superseded, "superseded"),
        (ReasonCode::Revoked, "revoked"),
        (ReasonCode::StaleTarget, "stale_target"),
        (ReasonCode::EvidenceChanged, "evidence_changed"),
        (ReasonCode::NotAuthorized, "not_authorized"),
        (ReasonCode::PolicyRefused, "policy_refused"),
        (ReasonCode::IdempotencyConflict, "idempotency_conflict"),
        (ReasonCode::AlreadyDecided, "already_decided"),
        (ReasonCode::DigestMismatch, "digest_mismatch"),
        (ReasonCode::RejectedBefore, "rejected_before"),
        (ReasonCode::PlanChanged, "plan_changed"),
        (ReasonCode::EnvelopeDamaged, "envelope_damaged"),
        (ReasonCode::NotOpened, "not_opened"),
        (ReasonCode::TooManyPending, "too_many_pending"),
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::Check(check) => check.as_str(),
            plain => Self::PLAIN
                .iter()
                .find(|(code, _)| *code == plain)
                .map_or("declined", |(_, name)| name),
        }
    }

    /// Parses the stable code.
    pub fn parse(text: &str) -> Option<ReasonCode> {
        CheckId::parse(text).map(ReasonCode::Check).or_else(|| {
            Self::PLAIN
                .iter()
                .find(|(_, name)| *name == text)
                .map(|(code, _)| *code)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_words_are_read_back() {
        let plain = ReasonCode::PLAIN.iter().map(|(code, _)| *code);
        let all: Vec<ReasonCode> = plain.chain(CheckId::ALL.map(ReasonCode::Check)).collect();
        for code in &all {
            assert_eq!(ReasonCode::parse(code.as_str()), Some(*code));
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<ReasonCode>(&json).unwrap(), *code);
        }
        assert!(serde_json::from_str::<ReasonCode>("\"bored\"").is_err());
    }

    #[test]
    fn a_person_rejects_in_their_own_words_or_with_a_check() {
        let given: Vec<ReasonCode> = ReasonCode::for_rejection().collect();
        assert_eq!(given[0], ReasonCode::Declined);
        assert_eq!(given[1..], CheckId::ALL.map(ReasonCode::Check));
    }
}
