//! What the policy's page shows.

use crate::domain::State;
use crate::domain::text::PlainText;
use crate::views::{RecordLabel, When};
use serde::{Deserialize, Serialize};

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Its number.
    pub version: i64,
    /// Who switched it on.
    pub by: PlainText,
    /// When; nothing for the built-in one.
    pub at: Option<When>,
    /// Why.
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

/// The policy's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPage {
    /// The version in force.
    pub today: i64,
    /// The version that is shown.
    pub version: i64,
    /// It, as it was written.
    pub source: String,
    /// Every version, newest first.
    pub versions: Vec<PolicyVersion>,
    /// How it differs from the version that it is compared with.
    pub difference: Vec<DiffLine>,
    /// Whether this person may switch another one on.
    pub may_change: bool,
    /// The requests for another policy that wait for a second operator, the newest first.
    pub waiting: Vec<String>,
}

/// What a policy that is not in force would mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// What is wrong with it, with line and field.
    pub mistakes: Vec<PlainText>,
    /// What is worth knowing before it is switched on.
    pub notes: Vec<PlainText>,
    /// What it loosens, in sentences: with any of them a second operator has to confirm it.
    #[serde(default)]
    pub loosens: Vec<PlainText>,
    /// How it differs from the one in force.
    pub difference: Vec<DiffLine>,
    /// What it would have changed; nothing while something is wrong with it.
    pub effects: Option<Effects>,
}

/// What a policy would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// So many days back.
    pub days: i64,
    /// How many actions were looked at.
    pub looked: usize,
    /// Whether there were more than that.
    pub more: bool,
    /// How many would have been different.
    pub changed: usize,
    /// The newest of them.
    pub named: Vec<Effect>,
}

/// An action that another policy would have made something else of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The action.
    pub action: RecordLabel,
    /// Where it stands.
    pub state: State,
    /// When it was proposed.
    pub proposed: When,
    /// What would have been different.
    pub words: Vec<PlainText>,
}
