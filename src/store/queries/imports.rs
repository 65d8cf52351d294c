//! The progress of imports of large files that are running or were interrupted.

use crate::store::db::query;
use crate::store::{StoreError, WriteTx};
use serde_json::Value;

/// The records in one statement. Fewer records would need more round trips; more would make the database messages too large.
pub(super) const AT_ONCE: usize = 300;

/// The progress of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The hash of the records that the import stores.
    pub plan: String,
    /// The number of records that are already stored.
    pub done: i64,
    /// The import report so far, as JSON.
    pub report: Value,
}

/// Identifies an import: a file for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportKey {
    /// The release's ID.
    pub release: String,
    /// The file's hash.
    pub sha256: String,
}

impl WriteTx {
    /// The progress of an import; `None` if no import of the file is running or interrupted.
    pub async fn import_progress(&mut self, key: &ImportKey) -> Result<Option<Progress>, StoreError> {
        const SQL: &str =
            "SELECT plan, done, report FROM imports WHERE tenant = $1 AND release_id = $2 AND sha256 = $3";
        let row = query(SQL)
            .bind(self.tenant())
            .bind(&key.release)
            .bind(&key.sha256)
            .fetch_optional(&mut self.read.tx)
            .await?;
        row.map(|row| {
            Ok(Progress {
                plan: row.text("plan")?,
                done: row.int("done")?,
                report: row.json("report")?,
            })
        })
        .transpose()
    }

    /// Stores the progress of an import.
    pub async fn keep_import_progress(&mut self, key: &ImportKey, progress: &Progress) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO imports (tenant, release_id, sha256, plan, done, report, started_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, release_id, sha256) \
             DO UPDATE SET plan = excluded.plan, done = excluded.done, report = excluded.report";
        let now = self.ctx.now();
        query(SQL)
            .bind(self.tenant())
            .bind(&key.release)
            .bind(&key.sha256)
            .bind(&progress.plan)
            .bind(progress.done)
            .bind(progress.report.to_string())
            .bind(now.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Deletes the progress of an import that has ended.
    pub async fn end_import(&mut self, key: &ImportKey) -> Result<(), StoreError> {
        query("DELETE FROM imports WHERE tenant = $1 AND release_id = $2 AND sha256 = $3")
            .bind(self.tenant())
            .bind(&key.release)
            .bind(&key.sha256)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
