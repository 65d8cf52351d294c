//! A connection to the SQLite file, in this process. A statement runs on the thread that calls it.

use crate::store::StoreError;
use crate::store::db::error::DatabaseError;
use crate::store::db::row::{ColumnNames, Row, is_full};
use crate::store::db::value::Value;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{OpenFlags, Statement};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of prepared statements that a connection keeps: more than the service has.
const PREPARED: usize = 512;
/// The number of SQLite's instructions between two looks at the deadline (about 20 µs).
const INSTRUCTIONS: i32 = 2_000;

/// What ends the statements of a connection early: its deadline, and the end of the request that it works for.
#[derive(Debug, Default)]
struct Limits {
    /// Counts the uses of the connection, so that a request that ended late does not interrupt the next one.
    turn: AtomicU64,
    /// The turn that is cancelled.
    cancelled: AtomicU64,
    /// The deadline has interrupted the statement.
    expired: AtomicBool,
    /// When the running statement has to end.
    deadline: Mutex<Option<Instant>>,
}

impl Limits {
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) == self.turn.load(Ordering::Relaxed)
    }

    fn set(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
    }

    fn interrupts(&self) -> bool {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let expired = deadline.is_some_and(|deadline| deadline <= now());
        if expired {
            self.expired.store(true, Ordering::Relaxed);
        }
        expired || self.is_cancelled()
    }
}

/// Interrupts the statements of one use of a connection.
#[derive(Debug)]
pub(in crate::store) struct Cancel {
    limits: Arc<Limits>,
    turn: u64,
}

impl Cancel {
    /// Interrupts the running statement and all later ones of this use.
    pub(in crate::store) fn cancel(&self) {
        self.limits.cancelled.store(self.turn, Ordering::Relaxed);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline on the machine's own clock, which no test sets"
)]
fn now() -> Instant {
    Instant::now()
}

/// A connection.
pub(in crate::store) struct Connection {
    inner: rusqlite::Connection,
    limits: Arc<Limits>,
    /// The longest time of a statement; `None` without a limit.
    deadline: Option<Duration>,
    /// The names of columns, by the address of the statement's text.
    columns: HashMap<(usize, usize), Arc<ColumnNames>>,
}

/// The result of a statement.
pub(in crate::store) struct Done {
    /// The rows that the statement returned.
    pub(in crate::store) rows: Vec<Row>,
    /// The number of rows that the statement inserted, updated or deleted.
    pub(in crate::store) changed: u64,
}

