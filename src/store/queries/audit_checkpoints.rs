//! Signed checkpoints of the audit log, the signatures of witnesses, and what each witness has received.

use crate::domain::Timestamp;
use crate::store::db::{self, Row};
use crate::store::{ReadTx, StoreError, WriteTx};
use loopiq_audit_log::{Note, Signature};

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// The number of entries that it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The note with the signatures of the log and of the witnesses.
    pub note: Note,
}

/// What a witness has received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The witness's name.
    pub witness: String,
    /// The size of the checkpoint that it has; 0 for none.
    pub size: u64,
    /// The last attempt.
    pub at: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

fn checkpoint(row: &Row) -> Result<StoredCheckpoint, StoreError> {
    let damaged = |error: loopiq_audit_log::NoteError| StoreError::damaged("a checkpoint of the audit log", error);
    let mut note: Note = row.text("note")?.parse().map_err(damaged)?;
    for line in row.maybe_text("lines")?.unwrap_or_default().lines() {
        note.signatures.push(Signature::from_line(line).map_err(damaged)?);
    }
    Ok(StoredCheckpoint {
        size: row.int("size")? as u64,
        at: row.time("at")?,
        note,
    })
}

/// A checkpoint with the lines of its witnesses.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.size, c.at, c.note, (SELECT string_agg(w.line, '\n') FROM audit_cosignatures w WHERE w.tenant = c.tenant AND w.size = c.size) ",
            "AS lines FROM audit_checkpoints c WHERE c.tenant = $1 ",
            $rest
        )
    };
}

impl ReadTx {
    /// The latest checkpoint.
    pub async fn latest_checkpoint(&mut self) -> Result<Option<StoredCheckpoint>, StoreError> {
        const SQL: &str = select!("ORDER BY c.size DESC LIMIT 1");
        let row = db::query(SQL).bind(self.tenant()).fetch_optional(&mut self.tx).await?;
        row.as_ref().map(checkpoint).transpose()
    }

    /// The checkpoint of exactly `size` entries.
    pub async fn checkpoint(&mut self, size: u64) -> Result<Option<StoredCheckpoint>, StoreError> {
        const SQL: &str = select!("AND c.size = $2");
        let row = db::query(SQL)
            .bind(self.tenant())
            .bind(size as i64)
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(checkpoint).transpose()
    }

    /// The checkpoints of more than `after` entries, the oldest first.
    pub async fn checkpoints_after(&mut self, after: u64, limit: i64) -> Result<Vec<StoredCheckpoint>, StoreError> {
        const SQL: &str = select!("AND c.size > $2 ORDER BY c.size LIMIT 0 + $3");
        let rows = db::query(SQL)
            .bind(self.tenant())
            .bind(after as i64)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(checkpoint).collect()
    }

    /// Whether the log has an entry after the first `size` that is not about a checkpoint itself.
    pub async fn has_news_after(&mut self, size: u64) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT 1 AS news FROM audit_entries WHERE tenant = $1 AND seq > $2 AND event <> 'audit.checkpoint_signed' LIMIT 1";
        let row = db::query(SQL)
            .bind(self.tenant())
            .bind(size as i64)
            .fetch_optional(&mut self.tx)
            .await?;
        Ok(row.is_some())
    }

    /// What each witness has received.
    pub async fn deliveries(&mut self) -> Result<Vec<Delivery>, StoreError> {
        const SQL: &str = "SELECT witness, size, at, error FROM audit_deliveries WHERE tenant = $1 ORDER BY witness";
        let rows = db::query(SQL).bind(self.tenant()).fetch_all(&mut self.tx).await?;
        let delivery = |row: &Row| {
            Ok(Delivery {
                witness: row.text("witness")?,
                size: row.int("size")? as u64,
                at: row.time("at")?,
                error: row.maybe_text("error")?,
            })
        };
        rows.iter().map(delivery).collect()
    }
}

impl WriteTx {
    /// Stores a signed checkpoint. Returns `false` if another node has stored one of this size.
    pub async fn insert_checkpoint(&mut self, size: u64, note: &Note) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO audit_checkpoints (tenant, size, at, note) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, size) DO NOTHING";
        let now = self.ctx.now().0;
        let inserted = db::query(SQL)
            .bind(self.tenant())
            .bind(size as i64)
            .bind(now)
            .bind(note.to_string())
            .execute(&mut self.read.tx)
            .await?;
        Ok(inserted == 1)
    }

    /// Stores a witness's signature under a checkpoint. A second one by the same witness is ignored.
    pub async fn insert_cosignature(&mut self, size: u64, signature: &Signature) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO audit_cosignatures (tenant, size, witness, at, line) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, size, witness) DO NOTHING";
        let now = self.ctx.now().0;
        db::query(SQL)
            .bind(self.tenant())
            .bind(size as i64)
            .bind(signature.name.as_str())
            .bind(now)
            .bind(signature.to_string())
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores the outcome of sending a checkpoint to a witness. The size never decreases.
    pub async fn set_delivery(&mut self, witness: &str, size: u64, error: Option<&str>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO audit_deliveries (tenant, witness, size, at, error) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, witness) DO UPDATE SET at = $4, error = $5, \
             size = CASE WHEN audit_deliveries.size < $3 THEN $3 ELSE audit_deliveries.size END";
        let now = self.ctx.now().0;
        db::query(SQL)
            .bind(self.tenant())
            .bind(witness)
            .bind(size as i64)
            .bind(now)
            .bind(error)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
