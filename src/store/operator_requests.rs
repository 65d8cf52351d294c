//! Requests of operators: what one of them asks for and a second one confirms.

use super::row::{Columns, json};
use super::{ReadTx, StoreError, WriteTx};
use crate::domain::{OperatorChange, PersonId, RequestId, RequestStatus, Timestamp};
use sqlx::any::AnyRow;

/// A stored request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Its ID.
    pub id: RequestId,
    /// What it would change. It never changes itself.
    pub change: OperatorChange,
    /// The same in one sentence.
    pub summary: String,
    /// Who made it; nobody: an operator at the console.
    pub made_by: Option<PersonId>,
    /// When.
    pub made_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// Where it stands, as it was written; see [`RequestRow::status_at`].
    pub status: RequestStatus,
    /// Who confirmed, declined or withdrew it; nobody: the console, or time.
    pub settled_by: Option<PersonId>,
    /// When.
    pub settled_at: Option<Timestamp>,
    /// What came of it, in words.
    pub outcome: String,
}

impl RequestRow {
    /// Where it stands for a reader: time ends it before anybody has written so.
    pub fn status_at(&self, now: Timestamp) -> RequestStatus {
        match self.status {
            RequestStatus::Pending if self.expires_at <= now => RequestStatus::Expired,
            status => status,
        }
    }
}

/// How a request ends.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The status that it comes to.
    pub status: RequestStatus,
    /// Who ended it.
    pub by: Option<PersonId>,
    /// What came of it, in words.
    pub outcome: String,
}

fn request(row: &AnyRow) -> Result<RequestRow, StoreError> {
    let person = |column| row.maybe(column, |t| PersonId::parse(t).ok());
    Ok(RequestRow {
        id: row.read("id", |t| RequestId::parse(t).ok())?,
        change: row.json("change")?,
        summary: row.text("summary")?,
        made_by: person("made_by")?,
        made_at: row.time("made_at")?,
        expires_at: row.time("expires_at")?,
        status: row.read("status", RequestStatus::parse)?,
        settled_by: person("settled_by")?,
        settled_at: row.maybe_int("settled_at")?.map(Timestamp),
        outcome: row.text("outcome")?,
    })
}

impl ReadTx {
    /// A request.
    pub async fn operator_request(&mut self, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM operator_requests WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(request).transpose()
    }

    /// Requests that nobody has settled, the newest first; those whose time has run out are among them.
    pub async fn open_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 AND status = 'pending' \
             ORDER BY made_at DESC, id DESC LIMIT 0 + $2";
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(request).collect()
    }

    /// Requests that were settled, the newest first.
    pub async fn settled_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 \
             AND status IN ('confirmed', 'declined', 'withdrawn', 'expired') ORDER BY made_at DESC, id DESC LIMIT 0 + $2";
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(request).collect()
    }

    /// Requests whose time has run out and that nobody has written so yet.
    pub async fn overdue_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 AND status = 'pending' AND expires_at <= $2 \
             ORDER BY made_at, id LIMIT 0 + $3";
        let now = self.ctx.now();
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(request).collect()
    }
}

impl WriteTx {
    /// Keeps a new request.
    pub async fn insert_request(&mut self, new: &RequestRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO operator_requests (tenant, id, change, summary, made_by, made_at, expires_at, status) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str().to_owned())
            .bind(json(&new.change)?)
            .bind(new.summary.clone())
            .bind(new.made_by.as_ref().map(|id| id.as_str().to_owned()))
            .bind(new.made_at.0)
            .bind(new.expires_at.0)
            .bind(new.status.as_str().to_owned())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Ends a request that waits, once.
    pub async fn settle_request(&mut self, id: &RequestId, settled: &Settled) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE operator_requests SET status = $3, settled_by = $4, settled_at = $5, outcome = $6 \
             WHERE tenant = $1 AND id = $2 AND status = 'pending'";
        let now = self.ctx.now();
        let done = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .bind(settled.status.as_str().to_owned())
            .bind(settled.by.as_ref().map(|id| id.as_str().to_owned()))
            .bind(now.0)
            .bind(settled.outcome.clone())
            .execute(&mut *self.tx)
            .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict("the request"))
        }
    }
}