impl Connection {
    /// Opens the file of a URL `sqlite://FILE?mode=…`. SQLite reads the rest of the URL as that of a `file:` URI.
    /// See <https://sqlite.org/uri.html>.
    pub(super) fn open(url: &str, deadline: Option<Duration>) -> Result<Self, DatabaseError> {
        let rest = url.strip_prefix("sqlite:").unwrap_or(url);
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let mode = if rest.contains("mode=") {
            ""
        } else if rest.contains('?') {
            "&mode=rw"
        } else {
            "?mode=rw"
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let inner = rusqlite::Connection::open_with_flags(format!("file:{rest}{mode}"), flags)?;
        inner.set_prepared_statement_cache_capacity(PREPARED);
        // Without this guarantee SQLite compares parameters with the conditions of partial indexes, and prepares the statement again each
        // time its parameters are bound. The plans are those that `tests/engine/query_plans.rs` checks, which binds nothing.
        inner.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let limits = Arc::<Limits>::default();
        if deadline.is_some() {
            let limits = Arc::clone(&limits);
            inner.progress_handler(INSTRUCTIONS, Some(move || limits.interrupts()))?;
        }
        let connection = Self {
            inner,
            limits,
            deadline,
            columns: HashMap::new(),
        };
        connection.begin_turn();
        Ok(connection)
    }

    /// Begins another use of the connection.
    pub(super) fn begin_turn(&self) {
        self.limits.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// What interrupts the statements of this use.
    pub(in crate::store) fn cancel(&self) -> Cancel {
        Cancel {
            limits: Arc::clone(&self.limits),
            turn: self.limits.turn.load(Ordering::Relaxed),
        }
    }

    /// Whether this use was cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.limits.is_cancelled()
    }

    /// Runs statements without parameters, separated by semicolons.
    pub(in crate::store) fn execute_batch(&self, sql: &str) -> Result<(), DatabaseError> {
        self.inner.execute_batch(sql).map_err(|error| self.error(error))
    }

    /// Whether a transaction is open.
    pub(in crate::store) fn is_in_transaction(&self) -> bool {
        !self.inner.is_autocommit()
    }

    /// Runs one statement of the service's own text, which the connection keeps prepared.
    pub(in crate::store) fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Done, DatabaseError> {
        self.start();
        let key = (sql.as_ptr() as usize, sql.len());
        let known = self.columns.get(&key).cloned();
        let mut statement = self.inner.prepare_cached(sql).map_err(|error| self.error(error))?;
        let columns = known.clone().unwrap_or_else(|| names(&statement));
        let done = step(&mut statement, values, &columns);
        drop(statement);
        if known.is_none() {
            self.columns.insert(key, columns);
        }
        self.finish(done)
    }

    /// How often SQLite has prepared this statement again.
    #[cfg(test)]
    pub(super) fn prepared_again(&self, sql: &str) -> i32 {
        let statement = self.inner.prepare_cached(sql).expect("a statement");
        statement.get_status(rusqlite::StatementStatus::RePrepare)
    }

    /// Runs one statement that was composed for this call.
    pub(in crate::store) fn run_composed(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Done, DatabaseError> {
        self.start();
        let mut statement = self.inner.prepare_cached(sql).map_err(|error| self.error(error))?;
        let columns = names(&statement);
        let done = step(&mut statement, values, &columns);
        drop(statement);
        self.finish(done)
    }

    /// Reads a large result in batches of at most `values` values, and gives each batch to `sink`.
    pub(in crate::store) async fn batches(
        &mut self,
        sql: &str,
        parameters: &[Value<'_>],
        values: usize,
        mut sink: impl AsyncFnMut(Vec<Row>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.inner.prepare(sql).map_err(DatabaseError::Sqlite)?;
        let columns = names(&statement);
        bind(&mut statement, parameters).map_err(DatabaseError::Sqlite)?;
        let mut rows = statement.raw_query();
        let mut batch = Vec::new();
        while let Some(found) = rows.next().map_err(DatabaseError::Sqlite)? {
            batch.push(row(found, &columns).map_err(DatabaseError::Sqlite)?);
            if is_full(&batch, values) {
                sink(std::mem::take(&mut batch)).await?;
            }
        }
        sink(batch).await
    }

    fn start(&self) {
        if let Some(time) = self.deadline {
            self.limits.set(now() + time);
        }
    }

    fn finish(&self, done: Result<Done, rusqlite::Error>) -> Result<Done, DatabaseError> {
        let mut done = done.map_err(|error| self.error(error))?;
        done.changed = self.inner.changes();
        Ok(done)
    }

    fn error(&self, error: rusqlite::Error) -> DatabaseError {
        let interrupted = error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted);
        match self.deadline {
            Some(time) if interrupted && self.limits.expired.swap(false, Ordering::Relaxed) => {
                DatabaseError::Deadline(time.as_secs())
            }
            _ => DatabaseError::Sqlite(error),
        }
    }
}

fn names(statement: &Statement<'_>) -> Arc<ColumnNames> {
    ColumnNames::new(statement.column_names().into_iter())
}

/// Binds `$1`, `$2` … by their numbers. SQLite gives such parameters indexes in the order of their first use in the text.
fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), rusqlite::Error> {
    for index in 1..=statement.parameter_count() {
        let value = statement
            .parameter_name(index)
            .and_then(|name| name.get(1..)?.parse::<usize>().ok()?.checked_sub(1))
            .and_then(|number| values.get(number));
        match value {
            Some(Value::Text(Some(text))) => statement.raw_bind_parameter(index, &**text)?,
            Some(Value::Int(Some(number))) => statement.raw_bind_parameter(index, number)?,
            Some(Value::Bytes(Some(bytes))) => statement.raw_bind_parameter(index, &**bytes)?,
            Some(_) => statement.raw_bind_parameter(index, rusqlite::types::Null)?,
            None => return Err(rusqlite::Error::InvalidParameterCount(values.len(), index)),
        }
    }
    Ok(())
}

fn step(
    statement: &mut Statement<'_>,
    values: &[Value<'_>],
    columns: &Arc<ColumnNames>,
) -> Result<Done, rusqlite::Error> {
    bind(statement, values)?;
    let mut rows = statement.raw_query();
    let mut done = Done {
        rows: Vec::new(),
        changed: 0,
    };
    while let Some(found) = rows.next()? {
        done.rows.push(row(found, columns)?);
    }
    Ok(done)
}

fn row(found: &rusqlite::Row<'_>, columns: &Arc<ColumnNames>) -> Result<Row, rusqlite::Error> {
    let mut row = Row::new(columns);
    for index in 0..row.names().count() {
        match found.get_ref(index)? {
            ValueRef::Null => row.push_null(),
            ValueRef::Integer(value) => row.push_int(value),
            // The schema has no fractions. A sum or an average could return one; no statement does.
            value @ ValueRef::Real(_) => {
                return Err(rusqlite::Error::InvalidColumnType(
                    index,
                    "a fraction".to_owned(),
                    value.data_type(),
                ));
            }
            ValueRef::Text(text) => row.push_text(std::str::from_utf8(text)?),
            ValueRef::Blob(bytes) => row.push_bytes(bytes.to_vec()),
        }
    }
    Ok(row)
}
