//! PostgreSQL through SQLx's driver.

use super::error::DatabaseError;
use super::row::{ColumnNames, Row, is_full};
use super::value::Value;
use crate::store::StoreError;
use futures::TryStreamExt;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow, PgTypeInfo,
};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions, Connection, Executor, SqlSafeStr, SqlStr, TypeInfo, ValueRef,
};
use std::sync::Arc;
use std::time::Duration;

/// The most time that a request waits for a connection.
const WAIT: Duration = Duration::from_secs(10);

/// A database server that restarts breaks all connections. The pool tests a connection that was idle for so long before a request gets it,
/// which takes a round trip. A restart takes longer, and the pool also tests each connection when a request returns it.
const TEST_AFTER: Duration = Duration::from_millis(500);

/// The statements that a connection runs first. The lock timeout is the same as on SQLite. The idle timeout releases the locks of a node
/// that hangs. JIT compilation, parallel workers and a new plan for each list would cost more time than the queries of this service take.
const SETUP: &str = "SET application_name = 'loopiq'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; \
     SET search_path = public, pg_temp; SET jit = off; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan";

/// A transaction.
pub(in crate::store) type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// A pool of at most `size` connections. The first use opens the first connection.
pub(in crate::store) fn pool(url: &str, size: u32) -> Result<PgPool, DatabaseError> {
    Ok(PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for >= TEST_AFTER {
                    connection.ping().await?;
                }
                // A connection whose transaction did not end cannot begin another one.
                Ok(!connection.is_in_transaction())
            })
        })
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SETUP).await.map(drop) }))
        .connect_lazy(url)?)
}

/// A single connection, which reports an error at once. A pool would retry until its timeout.
pub(in crate::store) async fn connect(url: &str) -> Result<PgConnection, DatabaseError> {
    // A step of the schema can take longer than SQLx expects of a statement, and SQLx would log its whole text.
    let options: PgConnectOptions = url.parse()?;
    Ok(PgConnection::connect_with(&options.disable_statement_logging()).await?)
}

/// Marks a statement as safe: all SQL of this module is the service's own, and values are parameters.
fn safe(sql: &str) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

/// Runs statements without parameters, separated by semicolons.
pub(in crate::store) async fn execute_batch(connection: &mut PgConnection, sql: &str) -> Result<(), DatabaseError> {
    connection.execute(safe(sql)).await?;
    Ok(())
}

/// Runs one statement and returns its rows.
pub(in crate::store) async fn fetch(
    connection: &mut PgConnection,
    sql: SqlStr,
    values: &[Value<'_>],
    persistent: bool,
) -> Result<Vec<Row>, DatabaseError> {
    let query = sqlx::query_with(sql, arguments(values)?).persistent(persistent);
    let found = query.fetch_all(connection).await?;
    let Some(first) = found.first() else {
        return Ok(Vec::new());
    };
    let columns = names(first);
    found.iter().map(|found| row(found, &columns)).collect()
}

/// Runs one statement and returns the number of rows that it changed.
pub(in crate::store) async fn execute(
    connection: &mut PgConnection,
    sql: SqlStr,
    values: &[Value<'_>],
    persistent: bool,
) -> Result<u64, DatabaseError> {
    let query = sqlx::query_with(sql, arguments(values)?).persistent(persistent);
    Ok(query.execute(connection).await?.rows_affected())
}

/// Reads a large result in batches of at most `values` values, and gives each batch to `sink`.
pub(in crate::store) async fn batches(
    connection: &mut PgConnection,
    sql: SqlStr,
    parameters: &[Value<'_>],
    values: usize,
    mut sink: impl AsyncFnMut(Vec<Row>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let query = sqlx::query_with(sql, arguments(parameters)?).persistent(false);
    let mut rows = query.fetch(connection);
    let mut columns: Option<Arc<ColumnNames>> = None;
    let mut batch = Vec::new();
    while let Some(found) = rows.try_next().await.map_err(DatabaseError::Postgres)? {
        batch.push(row(&found, columns.get_or_insert_with(|| names(&found)))?);
        if is_full(&batch, values) {
            sink(std::mem::take(&mut batch)).await?;
        }
    }
    sink(batch).await
}

fn arguments(values: &[Value<'_>]) -> Result<PgArguments, DatabaseError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Null => arguments.add(Untyped),
            Value::Text(text) => arguments.add(text.as_deref()),
            Value::Int(number) => arguments.add(*number),
            Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// NULL without a type: the type number 0 makes the server infer the type.
struct Untyped;

impl sqlx::Type<sqlx::Postgres> for Untyped {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0))
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Untyped {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}

fn names(row: &PgRow) -> Arc<ColumnNames> {
    use sqlx::Row as _;
    ColumnNames::new(row.columns().iter().map(|column| column.name()))
}

fn row(found: &PgRow, columns: &Arc<ColumnNames>) -> Result<Row, DatabaseError> {
    use sqlx::Row as _;
    let mut row = Row::new(columns);
    for (index, column) in found.columns().iter().enumerate() {
        if found.try_get_raw(index)?.is_null() {
            row.push_null();
            continue;
        }
        match column.type_info().name() {
            "TEXT" | "VARCHAR" | "NAME" => row.push_text(found.try_get_unchecked(index)?),
            "INT8" => row.push_int(found.try_get_unchecked(index)?),
            "INT4" => row.push_int(found.try_get_unchecked::<i32, _>(index)?.into()),
            "BOOL" => row.push_int(found.try_get_unchecked::<bool, _>(index)?.into()),
            "BYTEA" => row.push_bytes(found.try_get_unchecked(index)?),
            kind => {
                return Err(DatabaseError::UnknownType {
                    column: column.name().to_owned(),
                    kind: kind.to_owned(),
                });
            }
        }
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use crate::domain::TenantId;
    use crate::store::db::{DatabaseError, begin_read_on_postgres, query};
    use std::time::Duration;

    #[tokio::test]
    async fn a_statement_that_reads_ends_at_its_deadline() {
        let Ok(url) = std::env::var("LOOPIQ_TEST_POSTGRES") else {
            eprintln!("skipped: it needs PostgreSQL");
            return;
        };
        let pool = super::pool(&url, 1).expect("a pool");
        let tenant = TenantId::parse("acme").expect("a tenant");
        let begun = begin_read_on_postgres(&pool, &tenant, Duration::from_millis(50)).await;
        let ended = query("SELECT CAST(pg_sleep(20) AS TEXT) AS slept")
            .fetch_all(&mut begun.expect("begun"))
            .await;
        assert!(ended.as_ref().is_err_and(DatabaseError::is_unavailable), "{ended:?}");
        assert_eq!(
            ended.err().and_then(|error| error.postgres_code()).as_deref(),
            Some("57014")
        );

        // The connection goes on, without that deadline.
        let begun = begin_read_on_postgres(&pool, &tenant, Duration::from_secs(10)).await;
        let slept = query("SELECT CAST(pg_sleep(0.2) AS TEXT) AS slept")
            .fetch_all(&mut begun.expect("begun"))
            .await;
        assert!(slept.is_ok(), "{slept:?}");
    }
}
