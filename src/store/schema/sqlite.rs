//! The schema on SQLite. The service migrates it when it opens the file.

use super::{Applied, SchemaState, migrations, schema_state};
use crate::store::StoreError;
use crate::store::db::sqlite::Connection;
use crate::store::db::{Dialect, Value};

/// The table of applied migrations, as SQLx's own runner makes it on PostgreSQL.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
     installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
     execution_time BIGINT NOT NULL)";

/// Migrates the schema to this binary's version. Each migration is a transaction: an interrupted migration leaves no changes, and the next
/// run continues with it.
pub(in crate::store) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    match schema_state(&applied(connection)?, Dialect::Sqlite)? {
        // An earlier run may have been interrupted after the last migration and before it stored the index statistics.
        SchemaState::Same if !has_expectations(connection)? => expect(connection),
        SchemaState::Same => Ok(()),
        SchemaState::Newer(why) => Err(StoreError::Schema(why)),
        SchemaState::Older(_) => {
            run(connection)?;
            expect(connection)
        }
    }
}

/// Says how the schema is older than this version's; `None` if it is the same. Changes nothing.
pub(in crate::store) fn older(connection: &mut Connection) -> Result<Option<String>, StoreError> {
    match schema_state(&applied(connection)?, Dialect::Sqlite)? {
        SchemaState::Same => Ok(None),
        SchemaState::Older(why) => Ok(Some(why)),
        SchemaState::Newer(why) => Err(StoreError::Schema(why)),
    }
}

fn applied(connection: &mut Connection) -> Result<Vec<Applied>, StoreError> {
    match connection.run_composed("SELECT version, checksum FROM _sqlx_migrations ORDER BY version", &[]) {
        Ok(done) => done
            .rows
            .iter()
            .map(|row| Ok((row.int("version")?, row.bytes("checksum")?)))
            .collect(),
        Err(error) if error.is_missing_table() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Runs the migrations that the database does not have. Another process may do the same at this moment: the list is read again under the
/// lock of the writer.
fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error| StoreError::Migrating(Box::new(error));
    for migration in migrations(Dialect::Sqlite).iter() {
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let done: Result<(), StoreError> = (|| {
            connection.execute_batch(TABLE).map_err(failed)?;
            if applied(connection)?
                .iter()
                .any(|(version, _)| *version == migration.version)
            {
                return Ok(());
            }
            connection.execute_batch(migration.sql.as_str()).map_err(failed)?;
            let values: [Value<'_>; 3] = [
                migration.version.into(),
                (&*migration.description).into(),
                (&*migration.checksum).into(),
            ];
            let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, $3, 0)";
            connection.run_composed(sql, &values).map_err(failed)?;
            Ok(())
        })();
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        connection.execute_batch(end).map_err(failed)?;
        done?;
    }
    Ok(())
}

fn has_expectations(connection: &mut Connection) -> Result<bool, StoreError> {
    match connection.run_composed("SELECT COUNT(*) AS n FROM sqlite_stat1", &[]) {
        Ok(done) => Ok(done.rows.first().map_or(Ok(0), |row| row.int("n"))? > 0),
        Err(error) if error.is_missing_table() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn expect(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.execute_batch(EXPECTED)?)
}

/// Index statistics for SQLite: a tenant has very many rows, a state, a caller and a client many, any other value few. By default SQLite expects ten rows per
/// tenant and reads all of them. No other statement collects statistics, so that a plan is the same for a database of any size. See
/// <https://sqlite.org/fileformat2.html#stat1tab> and <https://sqlite.org/optoverview.html#manctrl>.
const EXPECTED: &str = "
BEGIN IMMEDIATE;
ANALYZE tenants;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat)
SELECT t.name, i.name, '1000000' || (
    SELECT group_concat(CASE
        WHEN i.\"unique\" AND c.seqno = (SELECT MAX(seqno) FROM pragma_index_info(i.name)) THEN ' 1'
        WHEN c.seqno = 0 THEN ' 500000'
        WHEN c.seqno = 1 AND c.name = 'state' THEN ' 50000'
        WHEN c.seqno < 3 AND c.name IN ('caller_id', 'client_id') THEN ' 10000'
        ELSE ' 20' END, '')
    FROM (SELECT seqno, name FROM pragma_index_info(i.name) ORDER BY seqno) c)
FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%';
COMMIT;
ANALYZE sqlite_schema;
";
