//! The databases: SQLite in this process through `rusqlite`, and PostgreSQL through SQLx's driver.
//!
//! - SQLite: a statement runs on the thread that calls it, because a look-up takes microseconds and a change of threads takes longer. Long
//!   reads run on a bounded number of blocking threads. Writes run on one thread ([`sqlite::Writer`]).
//! - PostgreSQL: two pools of connections, one for reads and one for writes.
//!
//! The rest of the store names neither driver: it builds a [`Query`] and runs it on a [`Tx`]. Rows are plain values ([`Row`]).

mod batch;
mod error;
mod nul;
pub(in crate::store) mod postgres;
mod query;
mod row;
mod sql;
pub(in crate::store) mod sqlite;
mod transaction;
mod value;

pub(in crate::store) use batch::{Batch, PartRow};
pub use error::DatabaseError;
pub(in crate::store) use query::{Query, composed, query};
pub(in crate::store) use row::{ColumnValue, Row};
pub(in crate::store) use sql::{Sql, multi_write};
pub(in crate::store) use transaction::Tx;
pub(in crate::store) use value::Value;

use crate::domain::TenantId;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::time::Duration;

/// The most connections to PostgreSQL that read at the same time; as many more write.
const CONNECTIONS: u32 = 8;
/// The longest time that a request waits for a connection.
const WAIT: Duration = Duration::from_secs(10);
/// The longest time of a statement that reads for a request.
const SHORT: Duration = Duration::from_secs(10);
/// The longest time of a statement of a long read: a search, or a list with a text filter.
const LONG: Duration = Duration::from_secs(60);

/// The databases that an installation can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    /// A file that one machine uses, with one writer at a time.
    Sqlite,
    /// A database server that several nodes share.
    Postgres,
}

impl Dialect {
    /// The database that a URL names.
    pub(in crate::store) fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Dialect::Sqlite),
            "postgres" | "postgresql" => Some(Dialect::Postgres),
            _ => None,
        }
    }
}

/// The lock that a write transaction takes in its tenant. SQLite ignores the choice, because it has one writer at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TenantLock {
    /// The tenant's writes with this lock run one after the other: data that the transaction reads does not change until it commits.
    Exclusive,
    /// The transaction runs concurrently with others. It may only add rows, or change rows under conditions.
    None,
}

/// The first key of this service's advisory locks ("loop" in ASCII). It separates them from the locks of other programs in the same
/// database.
const LOCKS: i32 = 0x6c6f_6f70;

/// The first key of the locks of pauses ("paus" in ASCII).
pub(in crate::store) const PAUSE_LOCKS: i32 = 0x7061_7573;

/// An open database.
#[derive(Clone)]
pub(in crate::store) enum Database {
    Sqlite {
        url: std::sync::Arc<str>,
        /// Connections for reads that run on the task that asks.
        readers: sqlite::Readers,
        /// Connections for long reads.
        long_readers: sqlite::Readers,
        writer: sqlite::Writer,
    },
    Postgres {
        readers: PgPool,
        writers: PgPool,
    },
}

impl Database {
    /// Opens the database. Its schema must be that of this binary.
    pub(in crate::store) fn open(url: &str, dialect: Dialect) -> Result<Self, DatabaseError> {
        Ok(match dialect {
            Dialect::Sqlite => {
                let cores = std::thread::available_parallelism().map_or(2, usize::from);
                Database::Sqlite {
                    url: url.into(),
                    readers: sqlite::Readers::new(url, 2 * cores + 2, SHORT),
                    long_readers: sqlite::Readers::new(url, cores, LONG),
                    writer: sqlite::Writer::start(url)?,
                }
            }
            Dialect::Postgres => Database::Postgres {
                readers: postgres::pool(url, CONNECTIONS)?,
                writers: postgres::pool(url, CONNECTIONS)?,
            },
        })
    }

    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Database::Sqlite { .. } => Dialect::Sqlite,
            Database::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// Begins a transaction that reads one consistent state of this tenant.
    pub(in crate::store) async fn begin_read(&self, tenant: &TenantId) -> Result<Tx, DatabaseError> {
        match self {
            Database::Sqlite { readers, .. } => begin_on(readers).await,
            Database::Postgres { readers, .. } => begin_read_on_postgres(readers, tenant, SHORT).await,
        }
    }

    /// Begins a transaction for a long read.
    pub(in crate::store) async fn begin_long_read(&self, tenant: &TenantId) -> Result<Tx, DatabaseError> {
        match self {
            Database::Sqlite { long_readers, .. } => begin_on(long_readers).await,
            Database::Postgres { readers, .. } => begin_read_on_postgres(readers, tenant, LONG).await,
        }
    }

    /// Begins a transaction that reads one consistent state of all tenants. Its statements have no deadline.
    pub(in crate::store) async fn begin_copy_from(&self) -> Result<Tx, DatabaseError> {
        match self {
            Database::Sqlite { url, .. } => {
                let connection = sqlite::open(url)?;
                connection.execute_batch("BEGIN")?;
                Ok(Tx::Writer(connection))
            }
            Database::Postgres { readers, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Ok(Tx::Postgres(Some(readers.begin_with(begin).await?)))
            }
        }
    }

