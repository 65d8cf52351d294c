//! The schema: comparing a database with this binary's schema, and migrating it.

mod postgres;
mod sqlite;

pub(super) use postgres::check as check_postgres;
pub(super) use sqlite::{migrate as migrate_sqlite, older as older_sqlite};

use super::db::Dialect;
use super::{Store, StoreError, db};
use sqlx::migrate::Migrator;

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

/// A migration that a database has: its version and the checksum of its text.
type Applied = (i64, Vec<u8>);

/// Compares the applied migrations with the migrations of this binary.
fn schema_state(applied: &[Applied], dialect: Dialect) -> Result<SchemaState, StoreError> {
    let ours = migrations(dialect);
    let newest = ours.iter().map(|migration| migration.version).max().unwrap_or_default();
    // Databases of development versions have steps with the same numbers, so the checksums are compared first.
    for (version, checksum) in applied {
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

impl Store {
    /// Migrates a database to this binary's schema. `owner` is the URL of the role that owns the schema, and `service` is the URL that the
    /// service uses. On PostgreSQL the service's role is granted only the rights that it needs. Returns one sentence for each further right
    /// of that role that the owner cannot revoke.
    pub async fn upgrade_schema(owner: &str, service: &str) -> Result<Vec<String>, StoreError> {
        match Dialect::of(owner).ok_or_else(StoreError::unknown_url)? {
            Dialect::Sqlite => {
                migrate_sqlite(&mut db::sqlite::open(owner).map_err(StoreError::Opening)?)?;
                Ok(Vec::new())
            }
            Dialect::Postgres => postgres::upgrade(owner, service).await,
        }
    }
}
