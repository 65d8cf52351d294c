//! The schema on PostgreSQL. The role that owns it migrates it; the service only checks it.

use super::{Applied, SchemaState, migrations, schema_state};
use crate::store::StoreError;
use crate::store::db::{DatabaseError, Dialect, Row, Value, postgres};

use sqlx::Connection;
use sqlx::postgres::PgConnection;

async fn fetch(
    connection: &mut PgConnection,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Vec<Row>, DatabaseError> {
    use sqlx::SqlSafeStr;
    postgres::fetch(connection, sql.into_sql_str(), values, false).await
}

async fn fetch_one(
    connection: &mut PgConnection,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Row, DatabaseError> {
    let rows = fetch(connection, sql, values).await?;
    rows.into_iter().next().ok_or(DatabaseError::NoRow)
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, StoreError> {
    match fetch(
        connection,
        "SELECT version, checksum FROM _sqlx_migrations ORDER BY version",
        &[],
    )
    .await
    {
        Ok(rows) => rows
            .iter()
            .map(|row| Ok((row.int("version")?, row.bytes("checksum")?)))
            .collect(),
        Err(error) if error.is_missing_table() => Ok(Vec::new()),
        Err(error) if error.postgres_code().as_deref() == Some("42501") => Err(StoreError::Schema(
            "the database's role may not read its schema: `loopiq schema upgrade` grants it what the service needs"
                .to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Fails if the schema is not this binary's. Returns whether the URL's role bypasses row-level security.
pub(in crate::store) async fn check(url: &str) -> Result<bool, StoreError> {
    // A single connection reports an error to the operator at once. A pool would retry until its timeout.
    let mut connection = postgres::connect(url).await.map_err(StoreError::Opening)?;
    match schema_state(&applied(&mut connection).await?, Dialect::Postgres)? {
        SchemaState::Same => {}
        SchemaState::Older(why) | SchemaState::Newer(why) => return Err(StoreError::Schema(why)),
    }
    let bypasses = bypasses_row_security(&mut connection).await?;
    connection.close().await.map_err(DatabaseError::Postgres)?;
    Ok(bypasses)
}

/// Migrates the schema as its owner, and grants the service's role what it needs.
pub(super) async fn upgrade(owner: &str, service: &str) -> Result<Vec<String>, StoreError> {
    let mut connection = postgres::connect(owner).await.map_err(StoreError::Opening)?;
    // The search path limits the owner's statements to this schema, so that objects of other roles elsewhere have no effect.
    postgres::execute_batch(&mut connection, SEARCH_PATH).await?;
    match schema_state(&applied(&mut connection).await?, Dialect::Postgres)? {
        SchemaState::Same => {}
        SchemaState::Newer(why) => return Err(StoreError::Schema(why)),
        SchemaState::Older(_) => migrations(Dialect::Postgres)
            .run(&mut connection)
            .await
            .map_err(|error| StoreError::Migrating(Box::new(error)))?,
    }
    let beyond = grant(&mut connection, service).await?;
    connection.close().await.map_err(DatabaseError::Postgres)?;
    Ok(beyond)
}

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
GRANT DELETE ON sessions, tokens, work_item_words, action_targets, generic_words, imports, pauses, accepted_risks TO {role};
GRANT DELETE ON team_members, release_teams, release_components, catalog_members, catalog_groups, catalog_roles, person_groups TO {role};
REVOKE UPDATE ON envelopes, audit_entries, audit_contents, audit_nodes, audit_checkpoints, audit_cosignatures, policies, installation FROM {role};
REVOKE INSERT, UPDATE ON _sqlx_migrations FROM {role};
REVOKE ALL ON FUNCTION token_holder(TEXT), session_holder(TEXT, BIGINT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION token_holder(TEXT), session_holder(TEXT, BIGINT) TO {role};
COMMIT;
";

/// PostgreSQL resolves names in the schema first. Temporary objects come last, so that they cannot hide those of the schema.
const SEARCH_PATH: &str = "SET search_path = public, pg_temp";

/// Grants the service's role the rights that it needs, as the owner. Returns a sentence for each further right.
async fn grant(owner: &mut PgConnection, service: &str) -> Result<Vec<String>, StoreError> {
    const HERE: &str = "SELECT CAST(current_user AS TEXT) AS role, CAST(current_database() AS TEXT) AS database";
    const BEYOND: &str = "SELECT CASE WHEN has_database_privilege($1, current_database(), 'TEMPORARY') THEN 1 ELSE 0 END AS temporary, \
         CASE WHEN has_database_privilege($1, current_database(), 'CREATE') THEN 1 ELSE 0 END AS schemas, \
         CASE WHEN has_schema_privilege($1, 'public', 'CREATE') THEN 1 ELSE 0 END AS tables";
    let role = role_of(service).await?;
    let here = fetch_one(owner, HERE, &[]).await?;
    let (current, database) = (here.text("role")?, here.text("database")?);
    if role == current {
        return Ok(Vec::new());
    }
    let grants = GRANTS
        .replace("{role}", &quoted(&role))
        .replace("{database}", &quoted(&database));
    // Both names are quoted; the rest is constant.
    postgres::execute_batch(owner, &grants).await?;
    let may = fetch_one(owner, BEYOND, &[role.clone().into()]).await?;
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
    let mut connection = postgres::connect(url).await.map_err(StoreError::Opening)?;
    let row = fetch_one(&mut connection, "SELECT CAST(current_user AS TEXT) AS role", &[]).await?;
    let role = row.text("role")?;
    connection.close().await.map_err(DatabaseError::Postgres)?;
    Ok(role)
}

/// Whether this connection's role bypasses row-level security: as the owner, by privilege, or because it can become a role that does.
async fn bypasses_row_security(connection: &mut PgConnection) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR pg_has_role(r.oid, c.relowner, 'MEMBER') \
         OR EXISTS (SELECT 1 FROM pg_roles o WHERE pg_has_role(r.oid, o.oid, 'MEMBER') AND (o.rolsuper OR o.rolbypassrls \
         OR o.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))) AS passes \
         FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.oid = to_regclass('public.actions')";
    Ok(fetch_one(connection, SQL, &[]).await?.int("passes")? == 1)
}
