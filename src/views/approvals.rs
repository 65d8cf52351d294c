//! How an action stands with its deciders: votes, what is missing, questions, and other actions that it has to do with.

use crate::domain::State;
use crate::domain::text::PlainText;
use crate::views::{RecordLabel, When};
use serde::{Deserialize, Serialize};

/// Who has decided a pending action, and who could.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalsView {
    /// The rule of today's policy that says who decides it.
    pub rule: PlainText,
    /// The version of today's policy, and of the one of the day it was proposed, if that is another.
    pub versions: (i64, Option<i64>),
    /// Who has approved it, and when.
    pub given: Vec<(PlainText, When)>,
    /// What is still missing.
    pub missing: Vec<MissingView>,
}

/// Approvals that a group still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingView {
    /// The group.
    pub group: PlainText,
    /// How many.
    pub approvals: usize,
    /// Who could give them: names.
    pub who_could: Vec<PlainText>,
}

/// Another action that this one has to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// How: `It takes the place of`.
    pub how: PlainText,
    /// The other one.
    pub action: RecordLabel,
    /// Where that stands.
    pub state: State,
}

/// How a payload differs from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Which earlier one, and why it counts.
    pub title: PlainText,
    /// That one.
    pub action: RecordLabel,
    /// What was said when it was declined, if anything.
    pub said: Option<PlainText>,
    /// Place, before, after.
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
