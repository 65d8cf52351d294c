//! What the pages show: plain values that the engine makes and a page renders. Text that people outside the service wrote is
//! [`PlainText`]; a `String` holds IDs, digests and our own words. Times are ready to render: both the exact one and the relative one.

mod approvals;
mod audit;
mod foldable_sections;
mod inbox;
mod policy;
mod requests;

pub use approvals::*;
pub use audit::*;
pub use foldable_sections::parts;
pub use inbox::*;
pub use policy::*;
pub use requests::*;

use crate::domain::text::PlainText;
use crate::domain::{Check, RecordKind, Risk, State, Timestamp};
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
pub struct RecordLabel {
    /// What kind of record.
    pub kind: RecordKind,
    /// Its ID.
    pub id: String,
    /// Its key, where it has one.
    pub key: Option<PlainText>,
    /// Its name or title.
    pub name: PlainText,
}

/// One line of a definition list: a label and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The label.
    pub label: PlainText,
    /// What stands behind it.
    pub value: PlainText,
    /// The record it names, if it names one.
    pub record: Option<RecordLabel>,
}

impl Line {
    /// A line of text.
    pub fn text(label: &str, value: impl Into<PlainText>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            record: None,
        }
    }
    /// A line that names a record.
    pub fn record(label: &str, record: RecordLabel) -> Self {
        Self {
            label: label.into(),
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
    pub key: Option<PlainText>,
    /// `Story` or `Task`.
    pub kind: String,
    /// The whole title.
    pub title: PlainText,
    /// The whole description.
    pub description: PlainText,
    /// Whether the action creates it (or it was there before).
    pub created: bool,
    /// Owner, priority, estimate, client's reference and so on.
    pub lines: Vec<Line>,
    /// Findings, controls, evidence and blockers it rests on.
    pub references: Vec<RecordLabel>,
    /// What hangs below it.
    pub children: Vec<TreeItem>,
}

/// Fields of one record, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateView {
    /// The record.
    pub record: RecordLabel,
    /// Field, before, after.
    pub fields: Vec<(PlainText, PlainText, PlainText)>,
}

/// A record that the payload refers to, with enough to judge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The record.
    pub record: RecordLabel,
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
    pub records: Vec<RecordLabel>,
    /// How many more came back than are listed.
    pub more: u32,
}

/// What the agent says, unverified, and what it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The agent's reason, plain text.
    pub reason: PlainText,
    /// Who asked: `Dana Developer via Helix`.
    pub asked_by: PlainText,
    /// Its calls before the proposal, oldest first.
    pub reads: Vec<ReadView>,
    /// IDs that it cites and that no read had returned.
    pub unread: Vec<RecordLabel>,
}

/// One step of the action's life, from its audit entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineStep {
    /// The audit entry's number in the tenant's log.
    pub seq: i64,
    /// The event's name.
    pub event: String,
    /// What happened, in words.
    pub words: PlainText,
    /// Who did it.
    pub actor: PlainText,
    /// When.
    pub at: When,
    /// What they said, if anything.
    pub note: Option<PlainText>,
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
    /// Whether whoever approves may run it at once.
    pub run: bool,
    /// Revoke.
    pub revoke: bool,
    /// Why there is nothing to press, or why approving is not offered.
    pub why_not: Option<PlainText>,
    /// What one would be agreeing to: `You approve: 1 story and 12 tasks, digest 8c1f…`.
    pub you_approve: PlainText,
    /// Reason codes for a rejection: value, words, and whether it is ticked to begin with.
    pub reasons: Vec<(String, PlainText, bool)>,
    /// The word to type for an approval, where one is asked for. Such a page wants its folded parts opened, too.
    pub word: Option<String>,
    /// Ask the proposer something.
    pub ask: bool,
    /// Parts that can be left out: reference and title.
    pub prune: Vec<(String, PlainText)>,
}

/// The outcome of an executed action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultView {
    /// The records it created.
    pub created: Vec<RecordLabel>,
    /// The records it changed.
    pub updated: Vec<RecordLabel>,
}

/// What has changed since a moment that counts for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinceView {
    /// `you opened it`, `it was approved`.
    pub what: PlainText,
    /// When that was.
    pub at: When,
    /// What the checks say now and did not say then.
    pub new: Vec<Check>,
    /// What they said then and don't say any more; passes are not among them.
    pub gone: Vec<Check>,
    /// Fields of records: record, field, then, now.
    pub fields: Vec<(RecordLabel, PlainText, PlainText, PlainText)>,
}

/// Two records side by side, because a check found them alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The mark of the verdict that it belongs to.
    pub mark: String,
    /// What is compared.
    pub title: PlainText,
    /// What stands on the left: what was proposed or cited.
    pub left: PlainText,
    /// What stands on the right: what there is.
    pub right: PlainText,
    /// Label, left, right.
    pub rows: Vec<(PlainText, PlainText, PlainText)>,
}

/// Everything the action page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// The action's ID.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// For rejected and failed: why, in words.
    pub outcome: Option<PlainText>,
    /// What it would do, in words.
    pub headline: PlainText,
    /// The summary sentence.
    pub summary: PlainText,
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
    /// The value that the decision forms of this page carry, where the view was recorded: an approval and an execution are refused without
    /// it.
    pub view: Option<String>,
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
    pub payload: Vec<(String, PlainText)>,
    /// The payload as canonical JSON.
    pub payload_json: PlainText,
    /// Approval, action, request, trace, workflow, key, digests, tool call chain.
    pub identifiers: Vec<(PlainText, PlainText)>,
    /// The order of the trace's calls.
    pub call_chain: Vec<String>,
    /// What has happened.
    pub timeline: Vec<TimelineStep>,
    /// Notes that were added to it, oldest first.
    pub notes: Vec<PlainText>,
    /// What happened when it ran.
    pub result: Option<ResultView>,
    /// What it waives, closes or opens, if its risk is high: that stands first.
    pub stakes: Vec<PlainText>,
    /// Who has decided, what is missing, and who could give it; nothing once it is decided.
    pub approvals: Option<ApprovalsView>,
    /// Other actions that it has to do with.
    pub related: Vec<Related>,
    /// How it differs from the one that it takes the place of, or that was declined.
    pub revisions: Vec<Revision>,
    /// Questions and answers, oldest first.
    pub questions: Vec<QuestionView>,
    /// The parts of its page that fold ([`parts`]); where a word is typed, all of them have to be opened before.
    pub parts: Vec<String>,
    /// What this person can do.
    pub panel: Panel,
}

/// What became of a decision that somebody sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it was done (now, or before by the same person).
    pub done: bool,
    /// What happened, what was kept, what to do.
    pub message: PlainText,
    /// The action's state now, when it is known.
    pub state: Option<State>,
    /// The action that stands in its place now, if one was made.
    #[serde(default)]
    pub successor: Option<String>,
}
