//! Row-level security on PostgreSQL, as a second line of defence, and the rights of the service's role.

use crate::world::World;
use loopiq_testing::on_postgres;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

/// Tables without row-level security. The migration gives the reason for each.
const OPEN: [&str; 4] = ["installation", "sessions", "tenants", "tokens"];

/// A connection of the service's role; `None` on SQLite, which has no row-level security.
async fn service(world: &World) -> Option<AnyConnection> {
    if !on_postgres() {
        eprintln!("skipped: row-level security is PostgreSQL's");
        return None;
    }
    Some(AnyConnection::connect(&world.database.url).await.expect("a connection"))
}

async fn count(connection: &mut AnyConnection, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let row = connection.fetch_one(AssertSqlSafe(sql)).await.expect("a count");
    row.get(0)
}

#[tokio::test]
async fn sql_that_forgets_the_tenant_sees_nothing() {
    let world = World::new().await;
    world.proposed("k").await;
    let Some(mut service) = service(&world).await else {
        return;
    };
    let mut filled = 0;
    for table in world.database.tables().await {
        if OPEN.contains(&table.as_str()) {
            continue;
        }
        assert_eq!(count(&mut service, &table).await, 0, "{table} without a tenant");
        service
            .execute("BEGIN; SET LOCAL loopiq.tenant = 'acme'")
            .await
            .expect("begun");
        let own = count(&mut service, &table).await;
        let foreign = format!("SELECT COUNT(*) FROM {table} WHERE tenant <> 'acme'");
        let foreign: i64 = service.fetch_one(AssertSqlSafe(foreign)).await.expect("a count").get(0);
        assert_eq!(foreign, 0, "{table} of another tenant");
        service.execute("ROLLBACK").await.expect("ended");
        // The setting ends with its transaction.
        assert_eq!(count(&mut service, &table).await, 0, "{table} after the transaction");
        filled += usize::from(own > 0);
    }
    assert!(filled > 20, "only {filled} tables had rows to hide");
}

#[tokio::test]
async fn nothing_is_written_into_another_tenant() {
    let world = World::new().await;
    let Some(mut service) = service(&world).await else {
        return;
    };
    service
        .execute("BEGIN; SET LOCAL loopiq.tenant = 'acme'")
        .await
        .expect("begun");
    let into = "INSERT INTO teams (tenant, id, key, name) VALUES ('globex', 'team_x', 'x', 'x')";
    let error = service.execute(into).await.expect_err("refused").to_string();
    assert!(error.contains("row-level security"), "{error}");
    service.execute("ROLLBACK").await.expect("ended");
    service
        .execute("BEGIN; SET LOCAL loopiq.tenant = 'acme'")
        .await
        .expect("begun");
    let done = service
        .execute("UPDATE teams SET name = 'x' WHERE tenant = 'globex'")
        .await
        .expect("ran");
    assert_eq!(done.rows_affected(), 0);
    let moved = service.execute("UPDATE teams SET tenant = 'globex'").await;
    assert!(moved.is_err(), "a row was moved to another tenant");
}

#[tokio::test]
async fn the_services_role_owns_nothing_and_changes_no_entry() {
    let world = World::new().await;
    let Some(mut service) = service(&world).await else {
        return;
    };
    const ROLE: &str =
        "SELECT COUNT(*) FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls OR rolcreaterole)";
    assert_eq!(service.fetch_one(ROLE).await.expect("a role").get::<i64, _>(0), 0);
    const OWNED: &str =
        "SELECT COUNT(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = current_user";
    assert_eq!(service.fetch_one(OWNED).await.expect("tables").get::<i64, _>(0), 0);
    assert!(!world.engine.store().bypasses_row_security());
    const MAY: &str = "SELECT has_table_privilege($1, $2)";
    for table in world.database.tables().await {
        for (privilege, granted) in [
            ("SELECT", true),
            ("INSERT", true),
            (
                "UPDATE",
                ![
                    "envelopes",
                    "audit_entries",
                    "audit_contents",
                    "audit_nodes",
                    "audit_checkpoints",
                    "audit_cosignatures",
                    "policies",
                    "installation",
                ]
                .contains(&table.as_str()),
            ),
            (
                "DELETE",
                [
                    "sessions",
                    // Secrets that have expired. The grants stay.
                    "tokens",
                    "work_item_words",
                    "action_targets",
                    "generic_words",
                    "pauses",
                    "accepted_risks",
                    "imports",
                    // Declarations and what is computed from them; the audit log has their history.
                    "team_members",
                    "release_teams",
                    "release_components",
                    "catalog_members",
                    "catalog_groups",
                    "catalog_roles",
                    "person_groups",
                ]
                .contains(&table.as_str()),
            ),
            ("TRUNCATE", false),
            ("REFERENCES", false),
            ("TRIGGER", false),
        ] {
            let row = sqlx::query(MAY)
                .bind(table.clone())
                .bind(privilege)
                .fetch_one(&mut service)
                .await;
            assert_eq!(
                row.expect("a privilege").get::<bool, _>(0),
                granted,
                "{privilege} on {table}"
            );
        }
    }
    for sql in [
        "CREATE TABLE mine (id TEXT)",
        "ALTER TABLE actions DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON actions",
        "SET ROLE loopiq_owner",
        "SELECT enable_tenant_isolation('actions')",
        "DELETE FROM _sqlx_migrations",
    ] {
        assert!(service.execute(sql).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn every_table_of_a_tenant_has_row_level_security() {
    let world = World::new().await;
    if !on_postgres() {
        eprintln!("skipped: row-level security is PostgreSQL's");
        return;
    }
    let mut connection = world.database.connect().await;
    const SQL: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname NOT LIKE '\\_sqlx%' AND NOT (c.relrowsecurity \
         AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY 1";
    let open: Vec<String> = connection
        .fetch_all(SQL)
        .await
        .expect("tables")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        open, OPEN,
        "a new table needs a wall, or its reason here and in the migration"
    );
}

#[tokio::test]
async fn the_tenant_leads_every_key() {
    let world = World::new().await;
    let mut connection = world.database.connect().await;
    for table in world.database.tables().await {
        if OPEN.contains(&table.as_str()) {
            continue;
        }
        let sql = if on_postgres() {
            "SELECT CAST(a.attname AS TEXT) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
             WHERE i.indrelid = CAST($1 AS regclass) AND i.indisunique"
        } else {
            "SELECT c.name FROM pragma_index_list($1) l, pragma_index_info(l.name) c WHERE l.\"unique\" = 1 AND c.seqno = 0"
        };
        let first: Vec<String> = sqlx::query(sql)
            .bind(table.clone())
            .fetch_all(&mut connection)
            .await
            .expect("keys")
            .iter()
            .map(|row| row.get(0))
            .collect();
        assert!(
            !first.is_empty() && first.iter().all(|column| column == "tenant"),
            "{table}: {first:?}"
        );
    }
}
