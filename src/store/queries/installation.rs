//! The kind of the installation: one row, which the first start writes. The row never changes.

use crate::domain::{InstallationKind, Timestamp};
use crate::store::db::{Row, query};
use crate::store::{Store, StoreError};

/// Reads the installation's kind from the row of a look-up.
pub(super) fn kind(row: &Row) -> Result<Option<InstallationKind>, StoreError> {
    row.maybe("installation", InstallationKind::parse)
}

impl Store {
    /// The kind of this installation; `None` before its first start.
    pub async fn installation(&self) -> Result<Option<InstallationKind>, StoreError> {
        let row = self
            .database
            .fetch_optional(query("SELECT kind FROM installation"))
            .await?;
        row.map(|row| row.read("kind", InstallationKind::parse)).transpose()
    }

    /// Returns the kind of this installation, and sets it to `kind` if no node has set it. If several nodes start at the same time, one of
    /// them sets the kind.
    pub async fn decide_installation(
        &self,
        kind: InstallationKind,
        now: Timestamp,
    ) -> Result<InstallationKind, StoreError> {
        if let Some(decided) = self.installation().await? {
            return Ok(decided);
        }
        self.database
            .execute(
                query(
                    "INSERT INTO installation (one, kind, created_at) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING",
                )
                .bind(kind.as_str())
                .bind(now.0),
            )
            .await?;
        self.installation()
            .await?
            .ok_or(StoreError::Conflict("the kind of this installation"))
    }
}
