//! What agents read: one row per call, kept apart from the audit log, so that reading stays cheap.

use super::row::{Columns, json};
use super::{ReadTx, StoreError, WriteTx};
use crate::domain::{Timestamp, canonical};

/// One call of a read tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCall {
    /// The client that called.
    pub client_id: String,
    /// The person it acted for.
    pub caller_id: String,
    /// The trace it came in.
    pub trace_id: String,
    /// The request.
    pub request_id: String,
    /// The tool.
    pub tool: String,
    /// SHA-256 of its arguments.
    pub arguments_digest: String,
    /// What came back.
    pub record_ids: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// The most calls that a proposal's chain shows.
const CHAIN: i64 = 200;

impl ReadTx {
    /// The calls of a trace, or (without one) of this client and caller since its proposal before; oldest first.
    pub async fn reads(
        &mut self,
        client: &str,
        caller: &str,
        trace: Option<&str>,
        until: Timestamp,
    ) -> Result<Vec<ReadCall>, StoreError> {
        const BY_TRACE: &str = "SELECT * FROM reads WHERE tenant = $1 AND client_id = $2 AND caller_id = $3 \
             AND trace_id = $4 AND at <= $5 ORDER BY at DESC, id DESC LIMIT $6";
        const SINCE: &str = "SELECT * FROM reads WHERE tenant = $1 AND client_id = $2 AND caller_id = $3 AND $4 = '' \
             AND at <= $5 AND at > COALESCE((SELECT MAX(created_at) FROM actions WHERE tenant = $1 AND client_id = $2 \
             AND caller_id = $3 AND created_at < $5), 0) ORDER BY at DESC, id DESC LIMIT $6";
        let rows = sqlx::query(if trace.is_some() { BY_TRACE } else { SINCE })
            .bind(self.tenant())
            .bind(client.to_owned())
            .bind(caller.to_owned())
            .bind(trace.unwrap_or_default().to_owned())
            .bind(until.0)
            .bind(CHAIN)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter()
            .rev()
            .map(|row| {
                Ok(ReadCall {
                    client_id: row.text("client_id")?,
                    caller_id: row.text("caller_id")?,
                    trace_id: row.text("trace_id")?,
                    request_id: row.text("request_id")?,
                    tool: row.text("tool")?,
                    arguments_digest: row.text("arguments_digest")?,
                    record_ids: row.json("record_ids")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }
}

impl WriteTx {
    /// Keeps calls.
    pub async fn insert_reads(&mut self, calls: &[ReadCall]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO reads (tenant, id, client_id, caller_id, trace_id, request_id, tool, \
             arguments_digest, record_ids, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        for call in calls {
            let id = canonical::hex(&self.ctx.ports.random::<16>());
            let tenant = self.tenant();
            sqlx::query(SQL)
                .bind(tenant)
                .bind(id)
                .bind(call.client_id.clone())
                .bind(call.caller_id.clone())
                .bind(call.trace_id.clone())
                .bind(call.request_id.clone())
                .bind(call.tool.clone())
                .bind(call.arguments_digest.clone())
                .bind(json(&call.record_ids)?)
                .bind(call.at.0)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(())
    }
}
