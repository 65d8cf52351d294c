//! Opens a database without changing it, for a command that only reports.

use super::db::{self, Dialect};
use super::{Store, StoreError, schema};

/// A database as it is.
pub enum Unchanged {
    /// A SQLite database that the next start of the service upgrades: one sentence.
    Older(String),
    /// A database with this version's schema. The caller must not write to it.
    Current(Box<Store>),
}

impl Store {
    /// Opens a database and compares its schema, as [`Store::open`] does, but migrates nothing. On SQLite the URL must say `mode=ro`.
    ///
    /// # Errors
    /// The database cannot be opened, or [`Store::open`] would refuse its schema.
    pub async fn open_unchanged(url: &str) -> Result<Unchanged, StoreError> {
        let dialect = Dialect::of(url).ok_or_else(StoreError::unknown_url)?;
        let bypasses_row_security = match dialect {
            Dialect::Sqlite => {
                let mut connection = db::sqlite::open(url).map_err(StoreError::Opening)?;
                if let Some(older) = schema::older_sqlite(&mut connection)? {
                    return Ok(Unchanged::Older(older));
                }
                false
            }
            Dialect::Postgres => schema::check_postgres(url).await?,
        };
        let store = Self::assembled(url, dialect, bypasses_row_security)?;
        Ok(Unchanged::Current(Box::new(store)))
    }
}
