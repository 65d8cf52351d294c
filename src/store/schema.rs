//! The schema: bringing a database to this binary's version, and checking that it is there.

use super::dialect::Dialect;
use super::row::Columns;
use super::{Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

fn migrations(dialect: Dialect) -> &'static Migrator {
    match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    }
}

/// How a database's schema stands to this binary's.
enum SchemaState {
    Same,
    Older(String),
    Newer(String),
}

async fn applied(connection: &mut AnyConnection) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let found = sqlx::query("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await;
    let rows = match found {
        Ok(rows) => rows,
        Err(error) if is_missing_table(&error) => return Ok(Vec::new()),
        Err(error) if code(&error).as_deref() == Some("42501") => {
            return Err(StoreError::Schema(
                "the database's role may not read its schema: `loopiq schema upgrade` grants it what the service needs"
                    .to_owned(),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    rows.iter()
        .map(|row| Ok((row.int("version")?, sqlx::Row::try_get(row, "checksum")?)))
        .collect()
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("42P01")
        || error
            .as_database_error()
            .is_some_and(|error| error.message().starts_with("no such table"))
}

/// Compares what was applied with what this binary has.
async fn schema_state(connection: &mut AnyConnection, dialect: Dialect) -> Result<SchemaState, StoreError> {
    let (applied, ours) = (applied(connection).await?, migrations(dialect));
    let newest = ours.iter().map(|migration| migration.version).max().unwrap_or_default();
    if let Some((version, _)) = applied.iter().find(|(version, _)| !ours.version_exists(*version)) {
        return Ok(SchemaState::Newer(format!(
            "the database's schema is of version {version}, newer than this loopiq's {newest}; nothing was changed. Use the newer loopiq"
        )));
    }
    for migration in ours.iter() {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            None => {
                // A step in the middle may be missing: what counts is how far it reaches without a gap.
                let have = migration.version - 1;
                return Ok(SchemaState::Older(format!(
                    "the database's schema is of version {have}, older than this loopiq's {newest}; run `loopiq schema upgrade` first"
                )));
            }
            Some((version, checksum)) if checksum[..] != migration.checksum[..] => {
                return Err(StoreError::Schema(format!(
                    "step {version} of the database's schema is not that of this loopiq; nothing was changed. Use the loopiq that made it"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(SchemaState::Same)
}

/// Fails unless the schema is this binary's.
pub(super) async fn check(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    match schema_state(connection, dialect).await? {
        SchemaState::Same => Ok(()),
        SchemaState::Older(why) | SchemaState::Newer(why) => Err(StoreError::Schema(why)),
    }
}

/// Brings the schema to this binary's version. Each step is a transaction: one that is interrupted leaves nothing behind, and the
/// next run goes on from there.
pub(super) async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    match schema_state(connection, dialect).await? {
        // Whoever brought it here may have been interrupted before the end.
        SchemaState::Same if dialect == Dialect::Sqlite && !has_expectations(connection).await? => {
            expect(connection).await
        }
        SchemaState::Same => Ok(()),
        SchemaState::Newer(why) => Err(StoreError::Schema(why)),
        SchemaState::Older(_) => {
            let steps = migrations(dialect).run(&mut *connection).await;
            steps.map_err(StoreError::Migrating)?;
            match dialect {
                Dialect::Sqlite => expect(connection).await,
                Dialect::Postgres => Ok(()),
            }
        }
    }
}

async fn has_expectations(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    match sqlx::query("SELECT COUNT(*) AS n FROM sqlite_stat1")
        .fetch_one(connection)
        .await
    {
        Ok(row) => Ok(row.int("n")? > 0),
        Err(error) if is_missing_table(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn expect(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection.execute(EXPECTED).await?;
    Ok(())
}

/// What SQLite is to expect of every index, whatever is there on the first day: a tenant has very many rows, a state many, anything else
/// few. It takes a tenant for ten rows otherwise, and reads all of them rather than look some up. Nothing else gathers statistics, so that
/// a plan is the same at any size. See <https://sqlite.org/fileformat2.html#stat1tab> and <https://sqlite.org/optoverview.html#manctrl>.
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
        ELSE ' 20' END, '')
    FROM (SELECT seqno, name FROM pragma_index_info(i.name) ORDER BY seqno) c)
FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%';
COMMIT;
ANALYZE sqlite_schema;
";

/// What the service may do on PostgreSQL, whatever was granted before: no more than it does. It makes nothing of its own, not even temporary
/// tables, which would stand in front of those of the schema. One upgrade at a time: PostgreSQL refuses to change the rights of one table
/// twice at once. `{role}` and `{database}` stand for their names, quoted.
const GRANTS: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(hashtext('loopiq grants'));
REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};
REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {role};
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role};
REVOKE DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public FROM {role};
GRANT DELETE ON sessions, work_item_words, action_targets, generic_words, imports TO {role};
REVOKE UPDATE ON audit_entries, audit_contents, audit_terms, policies, installation FROM {role};
REVOKE INSERT, UPDATE ON _sqlx_migrations FROM {role};
REVOKE ALL ON FUNCTION token_holder(TEXT), session_holder(TEXT, BIGINT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION token_holder(TEXT), session_holder(TEXT, BIGINT) TO {role};
COMMIT;
";

impl Store {
    /// Brings a database to this binary's schema. `owner`: the URL of the role that owns it. `service`: the URL that the service
    /// will use; on PostgreSQL its role is granted what it needs and nothing more. Answers what that role may do beyond it, where the
    /// owner of the tables cannot take it away; each in a sentence.
    pub async fn upgrade_schema(owner: &str, service: &str) -> Result<Vec<String>, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(owner).ok_or_else(StoreError::unknown_url)?;
        let mut connection = AnyConnection::connect(owner).await.map_err(StoreError::Opening)?;
        let mut beyond = Vec::new();
        match dialect {
            Dialect::Sqlite => migrate(&mut connection, dialect).await?,
            Dialect::Postgres => {
                // The owner's rights act only on what stands in this schema, whatever others have made elsewhere.
                connection.execute(SEARCH_PATH).await?;
                migrate(&mut connection, dialect).await?;
                beyond = grant(&mut connection, service).await?;
            }
        }
        connection.close().await?;
        Ok(beyond)
    }
}

/// Where names are looked up: in the schema, and among temporary things only what is nowhere else.
const SEARCH_PATH: &str = "SET search_path = public, pg_temp";

/// Grants the service's role what it needs, as the owner, and answers what it may do beyond that.
async fn grant(owner: &mut AnyConnection, service: &str) -> Result<Vec<String>, StoreError> {
    const HERE: &str = "SELECT CAST(current_user AS TEXT) AS role, CAST(current_database() AS TEXT) AS database";
    const BEYOND: &str = "SELECT CASE WHEN has_database_privilege($1, current_database(), 'TEMPORARY') THEN 1 ELSE 0 END AS temporary, \
         CASE WHEN has_database_privilege($1, current_database(), 'CREATE') THEN 1 ELSE 0 END AS schemas, \
         CASE WHEN has_schema_privilege($1, 'public', 'CREATE') THEN 1 ELSE 0 END AS tables";
    let role = role_of(service).await?;
    let here = sqlx::query(HERE).fetch_one(&mut *owner).await?;
    let (current, database) = (here.text("role")?, here.text("database")?);
    if role == current {
        return Ok(Vec::new());
    }
    let grants = GRANTS
        .replace("{role}", &quoted(&role))
        .replace("{database}", &quoted(&database));
    // Both names are quoted; the rest is constant.
    owner.execute(AssertSqlSafe(grants)).await?;
    let may = sqlx::query(BEYOND).bind(role.clone()).fetch_one(owner).await?;
    let kinds = [
        ("temporary", "TEMPORARY ON DATABASE", &database),
        ("schemas", "CREATE ON DATABASE", &database),
        ("tables", "CREATE ON SCHEMA", &"public".to_owned()),
    ];
    let mut beyond = Vec::new();
    for (column, privilege, of) in kinds {
        if may.int(column)? == 1 {
            let of = quoted(of);
            beyond.push(format!(
                "{role} may do more than the service needs, and {current} cannot take it away; as the owner of the database or a superuser: \
                 REVOKE {privilege} {of} FROM PUBLIC, {}",
                quoted(&role)
            ));
        }
    }
    Ok(beyond)
}

/// An identifier in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Who the service is, asked of the database itself: a URL may leave it out.
async fn role_of(url: &str) -> Result<String, StoreError> {
    let mut connection = AnyConnection::connect(url).await.map_err(StoreError::Opening)?;
    let row = sqlx::query("SELECT CAST(current_user AS TEXT) AS role")
        .fetch_one(&mut connection)
        .await?;
    let role = row.text("role")?;
    connection.close().await?;
    Ok(role)
}

/// Whether this connection's role passes the wall of row-level security: as owner, by privilege, or because it may become a role that does.
pub(super) async fn bypasses_row_security(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR pg_has_role(r.oid, c.relowner, 'MEMBER') \
         OR EXISTS (SELECT 1 FROM pg_roles o WHERE pg_has_role(r.oid, o.oid, 'MEMBER') AND (o.rolsuper OR o.rolbypassrls \
         OR o.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))) AS passes \
         FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.oid = to_regclass('public.actions')";
    let row = sqlx::query(SQL).fetch_one(connection).await?;
    Ok(sqlx::Row::try_get(&row, "passes")?)
}
