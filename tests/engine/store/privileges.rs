//! Privilege escalation by the service's role on PostgreSQL: an attacker has the role's password, or injects SQL into a statement of the
//! service. The tests execute every statement as that role.

use crate::world::World;
use loopiq::store::Store;
use loopiq_testing::on_postgres;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

/// A world whose owner has just upgraded the schema, and a connection of the service's role. `None` on SQLite, which has no roles.
async fn upgraded() -> Option<(World, AnyConnection)> {
    if !on_postgres() {
        eprintln!("skipped: roles are PostgreSQL's");
        return None;
    }
    let world = World::new().await;
    world.proposed("k").await;
    as_superuser(&world, "GRANT TEMPORARY, CREATE ON DATABASE %I TO PUBLIC").await;
    as_superuser(&world, "GRANT ALL ON DATABASE %I TO loopiq_service").await;
    let mut superuser = world.database.connect().await;
    superuser
        .execute("GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT UPDATE, DELETE ON audit_entries TO loopiq_service")
        .await
        .expect("granted");
    let beyond = Store::upgrade_schema(&world.database.owner_url, &world.database.url).await;
    assert_eq!(beyond.expect("upgraded"), Vec::<String>::new());
    let service = AnyConnection::connect(&world.database.url).await.expect("a connection");
    Some((world, service))
}

/// Executes the statement as superuser; `%I` in the statement is the database's name.
async fn as_superuser(world: &World, statement: &str) {
    let sql = format!("DO $$ BEGIN EXECUTE format('{statement}', current_database()); END $$");
    let mut superuser = world.database.connect().await;
    superuser.execute(AssertSqlSafe(sql)).await.expect("a statement");
}

