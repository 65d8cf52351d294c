//! A statement with its parameters.

use super::error::DatabaseError;
use super::nul::{NulCharacter, holds_nul};
use super::row::Row;
use super::sql::Text;
use super::transaction::{Handle, Tx};
use super::value::Value;
use super::{postgres, sqlite};
use crate::store::StoreError;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// A statement with its parameters `$1`, `$2` …
#[derive(Debug)]
#[must_use = "a query does nothing until it runs"]
pub(in crate::store) struct Query<'q> {
    text: Text,
    values: Vec<Value<'q>>,
}

/// A statement of the service's own text.
pub(in crate::store) fn query<'q>(text: impl Into<Text>) -> Query<'q> {
    Query {
        text: text.into(),
        values: Vec::new(),
    }
}

/// A statement that is composed of names of the schema, constants and placeholders. A value of a request must be a parameter.
pub(in crate::store) fn composed<'q>(sql: String) -> Query<'q> {
    query(Text::Composed(sql))
}

impl<'q> Query<'q> {
    /// Adds the next parameter.
    pub(in crate::store) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds all parameters.
    pub(super) fn bind_all(mut self, values: Vec<Value<'q>>) -> Self {
        self.values = values;
        self
    }

    /// All rows, and the parameters for the next statement.
    pub(super) async fn fetch_again(self, tx: &mut Tx) -> Result<(Vec<Row>, Vec<Value<'q>>), DatabaseError> {
        let rows = self.rows(tx).await?;
        Ok((rows, self.values))
    }

    /// All rows.
    pub(in crate::store) async fn fetch_all(self, tx: &mut Tx) -> Result<Vec<Row>, DatabaseError> {
        self.rows(tx).await
    }

    async fn rows(&self, tx: &mut Tx) -> Result<Vec<Row>, DatabaseError> {
        self.check()?;
        match tx.handle()? {
            Handle::Sqlite(connection) => Ok(self.run_on(connection)?.rows),
            Handle::Postgres(connection) => {
                let rows = postgres::fetch(connection, self.postgres(), &self.values, self.is_constant()).await?;
                self.trace(rows.len());
                Ok(rows)
            }
        }
    }

    /// The first row, if there is one.
    pub(in crate::store) async fn fetch_optional(self, tx: &mut Tx) -> Result<Option<Row>, DatabaseError> {
        Ok(self.fetch_all(tx).await?.into_iter().next())
    }

    /// The first row.
    ///
    /// # Errors
    /// [`DatabaseError::NoRow`]: there is none.
    pub(in crate::store) async fn fetch_one(self, tx: &mut Tx) -> Result<Row, DatabaseError> {
        self.fetch_optional(tx).await?.ok_or(DatabaseError::NoRow)
    }

    /// Runs the statement and returns the number of rows that it changed.
    pub(in crate::store) async fn execute(self, tx: &mut Tx) -> Result<u64, DatabaseError> {
        self.check()?;
        match tx.handle()? {
            Handle::Sqlite(connection) => Ok(self.run_on(connection)?.changed),
            Handle::Postgres(connection) => {
                let changed = postgres::execute(connection, self.postgres(), &self.values, self.is_constant()).await?;
                self.trace(0);
                Ok(changed)
            }
        }
    }

    /// Reads a large result in batches of at most `values` values, and gives each batch to `sink`; the last batch can be empty.
    pub(in crate::store) async fn batches(
        self,
        tx: &mut Tx,
        values: usize,
        sink: impl AsyncFnMut(Vec<Row>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.check()?;
        match (tx.handle()?, &self.text) {
            (Handle::Postgres(connection), _) => {
                postgres::batches(connection, self.postgres(), &self.values, values, sink).await
            }
            (Handle::Sqlite(connection), Text::Same(sql)) => connection.batches(sql, &self.values, values, sink).await,
            (Handle::Sqlite(connection), Text::Composed(sql)) => {
                connection.batches(sql, &self.values, values, sink).await
            }
            (Handle::Sqlite(_), Text::Each(_)) => Err(DatabaseError::NoRow.into()),
        }
    }

    /// Runs the statement on SQLite.
    pub(super) fn run_on(&self, connection: &mut sqlite::Connection) -> Result<sqlite::Done, DatabaseError> {
        let done = match &self.text {
            Text::Same(sql) => connection.run(sql, &self.values)?,
            Text::Composed(sql) => connection.run_composed(sql, &self.values)?,
            Text::Each(sql) => {
                let (last, first) = sql.sqlite.split_last().ok_or(DatabaseError::NoRow)?;
                for sql in first {
                    connection.run(sql, &self.values)?;
                }
                connection.run(last, &self.values)?
            }
        };
        self.trace(done.rows.len());
        Ok(done)
    }

    /// Refuses a parameter with U+0000. All statements with parameters pass this method.
    pub(super) fn check(&self) -> Result<(), DatabaseError> {
        let nul = |value: &Value<'_>| matches!(value, Value::Text(Some(text)) if holds_nul(text));
        if self.values.iter().any(nul) {
            return Err(NulCharacter.into());
        }
        Ok(())
    }

    pub(super) fn postgres(&self) -> SqlStr {
        match &self.text {
            Text::Same(sql) => sql.into_sql_str(),
            Text::Each(sql) => sql.postgres.into_sql_str(),
            Text::Composed(sql) => AssertSqlSafe(sql.clone()).into_sql_str(),
        }
    }

    pub(super) fn values(&self) -> &[Value<'q>] {
        &self.values
    }

    /// Whether the text is a constant, so that a connection keeps the statement prepared.
    pub(super) fn is_constant(&self) -> bool {
        !matches!(self.text, Text::Composed(_))
    }

    /// Reports the statement to the log, for profiles and for the test of query plans.
    fn trace(&self, rows: usize) {
        if !tracing::enabled!(target: "loopiq::sql", tracing::Level::TRACE) {
            return;
        }
        match &self.text {
            Text::Same(sql) => tracing::trace!(target: "loopiq::sql", statement = sql, rows),
            Text::Composed(sql) => tracing::trace!(target: "loopiq::sql", statement = sql.as_str(), rows),
            Text::Each(sql) => {
                for statement in sql.sqlite {
                    tracing::trace!(target: "loopiq::sql", statement, rows);
                }
            }
        }
    }
}
