//! A database for one test.

use loopiq::store::Store;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tempfile::TempDir;

/// The environment variable with the URL of a cluster's superuser.
pub const POSTGRES: &str = "LOOPIQ_TEST_POSTGRES";

const OWNER: (&str, &str) = ("loopiq_owner", "owner-of-the-tables");
const SERVICE: (&str, &str) = ("loopiq_service", "what-the-service-says");
const TEMPLATE: &str = "loopiq_template";

/// Whether the tests of this run use PostgreSQL.
pub fn on_postgres() -> bool {
    std::env::var_os(POSTGRES).is_some()
}

/// A new database with the current schema, which is removed when it is dropped.
pub struct Database {
    /// The URL that the service opens.
    pub url: String,
    /// The URL of the tables' owner; the same on SQLite.
    pub owner_url: String,
    /// The URL of a role that sees every row of every tenant; the same on SQLite.
    pub all_seeing_url: String,
    /// The folder of the installation's files.
    pub folder: TempDir,
    /// On a cluster, the URL of its superuser and the database's name.
    cluster: Option<(String, String)>,
}

impl Database {
    /// A database of the kind that this run tests.
    ///
    /// # Panics
    /// The database cannot be created.
    pub async fn new() -> Self {
        match std::env::var(POSTGRES) {
            Ok(admin) => Self::on_cluster(&admin).await,
            Err(_) => Self::sqlite(),
        }
    }

    /// The URL of a SQLite file that does not exist yet; opening it creates it.
    ///
    /// # Panics
    /// There is no temporary folder.
    pub fn sqlite() -> Self {
        let folder = private_folder();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("loopiq.db").display());
        Self {
            owner_url: url.clone(),
            all_seeing_url: url.clone(),
            url,
            folder,
            cluster: None,
        }
    }

    /// A database in the cluster of this superuser.
    ///
    /// # Panics
    /// A statement fails.
    pub async fn on_cluster(admin: &str) -> Self {
        sqlx::any::install_default_drivers();
        ensure_template(admin).await;
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("random bytes");
        let name = format!("t_{}", u64::from_be_bytes(random));
        run(
            admin,
            format!("CREATE DATABASE {name} OWNER {} TEMPLATE {TEMPLATE}", OWNER.0),
        )
        .await;
        // `schema upgrade` has set this on the template, but rights on a database are not copied with it.
        run(
            admin,
            format!("REVOKE CREATE, TEMPORARY ON DATABASE {name} FROM PUBLIC"),
        )
        .await;
        Self {
            url: url_for_role(admin, SERVICE, &name),
            owner_url: url_for_role(admin, OWNER, &name),
            all_seeing_url: of_database(admin, &name),
            folder: private_folder(),
            cluster: Some((admin.to_owned(), name)),
        }
    }

    /// A database in the cluster without tables.
    ///
    /// # Panics
    /// A statement fails.
    pub async fn empty_on_cluster(admin: &str) -> Self {
        let database = Self::on_cluster(admin).await;
        let name = database
            .cluster
            .as_ref()
            .map(|(_, name)| name.as_str())
            .unwrap_or_default();
        run(admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        run(admin, format!("CREATE DATABASE {name} OWNER {}", OWNER.0)).await;
        database
    }

    /// A connection that sees every row.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.all_seeing_url)
            .await
            .expect("a connection")
    }

    /// The names of the tables.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn tables(&self) -> Vec<String> {
        let sql = if self.cluster.is_some() {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public' \
             AND table_name NOT LIKE '\\_sqlx%' ORDER BY 1"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
             AND name NOT LIKE '_sqlx%' ORDER BY name"
        };
        let mut connection = self.connect().await;
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("tables");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The number of rows in a table.
    ///
    /// # Panics
    /// The table does not exist.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_one(&mut self.connect().await)
            .await;
        row.expect("a table").get(0)
    }

    /// Every row of every table as text, sorted: `table|column=value|…`.
    ///
    /// # Panics
    /// The database does not answer.
    pub async fn dump(&self) -> Vec<String> {
        let mut rows = Vec::new();
        let mut connection = self.connect().await;
        for table in self.tables().await {
            let sql = if self.cluster.is_some() {
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name = $1 ORDER BY ordinal_position"
            } else {
                "SELECT name FROM pragma_table_info($1)"
            };
            let columns = sqlx::query(sql)
                .bind(table.clone())
                .fetch_all(&mut connection)
                .await
                .expect("columns");
            let parts: Vec<String> = columns
                .iter()
                .map(|column| {
                    let column: String = column.get(0);
                    format!("'|{column}=' || COALESCE(CAST(\"{column}\" AS TEXT), 'NULL')")
                })
                .collect();
            let sql = format!("SELECT '{table}' || {} FROM \"{table}\"", parts.join(" || "));
            let found = sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&mut connection)
                .await
                .expect("rows");
            rows.extend(found.iter().map(|row| row.get::<String, _>(0)));
        }
        rows.sort();
        rows
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((admin, name)) = self.cluster.take() else {
            return;
        };
        // The test's runtime may be gone, so a thread with its own runtime drops the database.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // If the cluster is gone, so is the database.
                runtime.block_on(async {
                    if let Ok(mut connection) = AnyConnection::connect(&admin).await {
                        let _ = connection.execute(AssertSqlSafe(sql)).await;
                    }
                });
            }
        });
        let _ = dropping.join();
    }
}

/// The first test of a run creates the roles, and a template database with the schema.
async fn ensure_template(admin: &str) {
    let mut connection = AnyConnection::connect(admin).await.expect("the cluster");
    // The lock is held until the connection is closed, because tests run in processes of their own.
    connection
        .execute("SELECT pg_advisory_lock(1)")
        .await
        .expect("the lock");
    let known = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(TEMPLATE)
        .fetch_optional(&mut connection)
        .await
        .expect("databases");
    if known.is_none() {
        for (role, password) in [OWNER, SERVICE] {
            let sql = format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'");
            connection.execute(AssertSqlSafe(sql)).await.expect("a role");
        }
        let sql = format!("CREATE DATABASE loopiq_building OWNER {}", OWNER.0);
        connection.execute(AssertSqlSafe(sql)).await.expect("a database");
        let (owner, service) = (
            url_for_role(admin, OWNER, "loopiq_building"),
            url_for_role(admin, SERVICE, "loopiq_building"),
        );
        Store::upgrade_schema(&owner, &service).await.expect("the schema");
        let sql = format!("ALTER DATABASE loopiq_building RENAME TO {TEMPLATE}");
        connection.execute(AssertSqlSafe(sql)).await.expect("the template");
    }
    connection.close().await.expect("an orderly end");
}

async fn run(url: &str, sql: String) {
    let mut connection = AnyConnection::connect(url).await.expect("the cluster");
    connection.execute(AssertSqlSafe(sql)).await.expect("a statement");
    let _ = connection.close().await;
}

/// The URL of a database in the same cluster, for another role.
fn url_for_role(admin: &str, (role, password): (&str, &str), database: &str) -> String {
    let folder = admin.split_once("?host=").map(|(_, folder)| folder).unwrap_or_default();
    crate::cluster::url_of(folder, role, password, database)
}

fn of_database(admin: &str, database: &str) -> String {
    let (before, folder) = admin.split_once("?host=").unwrap_or((admin, ""));
    let (server, _) = before.rsplit_once('/').unwrap_or((before, ""));
    format!("{server}/{database}?host={folder}")
}

/// A temporary folder with the access rights of a data directory. The service warns about any others.
fn private_folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .expect("a temporary folder")
}
