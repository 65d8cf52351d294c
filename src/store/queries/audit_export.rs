//! Reads the audit log as it is stored, for exports. Damaged entries are read, too, because the verifier of the export has to see them.

use crate::store::db::{self, Row};
use crate::store::{ReadTx, StoreError};

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ExportRecord {
    pub seq: i64,
    pub at: i64,
    pub event: String,
    pub action_id: Option<String>,
    pub content_hash: String,
    pub leaf_hash: String,
    /// Salt and content. `None` if the content was purged.
    pub content: Option<(String, String)>,
}

fn record(row: &Row) -> Result<ExportRecord, StoreError> {
    Ok(ExportRecord {
        seq: row.int("seq")?,
        at: row.int("at")?,
        event: row.text("event")?,
        action_id: row.maybe_text("action_id")?,
        content_hash: row.text("content_hash")?,
        leaf_hash: row.text("leaf_hash")?,
        content: row.maybe_text("salt")?.zip(row.maybe_text("content")?),
    })
}

impl ReadTx {
    /// The entries after `after` up to `last`, oldest first. The statement repeats the lower bound for both tables, so that PostgreSQL merges
    /// them from there.
    pub async fn audit_to_export(
        &mut self,
        after: i64,
        last: i64,
        limit: i64,
    ) -> Result<Vec<ExportRecord>, StoreError> {
        const SQL: &str = "SELECT e.seq, e.at, e.event, e.action_id, e.content_hash, e.leaf_hash, c.salt, c.content FROM audit_entries e \
             LEFT JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq AND c.seq > $2 \
             WHERE e.tenant = $1 AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT 0 + $4";
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(after)
            .bind(last)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(record).collect()
    }
}