/// The rights that the service's role has now and must never have.
async fn gained(service: &mut AnyConnection) -> Vec<String> {
    const SQL: &str = "SELECT what FROM (VALUES \
        ('change entries', has_table_privilege(current_user, 'public.audit_entries', 'UPDATE, DELETE, TRUNCATE, TRIGGER')), \
        ('change contents', has_table_privilege(current_user, 'public.audit_contents', 'UPDATE, DELETE, TRUNCATE, TRIGGER')), \
        ('change envelopes', has_table_privilege(current_user, 'public.envelopes', 'UPDATE, DELETE, TRUNCATE, TRIGGER')), \
        ('change policies', has_table_privilege(current_user, 'public.policies', 'UPDATE, DELETE, TRUNCATE, TRIGGER')), \
        ('change the kind', has_table_privilege(current_user, 'public.installation', 'UPDATE, DELETE, TRUNCATE, TRIGGER')), \
        ('delete actions', has_table_privilege(current_user, 'public.actions', 'DELETE, TRUNCATE, TRIGGER')), \
        ('make tables', has_schema_privilege(current_user, 'public', 'CREATE')), \
        ('make schemas', has_database_privilege(current_user, current_database(), 'CREATE')), \
        ('make temporary tables', has_database_privilege(current_user, current_database(), 'TEMPORARY')), \
        ('be the owner', pg_has_role(current_user, 'loopiq_owner', 'MEMBER') OR current_user <> 'loopiq_service'), \
        ('pass the wall', (SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = current_user)), \
        ('miss a trigger', (SELECT COUNT(*) FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled = 'O') < 5 \
            OR current_setting('session_replication_role') <> 'origin'), \
        ('miss a wall', EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace \
            AND c.relname IN ('actions', 'people', 'audit_entries') AND NOT c.relrowsecurity)) \
        ) AS powers (what, has) WHERE has";
    let rows = service.fetch_all(SQL).await.expect("powers");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Statements that must fail, whatever tenant the transaction sets.
const REFUSED: [&str; 89] = [
    // Objects of the role, which would shadow the objects of the schema.
    "CREATE TEMPORARY TABLE tokens (secret_digest TEXT)",
    "CREATE TEMPORARY VIEW tokens AS SELECT 1 AS secret_digest",
    "CREATE TEMPORARY SEQUENCE counted",
    "CREATE FUNCTION pg_temp.f() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
    "CREATE TYPE pg_temp.word AS ENUM ('a')",
    "CREATE OPERATOR pg_temp.->> (LEFTARG = TEXT, RIGHTARG = INT, FUNCTION = pg_catalog.textcat)",
    "SELECT 1 AS x INTO TEMPORARY mine",
    "CREATE TABLE mine (id TEXT)",
    "CREATE TABLE public.mine (id TEXT)",
    "CREATE VIEW public.mine AS SELECT 1",
    "CREATE MATERIALIZED VIEW public.mine AS SELECT 1",
    "CREATE FUNCTION public.lower(TEXT) RETURNS TEXT LANGUAGE sql AS 'SELECT NULL::text'",
    "CREATE OPERATOR public.= (LEFTARG = TEXT, RIGHTARG = TEXT, FUNCTION = pg_catalog.textne)",
    "CREATE TYPE public.text AS ENUM ('a')",
    "CREATE DOMAIN public.bigint AS TEXT",
    "CREATE AGGREGATE public.count (TEXT) (SFUNC = pg_catalog.textcat, STYPE = TEXT)",
    "CREATE CAST (TEXT AS BIGINT) WITH INOUT AS IMPLICIT",
    "CREATE SCHEMA mine",
    "CREATE SCHEMA loopiq_owner",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION file_fdw",
    "CREATE FOREIGN DATA WRAPPER mine",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION refuse_audit_change()",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    // Another role.
    "SET ROLE loopiq_owner",
    "SELECT set_config('role', 'loopiq_owner', false)",
    "SET SESSION AUTHORIZATION loopiq_owner",
    "ALTER ROLE loopiq_service SUPERUSER",
    "ALTER ROLE loopiq_service BYPASSRLS",
    "ALTER ROLE loopiq_service CREATEROLE",
    "ALTER ROLE loopiq_owner PASSWORD 'mine'",
    "ALTER ROLE loopiq_owner SET search_path = pg_temp",
    "CREATE ROLE mine",
    "GRANT loopiq_owner TO loopiq_service",
    "GRANT pg_read_server_files TO loopiq_service",
    "GRANT pg_write_all_data TO loopiq_service",
    "REASSIGN OWNED BY loopiq_owner TO loopiq_service",
    "DROP OWNED BY loopiq_owner",
    "ALTER DEFAULT PRIVILEGES FOR ROLE loopiq_owner GRANT ALL ON TABLES TO loopiq_service",
    // The owner's functions, triggers and row-level security.
    "ALTER FUNCTION token_holder(TEXT) SECURITY DEFINER",
    "ALTER FUNCTION session_holder(TEXT, BIGINT) SET search_path = pg_temp",
    "ALTER FUNCTION json_each(TEXT) OWNER TO loopiq_service",
    "CREATE OR REPLACE FUNCTION instr(whole TEXT, part TEXT) RETURNS BIGINT LANGUAGE sql AS 'SELECT 0::bigint'",
    "DROP FUNCTION refuse_audit_change() CASCADE",
    "SELECT enable_tenant_isolation('actions')",
    "SET session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', false)",
    "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_no_change",
    "DROP TRIGGER audit_entries_no_change ON audit_entries",
    "DROP TRIGGER policies_no_change ON policies",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    "CREATE RULE mine AS ON INSERT TO audit_entries DO INSTEAD NOTHING",
    "ALTER TABLE actions DISABLE ROW LEVEL SECURITY",
    "DROP POLICY tenant_isolation ON actions",
    "ALTER POLICY tenant_isolation ON actions USING (true)",
    "CREATE POLICY everything ON actions USING (true)",
    "ALTER TABLE actions OWNER TO loopiq_service",
    "ALTER TABLE actions ADD COLUMN mine TEXT",
    "CREATE INDEX mine ON actions (id)",
    "REINDEX TABLE actions",
    "LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE",
    "DROP TABLE audit_entries CASCADE",
    "COMMENT ON TABLE actions IS 'mine'",
    // Records that are kept for ever.
    "UPDATE audit_entries SET event = 'x'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries CASCADE",
    "UPDATE audit_contents SET content = '{}'",
    "DELETE FROM audit_contents",
    "TRUNCATE audit_contents",
    "UPDATE envelopes SET bytes = '{}'",
    "DELETE FROM envelopes",
    "TRUNCATE envelopes",
    "DELETE FROM audit_heads",
    "TRUNCATE audit_heads CASCADE",
    "UPDATE policies SET source = ''",
    "UPDATE installation SET kind = 'production'",
    "DELETE FROM installation",
    "DELETE FROM actions",
    "DELETE FROM decisions",
    "DELETE FROM _sqlx_migrations",
    // The machine of the database server.
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY tenants FROM PROGRAM 'id'",
    "COPY tenants TO '/tmp/loopiq-tenants'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "ALTER SYSTEM SET log_min_messages = 'panic'",
    "SELECT * FROM pg_authid",
    // Another tenant.
    "INSERT INTO teams (tenant, id, key, name) VALUES ('globex', 'team_x', 'x', 'x')",
];

#[tokio::test]
async fn the_services_role_gains_nothing_by_any_statement() {
    let Some((_world, mut service)) = upgraded().await else {
        return;
    };
    assert_eq!(gained(&mut service).await, Vec::<String>::new(), "after the upgrade");
    for begin in ["BEGIN", "BEGIN; SET LOCAL loopiq.tenant = 'acme'"] {
        for statement in REFUSED {
            service.execute(begin).await.expect("begun");
            let outcome = service.execute(statement).await;
            assert!(outcome.is_err(), "{statement} was not refused");
            service.execute("ROLLBACK").await.expect("ended");
        }
    }
    assert_eq!(gained(&mut service).await, Vec::<String>::new(), "after all of them");
    // PostgreSQL only warns about a GRANT without the right to grant, so the test checks that the role gains nothing.
    for statement in [
        "GRANT UPDATE, DELETE ON audit_entries TO loopiq_service",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO loopiq_service",
        "GRANT CREATE ON SCHEMA public TO loopiq_service",
    ] {
        let _ = service.execute(statement).await;
        assert_eq!(gained(&mut service).await, Vec::<String>::new(), "{statement}");
    }
}

/// The attack: the role creates temporary views that have the names of tables and that call a function of the role. If a function of the
/// owner reads such a view, it runs the role's function with the owner's rights, which grants the role more rights. The test lets the role
/// create temporary objects, as on a server where the owner cannot revoke that right.
#[tokio::test]
async fn objects_that_shadow_the_schema_do_not_run_as_the_owner() {
    let Some((world, mut service)) = upgraded().await else {
        return;
    };
    as_superuser(&world, "GRANT TEMPORARY ON DATABASE %I TO loopiq_service").await;
    const INSIDE: &str = "CREATE FUNCTION pg_temp.inside() RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN \
        IF current_user <> 'loopiq_service' THEN \
            EXECUTE 'GRANT UPDATE, DELETE ON public.audit_entries TO loopiq_service'; \
        END IF; RETURN current_user; END $$";
    service.execute(INSIDE).await.expect("a temporary function");
    let columns = |table: &'static str| {
        let sql = "SELECT CAST(string_agg(CASE WHEN data_type = 'bigint' THEN 'length(pg_temp.inside())::bigint' \
            WHEN data_type = 'bytea' THEN 'pg_temp.inside()::bytea' ELSE 'pg_temp.inside()' END \
            || ' AS ' || quote_ident(column_name), ', ' ORDER BY ordinal_position) AS TEXT) FROM information_schema.columns \
            WHERE table_schema = 'public' AND table_name = $1";
        sqlx::query(sql).bind(table)
    };
    for table in [
        "tokens",
        "sessions",
        "people",
        "clients",
        "grants",
        "installation",
        "action_counts",
        "action_targets",
    ] {
        let list: String = columns(table).fetch_one(&mut service).await.expect("columns").get(0);
        // The owner's functions can read the view only with a right to it.
        let view = format!("CREATE TEMPORARY VIEW {table} AS SELECT {list}; GRANT SELECT ON pg_temp.{table} TO PUBLIC");
        service.execute(AssertSqlSafe(view)).await.expect("a temporary view");
    }
    for path in [
        "DEFAULT",
        "pg_temp, public",
        "pg_temp, pg_catalog, public",
        "public, pg_temp",
    ] {
        let set = format!("SET search_path = {path}");
        service.execute(AssertSqlSafe(set)).await.expect("a path");
        for call in [
            "SELECT * FROM public.token_holder('loopiq_service')",
            "SELECT * FROM public.session_holder('loopiq_service', 0)",
            "SELECT public.instr('ab', 'b')",
            "SELECT value FROM public.json_each('[\"a\"]')",
            "SELECT '{\"a\": 1}' OPERATOR(public.->>) 'a'",
        ] {
            let _ = service.execute(call).await;
        }
        let touched = "BEGIN; SET LOCAL loopiq.tenant = 'acme'; UPDATE public.actions SET state = 'rejected'; COMMIT";
        let _ = service.execute(touched).await;
        let _ = service.execute("ROLLBACK").await;
    }
    // With the default search path and without the right to create temporary objects, the role has gained nothing.
    service.execute("SET search_path = DEFAULT").await.expect("a path");
    as_superuser(&world, "REVOKE TEMPORARY ON DATABASE %I FROM loopiq_service").await;
    assert_eq!(gained(&mut service).await, Vec::<String>::new());
    // An upgrade by the owner, while such a session is open, grants the role nothing either.
    Store::upgrade_schema(&world.database.owner_url, &world.database.url)
        .await
        .expect("upgraded");
    assert_eq!(gained(&mut service).await, Vec::<String>::new());
}

