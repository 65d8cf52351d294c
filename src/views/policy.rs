//! What the policy page shows.

use crate::domain::State;
use crate::domain::text::PlainText;
use crate::views::{RecordLabel, When};
use serde::{Deserialize, Serialize};

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Its number.
    pub version: i64,
    /// The operator who activated it.
    pub by: PlainText,
    /// When it was activated; `None` for the built-in version.
    pub at: Option<When>,
    /// The reason.
    pub note: PlainText,
}

/// A line of a comparison of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// `+` is new, `-` is gone, a space is in both, `…` leaves out what is in both.
    pub mark: char,
    /// The line.
    pub text: PlainText,
}

/// The policy page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPage {
    /// The active version.
    pub today: i64,
    /// The shown version.
    pub version: i64,
    /// The text of the shown version.
    pub source: String,
    /// Every version, newest first.
    pub versions: Vec<PolicyVersion>,
    /// The differences to the version that it is compared with.
    pub difference: Vec<DiffLine>,
    /// Whether this person may activate a policy.
    pub may_change: bool,
    /// The pending requests for a new policy, newest first.
    pub waiting: Vec<String>,
}

/// The report on a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Errors, with line and field.
    pub mistakes: Vec<PlainText>,
    /// Notes to read before activating it.
    pub notes: Vec<PlainText>,
    /// What the draft loosens, in sentences. If there are any, a second operator has to confirm it.
    #[serde(default)]
    pub loosens: Vec<PlainText>,
    /// The differences to the active policy.
    pub difference: Vec<DiffLine>,
    /// The effects on past actions; `None` if there are errors.
    pub effects: Option<Effects>,
}

/// The effects that a draft would have had on past actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// How many days back.
    pub days: i64,
    /// How many actions were checked.
    pub looked: usize,
    /// Whether there are more actions than were checked.
    pub more: bool,
    /// How many would have been different.
    pub changed: usize,
    /// The newest affected actions.
    pub named: Vec<Effect>,
}

/// A past action that the draft would have treated differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The action.
    pub action: RecordLabel,
    /// Its state.
    pub state: State,
    /// When it was proposed.
    pub proposed: When,
    /// The differences, one sentence each.
    pub words: Vec<PlainText>,
}
