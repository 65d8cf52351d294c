//! What can go wrong in the store.

use super::connection::NulCharacter;
use std::sync::Arc;

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be opened.
    #[error("the database cannot be opened: {0}")]
    Opening(#[source] sqlx::Error),
    /// The schema is not this binary's.
    #[error("{0}")]
    Schema(String),
    /// A copy can't be made.
    #[error("{0}")]
    Copy(String),
    /// The schema can't be brought to this binary's version. A step that was interrupted left nothing behind.
    #[error("the database's schema could not be upgraded; it is as it was before the step that failed: {0}")]
    Migrating(#[source] sqlx::migrate::MigrateError),
    /// The database refused or broke.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// What is stored can't be read.
    #[error("stored {what} cannot be read: {why}")]
    Damaged {
        /// Which column of which table.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A conditional change found another state than the one it was for.
    #[error("{0} was changed by somebody else meanwhile")]
    Conflict(&'static str),
    /// The transaction that it shared with others was not committed.
    #[error("{0}")]
    Together(Arc<StoreError>),
    /// The task that wrote broke off; nothing was committed.
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

    /// Whether the database can't be used just now (away, full, overloaded): it may well be again later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            StoreError::Opening(error) | StoreError::Database(error) => is_unavailable(error),
            StoreError::Together(error) => error.is_unavailable(),
            _ => false,
        }
    }

    /// Whether it was text that cannot be kept: the character U+0000. Nothing of the statement reached the database.
    pub fn is_unstorable_text(&self) -> bool {
        match self {
            StoreError::Database(sqlx::Error::Encode(error)) => error.is::<NulCharacter>(),
            StoreError::Together(error) => error.is_unstorable_text(),
            _ => false,
        }
    }

    /// Whether a constraint (unique, foreign key, check) stood against it: the data, not the database, is at fault.
    pub fn is_constraint(&self) -> bool {
        matches!(self, StoreError::Database(sqlx::Error::Database(error))
            if error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
    }
}

/// What a write can end with.
pub trait WriteError: From<StoreError> {
    /// Whether the database (or what is stored in it) is at fault. A refusal is an answer, and says nothing of the database.
    fn is_fault(&self) -> bool;
}

impl WriteError for StoreError {
    fn is_fault(&self) -> bool {
        !self.is_constraint() && !self.is_unstorable_text() && !matches!(self, StoreError::Conflict(_))
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // PostgreSQL: connection (08), resources (53: full, too many connections), lock not available (55P03), intervention
            // (57: shut down), system (58). SQLite's codes are numbers, the low byte being the kind: 5 busy, 10 I/O, 13 full.
            match code.parse::<i32>() {
                Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 10 | 13),
                _ => ["08", "53", "55P03", "57", "58"]
                    .iter()
                    .any(|class| code.starts_with(class)),
            }
        }
        _ => false,
    }
}
