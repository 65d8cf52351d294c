//! What people read: the labels of values, the sentence of a preview, times, and the values that the engine makes for pages.
//!
//! Pure, and compiled to WASM. Text that people outside the service wrote is [`PlainText`]; a `String` holds IDs, digests and the
//! service's own sentences. The sentences of a page that need no data are in the page itself (`app/`).

mod access;
mod approvals;
mod audit;
mod catalog;
mod clients;
mod foldable_sections;
mod inbox;
mod labels;
mod pauses;
mod policy;
mod preview;
mod release;
mod requests;
mod sessions;
mod time;

pub use access::*;
pub use approvals::*;
pub use audit::*;
pub use catalog::*;
pub use clients::*;
pub use foldable_sections::{FoldableSections, titled_sections};
pub use inbox::*;
pub use labels::{Label, actor_label, event_label};
pub use pauses::*;
pub use policy::*;
pub use preview::{Preview, executed_summary, summary};
pub use release::*;
pub use requests::*;
pub use sessions::*;
pub use time::{When, duration, relative};

use crate::domain::text::PlainText;
use crate::domain::{Check, RecordKind, Risk, Section, State};
use serde::{Deserialize, Serialize};

/// A record with its key and name from the database.
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

/// One line of a definition list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The label.
    pub label: PlainText,
    /// The value.
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

/// A work item in the tree: one that the action creates, or an existing parent.
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
    /// The section that the description is folded into. None: the page shows the description in full.
    pub section: Option<Section>,
    /// Whether the action creates it; otherwise it existed before.
    pub created: bool,
    /// Owner, priority, estimate, client's reference and so on.
    pub lines: Vec<Line>,
    /// Findings, controls, evidence and blockers it is based on.
    pub references: Vec<RecordLabel>,
    /// Its child items.
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

/// A record that the payload refers to, with its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The record.
    pub record: RecordLabel,
    /// Its details.
    pub lines: Vec<Line>,
    /// The section that the details are folded into, if an approval of high risk needs it.
    pub section: Option<Section>,
}

/// One record that the agent read in this trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadView {
    /// The tool it called.
    pub tool: String,
    /// When.
    pub at: When,
    /// The records that the call returned.
    pub records: Vec<RecordLabel>,
    /// How many more records the call returned.
    pub more: u32,
}

/// The agent's reason, which is not verified, and what the agent read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The agent's reason, plain text.
    pub reason: PlainText,
    /// The proposer: `Dana Developer via Helix`.
    pub asked_by: PlainText,
    /// Its calls before the proposal, oldest first.
    pub reads: Vec<ReadView>,
    /// Records that it cites but that no read had returned.
    pub unread: Vec<RecordLabel>,
    /// The section that the reads are folded into, if an approval of high risk needs it.
    pub section: Option<Section>,
}

/// One step of the action's life, from its audit entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineStep {
    /// The audit entry's number in the tenant's log.
    pub seq: i64,
    /// The event's name.
    pub event: String,
    /// The event's label.
    pub words: PlainText,
    /// The actor.
    pub actor: PlainText,
    /// When.
    pub at: When,
    /// The reason or note, if there is one.
    pub note: Option<PlainText>,
}

/// What this person can do with the action now, and why not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// Approve (and approve and run).
    pub approve: bool,
    /// Reject.
    pub reject: bool,
    /// Execute.
    pub execute: bool,
    /// Whether the policy lets an approver run it at once.
    pub run: bool,
    /// Revoke.
    pub revoke: bool,
    /// Why the person cannot decide, or why approving is not offered.
    pub why_not: Option<PlainText>,
    /// What the person would approve: `Creates 1 story and 12 tasks. Digest 8c1f…`.
    pub you_approve: PlainText,
    /// Reason codes for a rejection: value, label, and whether it is ticked at first.
    pub reasons: Vec<(String, PlainText, bool)>,
    /// The word to type for an approval of high risk. Such an approval also needs the sections of the page opened.
    pub word: Option<String>,
    /// What the policy requires of the sign-in of a person who approves; `None` if it requires nothing.
    pub step_up: Option<StepUpNote>,
    /// Ask the proposer a question.
    pub ask: bool,
    /// Parts that can be left out: reference and title.
    pub prune: Vec<(String, PlainText)>,
}

/// What an approval requires of the person's sign-in, and whether the person has to sign in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpNote {
    /// Whether an approval leads to the sign-in first.
    pub again: bool,
    /// What the person should know before the approval.
    pub message: PlainText,
}

/// The outcome of an executed action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultView {
    /// The records it created.
    pub created: Vec<RecordLabel>,
    /// The records it changed.
    pub updated: Vec<RecordLabel>,
}

/// Changes since the person's last visit, or since the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesSinceView {
    /// `you opened it`, `it was approved`.
    pub what: PlainText,
    /// When that was.
    pub at: When,
    /// Verdicts that are new.
    pub new: Vec<Check>,
    /// Verdicts that are gone. Passed checks are left out.
    pub gone: Vec<Check>,
    /// Fields of records: record, field, then, now.
    pub fields: Vec<(RecordLabel, PlainText, PlainText, PlainText)>,
}

/// Two records that a check found to be alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The mark of the verdict.
    pub mark: String,
    /// The heading.
    pub title: PlainText,
    /// The heading of the left column: the proposed or cited record.
    pub left: PlainText,
    /// The heading of the right column: the existing record.
    pub right: PlainText,
    /// Label, left, right.
    pub rows: Vec<(PlainText, PlainText, PlainText)>,
}

/// Everything the action page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// The action's ID.
    pub id: String,
    /// Its state.
    pub state: State,
    /// For rejected and failed actions: the reason.
    pub outcome: Option<PlainText>,
    /// What it would do, in a few words.
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
    /// The value that the decision forms carry, if the visit was recorded. The engine refuses an approval or an execution without it.
    pub view: Option<String>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Changes since this person's last visit, or since the approval.
    pub since: Option<ChangesSinceView>,
    /// Comparisons that belong to verdicts.
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
    /// The tool calls of the trace, in order.
    pub call_chain: Vec<String>,
    /// The events, oldest first.
    pub timeline: Vec<TimelineStep>,
    /// Notes that were added to it, oldest first.
    pub notes: Vec<PlainText>,
    /// The result of the execution.
    pub result: Option<ResultView>,
    /// The consequences, if the risk is high.
    pub stakes: Vec<PlainText>,
    /// The approvals, while the action is pending.
    pub approvals: Option<ApprovalsView>,
    /// Related actions.
    pub related: Vec<Related>,
    /// The differences to the proposal that it replaces, or to a similar one that was rejected.
    pub revisions: Vec<Revision>,
    /// Questions and answers, oldest first.
    pub questions: Vec<QuestionView>,
    /// The sections that must be opened before an approval of high risk.
    pub sections: Vec<Section>,
    /// What this person can do.
    pub panel: Panel,
}

/// The outcome of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it was done, now or earlier by the same person.
    pub done: bool,
    /// What happened, what was kept, and what to do.
    pub message: PlainText,
    /// The action's state now, when it is known.
    pub state: Option<State>,
    /// The action that replaces this one, if there is one.
    #[serde(default)]
    pub successor: Option<String>,
    /// Whether the person can do it after signing in again (step-up authentication).
    #[serde(default)]
    pub sign_in_again: bool,
}

impl Outcome {
    /// An outcome that names no action.
    pub fn new(done: bool, message: impl Into<PlainText>) -> Self {
        Self {
            done,
            message: message.into(),
            state: None,
            successor: None,
            sign_in_again: false,
        }
    }
}
