//! What can go wrong in the store.

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be opened.
    #[error("the database cannot be opened: {0}")]
    Opening(#[source] sqlx::Error),
    /// The schema can't be brought to this binary's version.
    #[error("the database's schema does not fit this version of loopiq: {0}")]
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
    /// The task that wrote broke off; nothing was committed.
    #[error("a write broke off: {0}")]
    Interrupted(String),
}

impl StoreError {
    pub(super) fn opening(error: sqlx::Error) -> Self {
        StoreError::Opening(error)
    }
    pub(super) fn migrating(error: sqlx::migrate::MigrateError) -> Self {
        StoreError::Migrating(error)
    }
    pub(super) fn damaged(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        StoreError::Damaged {
            what: what.into(),
            why: why.to_string(),
        }
    }

    /// Whether a constraint (unique, foreign key, check) stood against it: the data, not the database, is at fault.
    pub fn is_constraint(&self) -> bool {
        matches!(self, StoreError::Database(sqlx::Error::Database(error))
            if error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
    }
}
