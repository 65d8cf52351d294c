//! The queries: one file for each table or page. The longest statements are in `sql/`, one file for each database.
//!
//! Each file adds its queries to [`ReadTx`](super::ReadTx), [`WriteTx`](super::WriteTx) or [`Store`](super::Store). The rules for SQL are in
//! the documentation of the module `store`.

mod accounts;
mod actions;
mod apply;
mod audit;
mod audit_checkpoints;
mod audit_export;
mod audit_recent;
mod audit_tree;
mod catalog;
mod catalog_people;
mod check_context;
mod deciders;
mod decisions;
mod evidence_files;
mod facts;
mod generic_words;
mod identity;
mod import_blockers;
mod import_controls;
mod import_evidence;
mod import_findings;
mod imports;
mod inbox;
mod installation;
mod limits;
mod lists;
mod operator_requests;
mod page_views;
mod people;
mod policies;
mod proposal_context;
mod questions;
mod read_journal;
mod record_keys;
mod records;
mod related;
mod related_actions;
mod seed;
mod session_lists;
mod sessions;

pub use accounts::ListedPerson;
pub use audit::{AuditLeaf, AuditRecord, Entry, EntryToIndex};
pub use audit_checkpoints::{Delivery, StoredCheckpoint};
pub use audit_export::ExportRecord;
pub use evidence_files::{Hashed, StoredResult, Verified};
pub use identity::{Account, Resemblance};
pub use import_blockers::{WantingFrom, WantingPage};
pub use import_evidence::{KeptEvidence, NewEvidence, PART};
pub use import_findings::{ImportedFinding, NewFinding};
pub use imports::{ImportKey, Progress};
pub use inbox::{InboxFilter, InboxFrame, InboxItem};
pub use limits::Waiting;
pub use lists::ListFilter;
pub use operator_requests::{RequestRow, Settled};
pub use page_views::ViewKey;
pub use people::{Asserted, TokenGrant, TokenRow};
pub use policies::{PastActionRow, PolicyRow};
pub use proposal_context::{ProposalContext, Proposer};
pub use read_journal::ReadCall;
pub use related_actions::ActionSummary;
pub use session_lists::{ListedSession, ProviderSessions};
pub use sessions::StoredSession;
