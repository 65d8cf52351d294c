//! The read journal: one row per call of a read tool. It is separate from the audit log, so that reads stay fast.

use crate::domain::{ChainCall, Timestamp, canonical};
use crate::store::db::{Row, query};
use crate::store::row::json;
use crate::store::{StoreError, WriteTx};

/// One call of a read tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCall {
    /// The client that called.
    pub client_id: String,
    /// The person that the client acted for.
    pub caller_id: String,
    /// The trace ID of the call.
    pub trace_id: String,
    /// The request ID of the call.
    pub request_id: String,
    /// The name of the tool.
    pub tool: String,
    /// SHA-256 of the call's arguments.
    pub arguments_digest: String,
    /// The IDs of the records in the response.
    pub record_ids: Vec<String>,
    /// When the client called.
    pub at: Timestamp,
}

impl From<&ReadCall> for ChainCall {
    fn from(call: &ReadCall) -> Self {
        Self {
            tool: call.tool.clone(),
            at: call.at,
            record_ids: call.record_ids.iter().take(Self::MAX_RECORDS).cloned().collect(),
            more: u32::try_from(call.record_ids.len().saturating_sub(Self::MAX_RECORDS)).unwrap_or(u32::MAX),
        }
    }
}

pub(super) fn read_call(row: &Row) -> Result<ReadCall, StoreError> {
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
}

impl WriteTx {
    /// Stores read calls in one statement.
    pub async fn insert_reads(&mut self, calls: &[ReadCall]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO read_journal (tenant, id, client_id, caller_id, trace_id, request_id, tool, \
             arguments_digest, record_ids, at) SELECT $1, value ->> 'id', value ->> 'client', value ->> 'caller', \
             value ->> 'trace', value ->> 'request', value ->> 'tool', value ->> 'arguments', value ->> 'records', \
             CAST(value ->> 'at' AS BIGINT) FROM json_each($2)";
        let mut rows = Vec::with_capacity(calls.len());
        for call in calls {
            let id: [u8; 16] = self.ctx.runtime.random();
            rows.push(serde_json::json!({
                "id": canonical::hex(&id), "client": call.client_id, "caller": call.caller_id, "trace": call.trace_id,
                "request": call.request_id, "tool": call.tool, "arguments": call.arguments_digest,
                "records": json(&call.record_ids)?, "at": call.at.0,
            }));
        }
        let tenant = self.tenant();
        query(SQL).bind(tenant).bind(json(&rows)?).execute(&mut self.tx).await?;
        Ok(())
    }
}
