//! What the inbox shows.

use crate::domain::text::PlainText;
use crate::domain::{Risk, State, VerdictCounts};
use serde::{Deserialize, Serialize};

/// One of the inbox's tabs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// Pending.
    #[default]
    Pending,
    /// Pending, and the person may decide.
    Mine,
    /// Approved and not run.
    Approved,
    /// Executed.
    Executed,
    /// Rejected.
    Rejected,
    /// Failed.
    Failed,
    /// All.
    All,
}

impl Tab {
    /// Every tab with its name in the query string and its label.
    pub const ALL: [(Tab, &'static str, &'static str); 7] = [
        (Tab::Pending, "pending", "Pending approval"),
        (Tab::Mine, "mine", "For me"),
        (Tab::Approved, "approved", "Ready to run"),
        (Tab::Executed, "executed", "Executed"),
        (Tab::Rejected, "rejected", "Rejected"),
        (Tab::Failed, "failed", "Failed"),
        (Tab::All, "all", "All"),
    ];

    /// Its name in the query string.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(tab, ..)| *tab == self)
            .map_or("pending", |(_, name, _)| name)
    }

    /// Reads the name; anything else is the first tab.
    pub fn parse(name: &str) -> Tab {
        Self::ALL
            .iter()
            .find(|(_, known, _)| *known == name)
            .map_or(Tab::Pending, |(tab, ..)| *tab)
    }

    /// The state it shows, if it shows only one.
    pub fn state(self) -> Option<State> {
        match self {
            Tab::Pending | Tab::Mine => Some(State::PendingApproval),
            Tab::Approved => Some(State::Approved),
            Tab::Executed => Some(State::Executed),
            Tab::Rejected => Some(State::Rejected),
            Tab::Failed => Some(State::Failed),
            Tab::All => None,
        }
    }
}

/// The tab, filters and page of the inbox. An empty string is no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxQuery {
    /// The tab.
    pub tab: Tab,
    /// A tool's name.
    pub tool: String,
    /// A team's ID.
    pub team: String,
    /// A release's ID.
    pub release: String,
    /// The worst verdict: `block`, `warn` or `pass`.
    pub verdict: String,
    /// Words to find in headline, summary, reason or people.
    pub text: String,
    /// Where the previous page ended.
    pub after: String,
}

/// One choice of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// The label.
    pub label: PlainText,
}

/// A page of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxPage {
    /// Each tab with its number of actions, without filters.
    pub counts: Vec<(Tab, i64)>,
    /// Up to 50 actions, oldest first.
    pub rows: Vec<InboxRow>,
    /// Why the person cannot decide any action; `None` if it depends on the action, or if all of these are closed.
    pub not_mine: Option<PlainText>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
    /// Tools to filter by.
    pub tools: Vec<Choice>,
    /// Teams to filter by.
    pub teams: Vec<Choice>,
    /// Releases to filter by.
    pub releases: Vec<Choice>,
    /// What is paused, one sentence each.
    pub paused: Vec<PlainText>,
    /// Decisions made in this tenant in the last 24 hours.
    pub decided_today: i64,
}

/// One action in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    /// The action's ID.
    pub id: String,
    /// Its state.
    pub state: State,
    /// What it would do, in words: `Create work package: "Remove injection findings in login"`.
    pub headline: PlainText,
    /// The summary sentence.
    pub summary: PlainText,
    /// The release's key, if it is about one.
    pub release: Option<PlainText>,
    /// The team's name, if it is for one.
    pub team: Option<PlainText>,
    /// The proposer: `Dana Developer via Helix`.
    pub asked_by: PlainText,
    /// Risk class.
    pub risk: Risk,
    /// Verdicts.
    pub verdicts: VerdictCounts,
    /// When it was proposed: RFC 3339 to the second.
    pub proposed: String,
    /// How long it has been pending (`3 h`), or how long it took (`took 3 h`).
    pub age: String,
    /// When it expires, while it can: `in 21 h`.
    pub expires: Option<String>,
    /// How many other proposals repeat it.
    pub repeats: i64,
    /// Whether another action changed its target records after the proposal.
    pub touched: bool,
    /// How many approvals it has and needs, if it needs more than one.
    pub approvals: Option<(usize, usize)>,
    /// Why the person cannot decide this action, although the person can decide others; `None` if the action is closed.
    pub not_mine: Option<PlainText>,
}
