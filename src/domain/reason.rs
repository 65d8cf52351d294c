//! Reason codes: why an action was rejected or failed. The codes are stable, because agents act on them.

use super::CheckId;
use serde::{Deserialize, Serialize};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal;)*) => {
        /// Why an action was rejected or failed, or why a command was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum ReasonCode {
            /// A check's result is the reason.
            Check(CheckId),
            $($(#[$doc])* $variant,)*
        }

        impl ReasonCode {
            /// Every code that is not a check's.
            pub const PLAIN: &[ReasonCode] = &[$(ReasonCode::$variant),*];

            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self {
                    ReasonCode::Check(check) => check.as_str(),
                    $(ReasonCode::$variant => $code,)*
                }
            }
        }
    };
}

reason_codes! {
    /// A person declined it, with a reason in text.
    Declined = "declined";
    /// It was not decided, or not executed, in time.
    Expired = "expired";
    /// The proposer withdrew it.
    Withdrawn = "withdrawn";
    /// A newer proposal superseded it.
    Superseded = "superseded";
    /// The approval was revoked.
    Revoked = "revoked";
    /// A target record changed after the proposal.
    StaleTarget = "stale_target";
    /// Cited evidence has changed since the proposal.
    EvidenceChanged = "evidence_changed";
    /// A person whom the action depends on has lost the right.
    NotAuthorized = "not_authorized";
    /// The policy forbids it.
    PolicyRefused = "policy_refused";
    /// The idempotency key belongs to another proposal.
    IdempotencyConflict = "idempotency_conflict";
    /// Another person has decided.
    AlreadyDecided = "already_decided";
    /// The decision names another digest than the action has.
    DigestMismatch = "digest_mismatch";
    /// A person has declined an equal payload.
    RejectedBefore = "rejected_before";
    /// Planning the action today gives another plan.
    PlanChanged = "plan_changed";
    /// The stored envelope differs from the proposal.
    EnvelopeDamaged = "envelope_damaged";
    /// The person who decides has not opened the action in this session.
    NotOpened = "not_opened";
    /// The policy requires a more recent or another sign-in of the person who approves.
    StepUpRequired = "step_up_required";
    /// The policy's limit of pending actions is reached.
    TooManyPending = "too_many_pending";
}

impl ReasonCode {
    /// Parses the stable code.
    pub fn parse(text: &str) -> Option<ReasonCode> {
        let plain = || Self::PLAIN.iter().copied().find(|code| code.as_str() == text);
        CheckId::parse(text).map(ReasonCode::Check).or_else(plain)
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
        let plain = ReasonCode::PLAIN.iter().copied();
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
