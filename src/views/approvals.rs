//! Approvals, questions, related actions and revisions of an action.

use crate::domain::State;
use crate::domain::text::PlainText;
use crate::views::{RecordLabel, When};
use serde::{Deserialize, Serialize};

/// The approvals of a pending action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalsView {
    /// The rule of the current policy that names the deciders.
    pub rule: PlainText,
    /// The current version of the policy, and the version at proposal time if it is another.
    pub versions: (i64, Option<i64>),
    /// The people who approved, and when.
    pub given: Vec<(PlainText, When)>,
    /// The approvals that are still needed.
    pub missing: Vec<MissingView>,
}

/// Approvals that a group still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingView {
    /// The group.
    pub group: PlainText,
    /// The number of approvals.
    pub approvals: usize,
    /// Names of people who could give them; `you` is the last.
    pub who_could: Vec<PlainText>,
}

/// A related action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// The relation: `Replaces`.
    pub how: PlainText,
    /// The related action.
    pub action: RecordLabel,
    /// Its state.
    pub state: State,
}

/// The differences to an earlier proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The heading, which says why the earlier proposal matters.
    pub title: PlainText,
    /// The earlier proposal.
    pub action: RecordLabel,
    /// The reason of its rejection, if it has one.
    pub said: Option<PlainText>,
    /// Pointer, before, after.
    pub rows: Vec<(PlainText, PlainText, PlainText)>,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionView {
    /// Its ID.
    pub id: String,
    /// Who asked.
    pub by: PlainText,
    /// When.
    pub at: When,
    /// What was asked.
    pub question: PlainText,
    /// What was answered, and when.
    pub answer: Option<(PlainText, When)>,
}
