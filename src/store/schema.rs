//! The schema: migrating a database to this binary's version, and checking its version.

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

/// The version of a database's schema, compared with this binary's schema.
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

/// Compares the applied migrations with the migrations of this binary.
async fn schema_state(connection: &mut AnyConnection, dialect: Dialect) -> Result<SchemaState, StoreError> {
    let (applied, ours) = (applied(connection).await?, migrations(dialect));
    let newest = ours.iter().map(|migration| migration.version).max().unwrap_or_default();
    // Databases of development versions have steps with the same numbers, so the checksums are compared first.
    for (version, checksum) in &applied {
        let own = ours.iter().find(|migration| migration.version == *version);
        if own.is_some_and(|own| own.checksum[..] != checksum[..]) {
            let empty = match dialect {
                Dialect::Sqlite => "a new data directory",
                Dialect::Postgres => "an empty database",
            };
            return Err(StoreError::Schema(format!(
                "step {version} of the database's schema is not that of this loopiq; nothing was changed. Start with {empty}, or use the \
                 loopiq that made this database"
            )));
        }
    }
    if let Some((version, _)) = applied.iter().find(|(version, _)| !ours.version_exists(*version)) {
        return Ok(SchemaState::Newer(format!(
            "the database's schema is of version {version}, newer than this loopiq's {newest}; nothing was changed. Use the newer loopiq"
        )));
    }
    for migration in ours.iter() {
        if !applied.iter().any(|(version, _)| *version == migration.version) {
            // A migration in the middle can be missing. The version is then that of the last migration before the gap.
            let have = migration.version - 1;
            return Ok(SchemaState::Older(format!(
                "the database's schema is of version {have}, older than this loopiq's {newest}; run `loopiq schema upgrade` first"
            )));
        }
    }
    Ok(SchemaState::Same)
}

/// Fails if the schema is not this binary's.
pub(super) async fn check(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    match schema_state(connection, dialect).await? {
        SchemaState::Same => Ok(()),
        SchemaState::Older(why) | SchemaState::Newer(why) => Err(StoreError::Schema(why)),
    }
}

/// Migrates the schema to this binary's version. Each migration is a transaction: an interrupted migration leaves no changes, and the next
/// run continues with it.
pub(super) async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    match schema_state(connection, dialect).await? {
        // An earlier run may have been interrupted after the last migration and before it stored the index statistics.
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

/// Index statistics for SQLite: a tenant has very many rows, a state many, any other value few. By default SQLite expects ten rows per
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
        ELSE ' 20' END, '')
    FROM (SELECT seqno, name FROM pragma_index_info(i.name) ORDER BY seqno) c)
FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%';
COMMIT;
ANALYZE sqlite_schema;
";

/// The rights of the service's role on PostgreSQL. The statements revoke every other right that an operator granted before. The role cannot
/// create tables, not even temporary tables, which would hide those of the schema. The advisory lock lets one upgrade run at a time,
/// because PostgreSQL fails if two transactions change the rights of a table at the same time. `{role}` and `{database}` are replaced by
/// the quoted names.
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
    /// Migrates a database to this binary's schema. `owner` is the URL of the role that owns the schema, and `service` is the URL that the
    /// service uses. On PostgreSQL the service's role is granted only the rights that it needs. Returns one sentence for each further right
    /// of that role that the owner cannot revoke.
    pub async fn upgrade_schema(owner: &str, service: &str) -> Result<Vec<String>, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(owner).ok_or_else(StoreError::unknown_url)?;
        let mut connection = AnyConnection::connect(owner).await.map_err(StoreError::Opening)?;
        let mut beyond = Vec::new();
        match dialect {
            Dialect::Sqlite => migrate(&mut connection, dialect).await?,
            Dialect::Postgres => {
                // The search path limits the owner's statements to this schema, so that objects of other roles elsewhere have no effect.
                connection.execute(SEARCH_PATH).await?;
                migrate(&mut connection, dialect).await?;
                beyond = grant(&mut connection, service).await?;
            }
        }
        connection.close().await?;
        Ok(beyond)
    }
}

/// PostgreSQL resolves names in the schema first. Temporary objects come last, so that they cannot hide those of the schema.
const SEARCH_PATH: &str = "SET search_path = public, pg_temp";

/// Grants the service's role the rights that it needs, as the owner. Returns a sentence for each further right.
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

/// Quotes an SQL identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The role in the service's URL. This asks the database, because a URL can leave the role out.
async fn role_of(url: &str) -> Result<String, StoreError> {
    let mut connection = AnyConnection::connect(url).await.map_err(StoreError::Opening)?;
    let row = sqlx::query("SELECT CAST(current_user AS TEXT) AS role")
        .fetch_one(&mut connection)
        .await?;
    let role = row.text("role")?;
    connection.close().await?;
    Ok(role)
}

/// Whether this connection's role bypasses row-level security: as the owner, by privilege, or because it can become a role that does.
pub(super) async fn bypasses_row_security(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR pg_has_role(r.oid, c.relowner, 'MEMBER') \
         OR EXISTS (SELECT 1 FROM pg_roles o WHERE pg_has_role(r.oid, o.oid, 'MEMBER') AND (o.rolsuper OR o.rolbypassrls \
         OR o.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))) AS passes \
         FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.oid = to_regclass('public.actions')";
    let row = sqlx::query(SQL).fetch_one(connection).await?;
    Ok(sqlx::Row::try_get(&row, "passes")?)
}
