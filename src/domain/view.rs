//! What the pages show: plain values that the engine makes and a page renders. Text in them is plain text with forbidden
//! characters already made visible. Times are ready to render: both the exact one and the relative one.

use super::{Check, FactRef, RecordKind, Risk, State, Timestamp, VerdictCounts};
use serde::{Deserialize, Serialize};

/// A time as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// RFC 3339, for `<time datetime>`.
    pub exact: String,
    /// `2026-11-22 21:20:34 UTC`.
    pub utc: String,
    /// `3 h ago`.
    pub relative: String,
}

impl When {
    /// How `at` looks at `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        Self {
            exact: at.rfc3339(),
            utc: at.second(),
            relative: at.relative(now),
        }
    }
}

/// A record with the names people use for it, from the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What kind of record.
    pub kind: RecordKind,
    /// Its ID.
    pub id: String,
    /// Its key, where it has one.
    pub key: Option<String>,
    /// Its name or title.
    pub name: String,
}

/// One of the inbox's tabs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// Pending, whoever may decide.
    #[default]
    Pending,
    /// Pending, and I may decide.
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
        (Tab::Mine, "mine", "Mine to decide"),
        (Tab::Approved, "approved", "Approved, not run"),
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

/// What the inbox is asked for. Empty strings: no such filter.
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
    /// Words that the headline, summary, reason or people must hold.
    pub text: String,
    /// Where the page before ended.
    pub after: String,
}

/// One choice of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A page of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxPage {
    /// Each tab with how many actions it holds under no filter.
    pub counts: Vec<(Tab, i64)>,
    /// Up to 50 actions, oldest first.
    pub rows: Vec<InboxRow>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
    /// Tools to filter by.
    pub tools: Vec<Choice>,
    /// Teams to filter by.
    pub teams: Vec<Choice>,
    /// Releases to filter by.
    pub releases: Vec<Choice>,
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
    pub headline: String,
    /// The summary sentence.
    pub summary: String,
    /// The tool's title.
    pub tool: String,
    /// The release's key, if it is about one.
    pub release: Option<String>,
    /// The team's name, if it is for one.
    pub team: Option<String>,
    /// Who asked: `Dana Developer via Helix`.
    pub asked_by: String,
    /// Risk class.
    pub risk: Risk,
    /// Verdicts.
    pub verdicts: VerdictCounts,
    /// When it was proposed.
    pub proposed: When,
    /// How long it has waited (`3 h`), or how long it took to its end (`took 3 h`).
    pub age: String,
    /// When it expires, while it can.
    pub expires: Option<When>,
    /// Why I cannot decide it; `None`: I can, or there is nothing to decide.
    pub not_mine: Option<String>,
}

/// One line of a definition list: a label and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The label.
    pub label: String,
    /// Plain text.
    pub value: String,
    /// The record it names, if it names one.
    pub record: Option<Named>,
}

impl Line {
    /// A line of text.
    pub fn text(label: &str, value: impl Into<String>) -> Self {
        Self {
            label: label.to_owned(),
            value: value.into(),
            record: None,
        }
    }
    /// A line that names a record.
    pub fn record(label: &str, record: Named) -> Self {
        Self {
            label: label.to_owned(),
            value: record.name.clone(),
            record: Some(record),
        }
    }
}

/// A record of the work-item tree: what would be (or was) created, or where it would hang.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeItem {
    /// Its ID.
    pub id: String,
    /// Its key, once it exists.
    pub key: Option<String>,
    /// `Story` or `Task`.
    pub kind: String,
    /// The whole title.
    pub title: String,
    /// The whole description.
    pub description: String,
    /// Whether the action creates it (or it was there before).
    pub created: bool,
    /// Owner, priority, estimate, client's reference and so on.
    pub lines: Vec<Line>,
    /// Findings, controls, evidence and blockers it rests on.
    pub references: Vec<Named>,
    /// What hangs below it.
    pub children: Vec<TreeItem>,
}

/// Fields of one record, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateView {
    /// The record.
    pub record: Named,
    /// Field, before, after.
    pub fields: Vec<(String, String, String)>,
}

/// A record that the payload refers to, with enough to judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The record.
    pub record: Named,
    /// Its details.
    pub lines: Vec<Line>,
}

/// One record that the agent read in this trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadView {
    /// The tool it called.
    pub tool: String,
    /// When.
    pub at: When,
    /// What came back.
    pub records: Vec<Named>,
    /// How many more came back than are listed.
    pub more: u32,
}

/// What the agent says, unverified, and what it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The agent's reason, plain text.
    pub reason: String,
    /// Who asked: `Dana Developer via Helix`.
    pub asked_by: String,
    /// Its calls before the proposal, oldest first.
    pub reads: Vec<ReadView>,
    /// IDs that it cites and that no read had returned.
    pub unread: Vec<Named>,
}

/// One step of the action's life, from its audit entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineStep {
    /// The audit entry's number in the tenant's log.
    pub seq: i64,
    /// The event's name.
    pub event: String,
    /// What happened, in words.
    pub words: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: When,
    /// What they said, if anything.
    pub note: Option<String>,
}

