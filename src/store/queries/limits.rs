//! Counts the actions that wait for a decision, up to a limit.

use crate::domain::Action;
use crate::policy::Limits;
use crate::store::db::query;
use crate::store::{StoreError, WriteTx};

/// The number of other actions that wait for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The actions of the same caller, counted up to the limit.
    pub of_caller: i64,
    /// The actions of the same client, counted up to the limit.
    pub of_client: i64,
}

impl WriteTx {
    /// Counts the other actions that wait for a decision. Actions that repeat another action count; expired actions do not.
    ///
    /// On PostgreSQL, proposals through several nodes at the same moment do not see each other. The limit can then be exceeded by their
    /// number.
    pub async fn waiting_beside(&mut self, action: &Action, limits: &Limits) -> Result<Waiting, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS of_caller, (SELECT COUNT(*) FROM (SELECT 1 FROM actions WHERE tenant = $1 AND client_id = $3 \
             AND state = 'pending_approval' AND expires_at > $4 AND id <> $5 LIMIT 0 + $7) AS others) AS of_client \
             FROM (SELECT 1 FROM actions WHERE tenant = $1 AND caller_id = $2 \
             AND state = 'pending_approval' AND expires_at > $4 AND id <> $5 LIMIT 0 + $6) AS own";
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(action.origin.caller_id.as_str())
            .bind(action.origin.client_id.as_str())
            .bind(now.0)
            .bind(action.id.as_str())
            .bind(limits.pending_per_caller)
            .bind(limits.pending_per_client)
            .fetch_one(&mut self.tx)
            .await?;
        Ok(Waiting {
            of_caller: row.int("of_caller")?,
            of_client: row.int("of_client")?,
        })
    }
}
