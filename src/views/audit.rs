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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditPage {
    /// Newest first, up to 50.
    pub rows: Vec<AuditRow>,
    /// Where the next page starts.
    pub next: Option<String>,
    /// How many entries the tenant's log holds.
    pub total: i64,
    /// What is wrong with the form. Nothing was searched then.
    pub errors: Vec<AuditFault>,
}

/// What the form of the audit search asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditForm {
    /// The query, see [`domain::query`](crate::domain::query).
    pub q: String,
    /// The first day; empty for no limit.
    pub from: String,
    /// The last day, which is included; empty for no limit.
    pub to: String,
}

impl AuditForm {
    /// The query of a visit that asks for nothing. A busy service signs a checkpoint each minute, and an auditor at work searches as often,
    /// which would leave no place for what people did. The page shows the query in its field, so that nothing is hidden unnoticed.
    pub const NEWEST: &str = "-event:audit.checkpoint_signed -event:audit.searched";

    /// Whether the form asks for nothing in particular: it is empty, or as a visit without a query fills it.
    #[must_use]
    pub fn is_unspecific(&self) -> bool {
        matches!(self.q.trim(), "" | Self::NEWEST) && self.from.is_empty() && self.to.is_empty()
    }
}

/// A mistake in the form of the audit search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditFault {
    /// The field of [`AuditForm`] by its name.
    pub field: &'static str,
    /// The first wrong character, from 0.
    pub at: u32,
    /// The number of wrong characters; 0 if something is missing there.
    pub length: u32,
    /// What is wrong, and what is allowed.
    pub message: PlainText,
}

/// The latest signed checkpoint, if it covers an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveringCheckpoint {
    /// The number of entries that it covers.
    pub size: u64,
    /// When it was signed.
    pub at: When,
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
    /// The latest checkpoint, if it covers the entry.
    pub checkpoint: Option<CoveringCheckpoint>,
}
