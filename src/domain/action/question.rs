//! Questions of reviewers to the proposer.

use crate::domain::{ActionId, PersonId, QuestionId, Timestamp};

/// A reviewer's question about a pending action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The ID.
    pub id: QuestionId,
    /// The action.
    pub action_id: ActionId,
    /// The reviewer.
    pub person_id: PersonId,
    /// The question.
    pub text: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The proposer's answer, once there is one.
    pub answer: Option<Answer>,
}

/// The proposer's answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub text: String,
    /// When it was given.
    pub at: Timestamp,
}