/// What this person can do to this action now, and why not where they can't.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// Approve (and approve and run).
    pub approve: bool,
    /// Reject.
    pub reject: bool,
    /// Execute.
    pub execute: bool,
    /// Revoke.
    pub revoke: bool,
    /// Why there is nothing to press, or why approving is not offered.
    pub why_not: Option<String>,
    /// What one would be agreeing to: `You approve: 1 story and 12 tasks, digest 8c1f…`.
    pub you_approve: String,
    /// Reason codes for a rejection: value, words, and whether it is ticked to begin with.
    pub reasons: Vec<(String, String, bool)>,
}

/// The outcome of an executed action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultView {
    /// The records it created.
    pub created: Vec<Named>,
    /// The records it changed.
    pub updated: Vec<Named>,
}

/// What has changed since a moment that counts for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinceView {
    /// `you opened it`, `it was approved`.
    pub what: String,
    /// When that was.
    pub at: When,
    /// What the checks say now and did not say then.
    pub new: Vec<Check>,
    /// What they said then and don't say any more; passes are not among them.
    pub gone: Vec<Check>,
    /// Fields of records: record, field, then, now.
    pub fields: Vec<(Named, String, String, String)>,
}

/// Two records side by side, because a check found them alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The mark of the verdict that it belongs to.
    pub mark: String,
    /// What is compared.
    pub title: String,
    /// What stands on the left: what was proposed or cited.
    pub left: String,
    /// What stands on the right: what there is.
    pub right: String,
    /// Label, left, right.
    pub rows: Vec<(String, String, String)>,
}

/// Everything the action page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// The action's ID.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// For rejected and failed: why, in words.
    pub outcome: Option<String>,
    /// What it would do, in words.
    pub headline: String,
    /// The summary sentence.
    pub summary: String,
    /// The tool's title and name.
    pub tool: (String, String),
    /// Risk class.
    pub risk: Risk,
    /// When it was proposed.
    pub proposed: When,
    /// When it expires, while it can.
    pub expires: Option<When>,
    /// The digest that an approval names.
    pub digest: String,
    /// The checks.
    pub checks: Vec<Check>,
    /// What has changed since this person opened it, or since it was approved.
    pub since: Option<SinceView>,
    /// What the checks found alike, side by side.
    pub comparisons: Vec<Comparison>,
    /// Tenant, team, release, certification, application, module, repository, service.
    pub context: Vec<Line>,
    /// Work items to create, as a tree.
    pub tree: Vec<TreeItem>,
    /// Other records to create.
    pub creates: Vec<Reference>,
    /// Records to change.
    pub updates: Vec<UpdateView>,
    /// Evidence, findings, controls and blockers referred to.
    pub references: Vec<Reference>,
    /// The agent's claim.
    pub claim: Claim,
    /// The payload as fields: pointer and value.
    pub payload: Vec<(String, String)>,
    /// The payload as canonical JSON.
    pub payload_json: String,
    /// Approval, action, request, trace, workflow, key, digests, tool call chain.
    pub identifiers: Vec<(String, String)>,
    /// The order of the trace's calls.
    pub call_chain: Vec<String>,
    /// What has happened.
    pub timeline: Vec<TimelineStep>,
    /// Notes that were added to it, oldest first.
    pub notes: Vec<String>,
    /// What happened when it ran.
    pub result: Option<ResultView>,
    /// What this person can do.
    pub panel: Panel,
}

/// What became of a decision that somebody sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it was done (now, or before by the same person).
    pub done: bool,
    /// What happened, what was kept, what to do.
    pub message: String,
    /// The action's state now, when it is known.
    pub state: Option<State>,
}

/// One line of the audit search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number in the tenant's log.
    pub seq: i64,
    /// When.
    pub at: When,
    /// Who.
    pub actor: String,
    /// The event's name.
    pub event: String,
    /// What happened, in words.
    pub words: String,
    /// The action it is about.
    pub action: Option<Named>,
    /// The release it is about, by key.
    pub release: Option<String>,
    /// The state after it.
    pub state: Option<State>,
}

/// A page of the audit search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Newest first, up to 50.
    pub rows: Vec<AuditRow>,
    /// Where the next page starts.
    pub next: Option<String>,
    /// How many entries the tenant's log holds.
    pub total: i64,
    /// What is wrong with the query: character position from 0, and words.
    pub error: Option<(u32, String)>,
}

/// One audit entry, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntryView {
    /// The line as the search shows it.
    pub row: AuditRow,
    /// Identity, request, trace, key and so on.
    pub lines: Vec<(String, String)>,
    /// Records it names.
    pub records: Vec<FactRef>,
    /// The content as canonical JSON.
    pub content: String,
    /// The hash of its leaf in the log.
    pub leaf_hash: String,
    /// Whether content and leaf still give the hashes that were stored.
    pub intact: bool,
}
