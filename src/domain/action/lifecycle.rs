//! What became of an action.

use super::State;
use crate::domain::{ActionId, ReasonCode, Timestamp};
use serde_json::Value;

/// The part of an action that changes after it was proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// The state, with what belongs to it.
    pub stage: Stage,
    /// Counts state changes, from 1. An update names the revision that it changes, so that two updates never both succeed.
    pub revision: i64,
    /// The action that this one repeats: proposed by the same caller with the same content.
    pub repeats: Option<ActionId>,
    /// The same, while that action is pending: this one then closes together with it.
    pub repeats_pending: Option<ActionId>,
    /// How many pending actions repeat this one.
    pub repeated_by: i64,
    /// The action that replaced this one.
    pub superseded_by: Option<ActionId>,
    /// When another action changed a record that this one is about.
    pub targets_changed_at: Option<Timestamp>,
}

/// The state of an action with what that state has: an executed action without a result cannot be constructed.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// The proposal waits for its decision.
    PendingApproval,
    /// Reviewers approved it; it has not run.
    Approved,
    /// It was rejected, revoked, withdrawn or superseded, or it expired.
    Rejected(Refusal),
    /// Its change set was applied.
    Executed(Execution),
    /// It was refused at execution; nothing was written.
    Failed(Refusal),
}

/// Why an action closed without running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at: Timestamp,
    /// The reasons, as codes.
    pub codes: Vec<ReasonCode>,
    /// The reason in a sentence, or in the reviewer's own text.
    pub message: String,
}

/// What an execution left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// When.
    pub at: Timestamp,
    /// What the client gets back: the IDs of the records that were created and updated.
    pub result: Value,
}

impl Stage {
    /// The state's name.
    pub fn state(&self) -> State {
        match self {
            Stage::PendingApproval => State::PendingApproval,
            Stage::Approved => State::Approved,
            Stage::Rejected(_) => State::Rejected,
            Stage::Executed(_) => State::Executed,
            Stage::Failed(_) => State::Failed,
        }
    }

    /// Why the action closed without running, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Stage::Rejected(refusal) | Stage::Failed(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The codes of [`Stage::refusal`]; empty if there is none.
    pub fn reason_codes(&self) -> &[ReasonCode] {
        self.refusal().map_or(&[], |refusal| &refusal.codes)
    }

    /// The message of [`Stage::refusal`].
    pub fn message(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.message.as_str())
    }

    /// The result of an executed action.
    pub fn result(&self) -> Option<&Value> {
        match self {
            Stage::Executed(execution) => Some(&execution.result),
            _ => None,
        }
    }

    /// When the action closed, if it has.
    pub fn closed_at(&self) -> Option<Timestamp> {
        match self {
            Stage::Executed(execution) => Some(execution.at),
            _ => self.refusal().map(|refusal| refusal.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_stage_tells_what_its_state_has() {
        let refusal = Refusal {
            at: Timestamp(5),
            codes: vec![ReasonCode::Declined],
            message: "No.".to_owned(),
        };
        let result = json!({ "parentId": "wi_1" });
        let execution = Execution {
            at: Timestamp(7),
            result: result.clone(),
        };
        for (stage, state) in [
            (Stage::PendingApproval, State::PendingApproval),
            (Stage::Approved, State::Approved),
            (Stage::Executed(execution), State::Executed),
        ] {
            assert_eq!(stage.state(), state);
            assert_eq!(
                (stage.refusal(), stage.message(), stage.reason_codes()),
                (None, None, [].as_slice())
            );
            let executed = state == State::Executed;
            assert_eq!(stage.result(), executed.then_some(&result));
            assert_eq!(stage.closed_at(), executed.then_some(Timestamp(7)));
        }
        for (stage, state) in [
            (Stage::Rejected(refusal.clone()), State::Rejected),
            (Stage::Failed(refusal.clone()), State::Failed),
        ] {
            assert_eq!(stage.state(), state);
            assert_eq!((stage.refusal(), stage.message()), (Some(&refusal), Some("No.")));
            assert_eq!(stage.reason_codes(), [ReasonCode::Declined]);
            assert_eq!((stage.result(), stage.closed_at()), (None, Some(Timestamp(5))));
        }
    }
}
