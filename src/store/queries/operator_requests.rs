//! Operator requests: changes that one operator asks for and a second operator confirms.

use crate::domain::{OperatorChange, PersonId, RequestId, RequestStatus, Timestamp};
use crate::store::db::{Row, query};
use crate::store::row::json;
use crate::store::{ReadTx, StoreError, WriteTx};

/// A stored operator request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// The request's ID.
    pub id: RequestId,
    /// The requested change. The change itself is never modified.
    pub change: OperatorChange,
    /// The requested change in one sentence.
    pub summary: String,
    /// The operator who made the request; `None` for an operator at the console.
    pub made_by: Option<PersonId>,
    /// When the operator made the request.
    pub made_at: Timestamp,
    /// When the request expires. Operators cannot confirm it after that.
    pub expires_at: Timestamp,
    /// The stored status. It can be out of date after `expires_at`; see [`RequestRow::status_at`].
    pub status: RequestStatus,
    /// The operator who confirmed, declined or withdrew the request; `None` for the console and for expiry.
    pub settled_by: Option<PersonId>,
    /// When the request was settled.
    pub settled_at: Option<Timestamp>,
    /// The result of the request, in words.
    pub outcome: String,
}

impl RequestRow {
    /// The status at this time: a pending request is expired from `expires_at` on, before a task has stored that.
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
    /// The final status.
    pub status: RequestStatus,
    /// The operator who ended the request; `None` for the console and for expiry.
    pub by: Option<PersonId>,
    /// The result of the request, in words.
    pub outcome: String,
}

fn request(row: &Row) -> Result<RequestRow, StoreError> {
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
    /// A request by ID.
    pub async fn operator_request(&mut self, id: &RequestId) -> Result<Option<RequestRow>, StoreError> {
        let row = query("SELECT * FROM operator_requests WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(request).transpose()
    }

    /// Requests with the stored status `pending`, newest first. The list includes requests that have expired and that no task has settled.
    pub async fn open_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 AND status = 'pending' \
             ORDER BY made_at DESC, id DESC LIMIT 0 + $2";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(request).collect()
    }

    /// Settled requests, newest first.
    pub async fn settled_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 \
             AND status IN ('confirmed', 'declined', 'withdrawn', 'expired') ORDER BY made_at DESC, id DESC LIMIT 0 + $2";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(request).collect()
    }

    /// Expired requests that no task has settled, oldest first.
    pub async fn overdue_requests(&mut self, limit: i64) -> Result<Vec<RequestRow>, StoreError> {
        const SQL: &str = "SELECT * FROM operator_requests WHERE tenant = $1 AND status = 'pending' AND expires_at <= $2 \
             ORDER BY made_at, id LIMIT 0 + $3";
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(request).collect()
    }
}

impl WriteTx {
    /// Stores a new request.
    pub async fn insert_request(&mut self, new: &RequestRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO operator_requests (tenant, id, change, summary, made_by, made_at, expires_at, status) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str())
            .bind(json(&new.change)?)
            .bind(&new.summary)
            .bind(new.made_by.as_ref().map(|id| id.as_str()))
            .bind(new.made_at.0)
            .bind(new.expires_at.0)
            .bind(new.status.as_str())
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Settles a pending request.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: the request is not pending any more.
    pub async fn settle_request(&mut self, id: &RequestId, settled: &Settled) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE operator_requests SET status = $3, settled_by = $4, settled_at = $5, outcome = $6 \
             WHERE tenant = $1 AND id = $2 AND status = 'pending'";
        let now = self.ctx.now();
        let done = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(settled.status.as_str())
            .bind(settled.by.as_ref().map(|id| id.as_str()))
            .bind(now.0)
            .bind(&settled.outcome)
            .execute(&mut self.tx)
            .await?;
        if done == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict("the request"))
        }
    }
}