    /// Begins a transaction that fills an empty database. The check of foreign keys is deferred to the commit, so that a row may refer to a
    /// row that is inserted later.
    pub(in crate::store) async fn begin_copy_to(&self) -> Result<Tx, DatabaseError> {
        match self {
            Database::Sqlite { url, .. } => {
                let connection = sqlite::open(url)?;
                connection.execute_batch("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON")?;
                Ok(Tx::Writer(connection))
            }
            Database::Postgres { writers, .. } => {
                let mut tx = Tx::Postgres(Some(writers.begin_with("BEGIN").await?));
                tx.execute_batch("SET CONSTRAINTS ALL DEFERRED").await?;
                Ok(tx)
            }
        }
    }

    /// Runs a query outside a transaction, for rows that belong to no tenant.
    pub(in crate::store) async fn fetch_all(&self, query: Query<'_>) -> Result<Vec<Row>, DatabaseError> {
        query.check()?;
        match self {
            Database::Sqlite { readers, .. } => {
                let mut reader = readers.get(WAIT).await?;
                Ok(query.run_on(reader.connection()?)?.rows)
            }
            Database::Postgres { readers, .. } => {
                let mut connection = readers.acquire().await?;
                postgres::fetch(&mut connection, query.postgres(), query.values(), query.is_constant()).await
            }
        }
    }

    /// The first row of [`Database::fetch_all`].
    pub(in crate::store) async fn fetch_optional(&self, query: Query<'_>) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(query).await?.into_iter().next())
    }

    /// Runs a write outside a transaction, for rows that belong to no tenant. Returns the number of rows that it changed.
    pub(in crate::store) async fn execute(&self, query: Query<'static>) -> Result<u64, DatabaseError> {
        query.check()?;
        match self {
            Database::Sqlite { writer, .. } => {
                let done = writer.run(move |connection| query.run_on(connection)).await?;
                Ok(done.changed)
            }
            Database::Postgres { writers, .. } => {
                let mut connection = writers.acquire().await?;
                postgres::execute(&mut connection, query.postgres(), query.values(), query.is_constant()).await
            }
        }
    }

    /// Writes a consistent copy of a SQLite database to a new file.
    pub(in crate::store) async fn backup(&self, file: &str) -> Result<(), DatabaseError> {
        let Database::Sqlite { url, .. } = self else {
            return Err(DatabaseError::Closed);
        };
        let (url, file) = (url.clone(), file.to_owned());
        let copy = tokio::task::spawn_blocking(move || {
            let mut connection = sqlite::open(&url)?;
            connection.run("VACUUM INTO $1", &[file.into()]).map(drop)
        });
        copy.await.unwrap_or(Err(DatabaseError::Closed))
    }

    /// Closes all connections after their transactions have ended.
    pub(in crate::store) async fn close(&self) {
        match self {
            Database::Sqlite {
                readers,
                long_readers,
                writer,
                ..
            } => {
                readers.close();
                long_readers.close();
                writer.close().await;
            }
            Database::Postgres { readers, writers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

async fn begin_on(readers: &sqlite::Readers) -> Result<Tx, DatabaseError> {
    let mut reader = readers.get(WAIT).await?;
    reader.connection()?.run("BEGIN", &[])?;
    Ok(Tx::Reader(reader))
}

/// Begins a transaction that reads in this tenant, on PostgreSQL. Each of its statements ends after `deadline`.
async fn begin_read_on_postgres(readers: &PgPool, tenant: &TenantId, deadline: Duration) -> Result<Tx, DatabaseError> {
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; {}",
        deadline.as_millis(),
        set_tenant(tenant)
    );
    Ok(Tx::Postgres(Some(readers.begin_with(safe(begin)).await?)))
}

/// Begins a transaction that writes in this tenant, on PostgreSQL.
pub(in crate::store) async fn begin_write(
    writers: &PgPool,
    tenant: &TenantId,
    lock: TenantLock,
) -> Result<Tx, DatabaseError> {
    let begin = match lock {
        // A pause waits for the proposals that began before it, and those that begin later see it.
        TenantLock::None => format!(
            "BEGIN; {}; SELECT pg_advisory_xact_lock_shared({PAUSE_LOCKS}, hashtext('{tenant}'))",
            set_tenant(tenant)
        ),
        TenantLock::Exclusive => format!(
            "BEGIN; {}; SELECT pg_advisory_xact_lock({LOCKS}, hashtext('{tenant}'))",
            set_tenant(tenant)
        ),
    };
    Ok(Tx::Postgres(Some(writers.begin_with(safe(begin)).await?)))
}

/// Enters this tenant for the rest of the transaction, so that row-level security admits its rows.
pub(in crate::store) fn set_tenant(tenant: &TenantId) -> String {
    format!("SET LOCAL loopiq.tenant = '{tenant}'")
}

/// Marks SQL as safe. The text consists of constants and a tenant's name, and `TenantId` allows only a-z, 0-9 and hyphens.
fn safe(sql: String) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_tells_the_database() {
        assert_eq!(Dialect::of("sqlite:///x.db"), Some(Dialect::Sqlite));
        assert_eq!(Dialect::of("postgres://h/d"), Some(Dialect::Postgres));
        assert_eq!(Dialect::of("postgresql:///d?host=/run"), Some(Dialect::Postgres));
        assert_eq!(Dialect::of("mysql://h/d"), None);
        assert_eq!(Dialect::of("/a/file"), None);
    }
}
