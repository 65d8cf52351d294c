//! Errors of the databases.

use super::nul::NulCharacter;

/// Why a database did not run a statement.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite refused a statement.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused a statement, or its connection failed.
    #[error("{0}")]
    Postgres(#[from] sqlx::Error),
    /// A parameter has the character U+0000. The statement was not sent to the database.
    #[error(transparent)]
    NulCharacter(#[from] NulCharacter),
    /// All connections were in use for too long.
    #[error("no connection became free in time")]
    NoConnection,
    /// The statement took longer than its deadline and was interrupted.
    #[error("a statement took longer than {0} seconds and was interrupted")]
    Deadline(u64),
    /// The thread that writes cannot be started.
    #[error("the writer cannot be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
    /// The statement returned no row, but its caller needs one.
    #[error("a statement returned no row")]
    NoRow,
    /// A column has a type that this schema does not use.
    #[error("the column {column} has the type {kind}, which this schema does not use")]
    UnknownType {
        /// The column's name.
        column: String,
        /// The database's name of the type.
        kind: String,
    },
    /// SQLite has ended a transaction by itself, for example because the disk is full. None of its changes are kept.
    #[error("the database has rolled the transaction back")]
    RolledBack,
}

impl DatabaseError {
    /// Whether the database is temporarily unavailable (unreachable, full, overloaded).
    pub(in crate::store) fn is_unavailable(&self) -> bool {
        match self {
            DatabaseError::NoConnection
            | DatabaseError::Deadline(_)
            | DatabaseError::Closed
            | DatabaseError::RolledBack => true,
            // Busy, I/O error, full disk, or the file cannot be opened.
            DatabaseError::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::DatabaseBusy
                        | rusqlite::ErrorCode::SystemIoFailure
                        | rusqlite::ErrorCode::DiskFull
                        | rusqlite::ErrorCode::CannotOpen
                )
            ),
            DatabaseError::Postgres(error) => is_unavailable(error),
            _ => false,
        }
    }

    /// Whether the disk of the database is full.
    pub(in crate::store) fn is_disk_full(&self) -> bool {
        match self {
            DatabaseError::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            // disk_full: https://www.postgresql.org/docs/current/errcodes-appendix.html
            DatabaseError::Postgres(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == "53100"),
            _ => false,
        }
    }

    /// Whether a constraint (unique, foreign key, check) refused the write.
    pub(in crate::store) fn is_constraint(&self) -> bool {
        match self {
            DatabaseError::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    | rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY
                    | rusqlite::ffi::SQLITE_CONSTRAINT_CHECK
            ),
            DatabaseError::Postgres(sqlx::Error::Database(error)) => {
                error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation()
            }
            _ => false,
        }
    }

    /// Whether a statement names a table that does not exist.
    pub(in crate::store) fn is_missing_table(&self) -> bool {
        match self {
            DatabaseError::Sqlite(error) => error.to_string().starts_with("no such table"),
            DatabaseError::Postgres(_) => self.postgres_code().as_deref() == Some("42P01"),
            _ => false,
        }
    }

    /// PostgreSQL's code of the error (SQLSTATE).
    pub(in crate::store) fn postgres_code(&self) -> Option<String> {
        match self {
            DatabaseError::Postgres(error) => error.as_database_error()?.code().map(Into::into),
            _ => None,
        }
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::BeginFailed => true,
        // Connection (08), resources (53: full, too many connections), lock not available (55P03), operator intervention (57: shut down,
        // statement timeout), system (58).
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            ["08", "53", "55P03", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
        }
        _ => false,
    }
}