/// The rule behind the test above: no function runs with its owner's rights, and no function looks up a name in a schema of its caller.
#[tokio::test]
async fn every_function_has_a_fixed_search_path() {
    let world = World::new().await;
    if !on_postgres() {
        eprintln!("skipped: functions are PostgreSQL's");
        return;
    }
    const SQL: &str = "SELECT CAST(p.oid::regprocedure AS TEXT) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace \
        AND (p.prosecdef OR (p.prosqlbody IS NULL AND NOT COALESCE(p.proconfig @> \
        ARRAY['search_path=pg_catalog, public, pg_temp'], false))) ORDER BY 1";
    let mut connection = world.database.connect().await;
    let loose: Vec<String> = connection
        .fetch_all(SQL)
        .await
        .expect("functions")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        loose,
        Vec::<String>::new(),
        "give it a body in SQL (RETURN, BEGIN ATOMIC) or SET search_path = pg_catalog, public, pg_temp, and no SECURITY DEFINER"
    );
}

/// If the owner of the tables does not own the database, the upgrade names the rights that are left to revoke, and does the rest.
#[tokio::test]
async fn an_upgrade_names_the_rights_that_it_cannot_revoke() {
    let Some((world, _service)) = upgraded().await else {
        return;
    };
    as_superuser(&world, "ALTER DATABASE %I OWNER TO CURRENT_USER").await;
    as_superuser(&world, "GRANT TEMPORARY ON DATABASE %I TO PUBLIC").await;
    let beyond = Store::upgrade_schema(&world.database.owner_url, &world.database.url)
        .await
        .expect("upgraded all the same");
    assert_eq!(beyond.len(), 1, "{beyond:?}");
    assert!(
        beyond[0].contains("REVOKE TEMPORARY ON DATABASE") && !beyond[0].contains('\n'),
        "{beyond:?}"
    );
}
