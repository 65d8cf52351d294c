//! What the audit pages show.

use crate::domain::text::PlainText;
use crate::domain::{FactRef, State};
use crate::views::{RecordLabel, When};
use serde::{Deserialize, Serialize};

/// One line of the audit search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number in the tenant's log.
    pub seq: i64,
    /// When.
    pub at: When,
    /// Who.
    pub actor: PlainText,
    /// The event's name.
    pub event: String,
    /// The event's label.
    pub words: PlainText,
    /// The action it is about.
    pub action: Option<RecordLabel>,
    /// The release it is about, by key.
    pub release: Option<PlainText>,
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
    /// The error of the query: character position from 0, and message.
    pub error: Option<(u32, PlainText)>,
}

/// One audit entry with all its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntryView {
    /// The line as the search shows it.
    pub row: AuditRow,
    /// Identity, request, trace, key and so on.
    pub lines: Vec<(PlainText, PlainText)>,
    /// Records it names.
    pub records: Vec<FactRef>,
    /// The content as canonical JSON.
    pub content: PlainText,
    /// The payload that the entry refers to by its digest, as JSON, and whether it still has that digest.
    pub payload: Option<(PlainText, bool)>,
    /// The hash of its leaf in the log.
    pub leaf_hash: String,
    /// Whether content and leaf have the hashes that were stored.
    pub intact: bool,
}
