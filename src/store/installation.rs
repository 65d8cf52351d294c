//! What the installation is: one row, written by its first start and never changed.

use super::row::Columns;
use super::{Store, StoreError};
use crate::domain::{InstallationKind, Timestamp};
use sqlx::any::AnyRow;

/// Reads the kind that a look-up found beside its row.
pub(super) fn kind(row: &AnyRow) -> Result<Option<InstallationKind>, StoreError> {
    row.maybe("installation", InstallationKind::parse)
}

impl Store {
    /// What this installation is; `None` before its first start.
    pub async fn installation(&self) -> Result<Option<InstallationKind>, StoreError> {
        let row = sqlx::query("SELECT kind FROM installation")
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row.read("kind", InstallationKind::parse)).transpose()
    }

    /// What this installation is, which is `kind` if nobody has decided yet. Of several nodes that start at once, one decides.
    pub async fn decide_installation(
        &self,
        kind: InstallationKind,
        now: Timestamp,
    ) -> Result<InstallationKind, StoreError> {
        if let Some(decided) = self.installation().await? {
            return Ok(decided);
        }
        sqlx::query("INSERT INTO installation (one, kind, created_at) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING")
            .bind(kind.as_str().to_owned())
            .bind(now.0)
            .execute(&self.writers)
            .await?;
        self.installation()
            .await?
            .ok_or(StoreError::Conflict("the kind of this installation"))
    }
}
