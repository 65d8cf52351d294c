//! What the page of pauses shows.

use crate::domain::text::PlainText;
use crate::views::{Choice, When};
use serde::{Deserialize, Serialize};

/// The page of pauses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PausesPage {
    /// The pauses in force, the oldest first.
    pub pauses: Vec<PauseView>,
    /// The tools that can be paused.
    pub tools: Vec<Choice>,
    /// The clients that can be paused.
    pub clients: Vec<Choice>,
    /// Whether the person may pause.
    pub may_pause: bool,
    /// Whether the person may resume.
    pub may_resume: bool,
}

/// A pause in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseView {
    /// The target: `agents`, `tool:NAME` or `client:ID`.
    pub target: String,
    /// What is paused, in words.
    pub subject: PlainText,
    /// Who paused it.
    pub by: PlainText,
    /// Why.
    pub reason: PlainText,
    /// Since when.
    pub since: When,
}
