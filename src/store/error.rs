//! Errors of the store.

use super::db::DatabaseError;
use std::sync::Arc;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Opening(#[source] DatabaseError),
    /// The database has another schema than this binary.
    #[error("{0}")]
    Schema(String),
    /// A copy cannot be made.
    #[error("{0}")]
    Copy(String),
    /// The schema cannot be migrated to this binary's version. An interrupted migration leaves no changes.
    #[error("the database's schema could not be upgraded; it is as it was before the step that failed: {0}")]
    Migrating(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database refused a statement, or the connection failed.
    #[error("the database: {0}")]
    Database(#[from] DatabaseError),
    /// A stored value cannot be read.
    #[error("stored {what} cannot be read: {why}")]
    Damaged {
        /// The column or the kind of value.
        what: String,
        /// Why the value cannot be read.
        why: String,
    },
    /// The row of a conditional change does not have the expected state.
    #[error("{0} was changed by somebody else meanwhile")]
    Conflict(&'static str),
    /// The shared transaction of a group commit was not committed.
    #[error("{0}")]
    Together(Arc<StoreError>),
    /// The program that writes has no keys of the audit log.
    #[error("nothing was written: the keys of the audit log were not loaded")]
    NoLogKeys,
    /// The task of a write ended before its commit, so that nothing was committed.
    #[error("a write broke off: {0}")]
    Interrupted(String),
}

impl StoreError {
    pub(super) fn unknown_url() -> Self {
        StoreError::Schema("the database URL must begin with sqlite: or postgres:".to_owned())
    }
    pub(super) fn damaged(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        StoreError::Damaged {
            what: what.into(),
            why: why.to_string(),
        }
    }

    /// Whether the database is temporarily unavailable (unreachable, full, overloaded). The client can retry later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            StoreError::Opening(error) | StoreError::Database(error) => error.is_unavailable(),
            StoreError::Together(error) => error.is_unavailable(),
            _ => false,
        }
    }

    /// Whether the disk of the database is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            StoreError::Opening(error) | StoreError::Database(error) => error.is_disk_full(),
            StoreError::Together(error) => error.is_disk_full(),
            _ => false,
        }
    }

    /// Whether an argument contains the character U+0000. The statement was not sent to the database.
    pub fn is_unstorable_text(&self) -> bool {
        match self {
            StoreError::Database(error) => matches!(error, DatabaseError::NulCharacter(_)),
            StoreError::Together(error) => error.is_unstorable_text(),
            _ => false,
        }
    }

    /// Whether a constraint (unique, foreign key, check) refused the write. The data is the problem, not the database.
    pub fn is_constraint(&self) -> bool {
        matches!(self, StoreError::Database(error) if error.is_constraint())
    }
}

/// The error type of a write.
pub trait WriteError: From<StoreError> {
    /// Whether the database or its stored data caused the error. A refusal is a regular result, so that it does not affect readiness.
    fn is_fault(&self) -> bool;
}

impl WriteError for StoreError {
    fn is_fault(&self) -> bool {
        !self.is_constraint() && !self.is_unstorable_text() && !matches!(self, StoreError::Conflict(_))
    }
}
