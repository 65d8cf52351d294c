//! Transactions on either database.

use super::error::DatabaseError;
use super::{postgres, sqlite};
use sqlx::postgres::PgConnection;

/// An open transaction. Dropping it without a commit rolls it back.
pub(in crate::store) enum Tx {
    /// A transaction of a connection that reads. Its pool takes the connection back.
    Reader(sqlite::Reader),
    /// A transaction of a connection that writes. The writer's thread takes the connection back.
    Writer(sqlite::Connection),
    /// A transaction on PostgreSQL; `None` after its end.
    Postgres(Option<postgres::Transaction>),
}

/// The connection of a transaction.
pub(super) enum Handle<'t> {
    Sqlite(&'t mut sqlite::Connection),
    Postgres(&'t mut PgConnection),
}

impl Tx {
    pub(super) fn handle(&mut self) -> Result<Handle<'_>, DatabaseError> {
        Ok(match self {
            Tx::Reader(reader) => Handle::Sqlite(reader.connection()?),
            Tx::Writer(connection) => Handle::Sqlite(connection),
            Tx::Postgres(Some(transaction)) => Handle::Postgres(transaction),
            Tx::Postgres(None) => return Err(DatabaseError::Closed),
        })
    }

    /// Runs statements without parameters, separated by semicolons.
    pub(in crate::store) async fn execute_batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        match self.handle()? {
            Handle::Sqlite(connection) => connection.execute_batch(sql),
            Handle::Postgres(connection) => postgres::execute_batch(connection, sql).await,
        }
    }

    /// The connection of a transaction that writes on SQLite.
    pub(in crate::store) fn into_connection(self) -> Option<sqlite::Connection> {
        match self {
            Tx::Writer(connection) => Some(connection),
            Tx::Reader(_) | Tx::Postgres(_) => None,
        }
    }

    /// What interrupts the statements of this transaction, if they run on a thread of this process.
    pub(in crate::store) fn cancel(&mut self) -> Option<sqlite::Cancel> {
        match self.handle() {
            Ok(Handle::Sqlite(connection)) => Some(connection.cancel()),
            Ok(Handle::Postgres(_)) | Err(_) => None,
        }
    }

    /// Whether the transaction is still open. SQLite can end a transaction by itself, for example because the disk is full.
    pub(in crate::store) fn is_open(&mut self) -> bool {
        match self.handle() {
            Ok(Handle::Sqlite(connection)) => connection.is_in_transaction(),
            Ok(Handle::Postgres(_)) => true,
            Err(_) => false,
        }
    }

    /// Commits.
    pub(in crate::store) async fn commit(&mut self) -> Result<(), DatabaseError> {
        if let Tx::Postgres(transaction) = self {
            let transaction = transaction.take().ok_or(DatabaseError::Closed)?;
            return Ok(transaction.commit().await?);
        }
        self.execute_batch("COMMIT").await
    }
}
