//! Queries that limit how often an event is recorded.

use crate::audit::Event;
use crate::domain::{ActionId, Timestamp};
use crate::store::db::query;
use crate::store::{ReadTx, StoreError};

impl ReadTx {
    /// When the event was last recorded for this action.
    pub async fn last_recorded(&mut self, id: &ActionId, event: Event) -> Result<Option<Timestamp>, StoreError> {
        const SQL: &str = "SELECT at FROM audit_entries WHERE tenant = $1 AND action_id = $2 AND event = $3 ORDER BY seq DESC LIMIT 1";
        let row = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(event.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(|row| row.time("at")).transpose()
    }
}
