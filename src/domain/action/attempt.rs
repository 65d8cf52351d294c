//! Attempts to execute an approved action.

use crate::domain::string_enum::string_enum;
use crate::domain::{ActionId, AttemptId, PersonId, Timestamp};

string_enum! {
    /// How an attempt ended.
    AttemptOutcome {
        /// The change set was applied.
        Executed = "executed";
        /// The action was refused: it is Failed.
        Failed = "failed";
        /// An internal error interrupted it: nothing was written and the action is still Approved.
        Interrupted = "interrupted";
    }
}

/// One attempt to execute an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The ID.
    pub id: AttemptId,
    /// The action.
    pub action_id: ActionId,
    /// The person who started it.
    pub person_id: PersonId,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// When it ended.
    pub at: Timestamp,
}
