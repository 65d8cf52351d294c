//! Controls from catalogs and assessments. Importing the same file again changes nothing.

use super::imports::AT_ONCE;
use crate::domain::{ControlId, ControlStatus};
use crate::store::db::query;
use crate::store::row;
use crate::store::{StoreError, WriteTx};
use serde_json::json;

impl WriteTx {
    /// Adds the controls that the release does not have, by key and title, with an unknown status. Existing controls keep their titles and
    /// status. Returns the number of new controls.
    pub async fn declare_controls(&mut self, release: &str, declared: &[(&str, &str)]) -> Result<u64, StoreError> {
        // People write AC-2 and documents write ac-2; both refer to the same control.
        const SQL: &str = "INSERT INTO controls (tenant, id, key, title, release_id, status, version) \
             SELECT $1, value ->> 'id', value ->> 'key', value ->> 'title', $2, 'unknown', 1 FROM json_each($3) \
             WHERE CASE WHEN EXISTS (SELECT 1 FROM controls c WHERE c.tenant = $1 AND c.release_id = $2 \
             AND UPPER(c.key) = UPPER(value ->> 'key')) THEN 0 ELSE 1 END = 1 ON CONFLICT (tenant, release_id, key) DO NOTHING";
        let mut added = 0;
        for some in declared.chunks(AT_ONCE) {
            let mut rows = Vec::with_capacity(some.len());
            for (key, title) in some {
                let id = self.ctx.runtime.id::<ControlId>();
                rows.push(json!({ "id": id.as_str(), "key": key, "title": title }));
            }
            let done = query(SQL)
                .bind(self.tenant())
                .bind(release)
                .bind(row::json(&rows)?)
                .execute(&mut self.read.tx)
                .await?;
            added += done;
        }
        Ok(added)
    }

    /// Sets the status of the release's controls that an assessment names; keys without a control are ignored. Returns the number of
    /// controls whose status changed, and the IDs of all controls that were found.
    pub async fn assess_controls(
        &mut self,
        release: &str,
        assessed: &[(&str, ControlStatus)],
    ) -> Result<(u64, Vec<String>), StoreError> {
        // CROSS JOIN makes SQLite use this order of tables, so that it looks up each key.
        const FIND: &str = "SELECT c.id AS id, a.value ->> 'status' AS found FROM json_each($3) a CROSS JOIN controls c \
             WHERE c.tenant = $1 AND c.release_id = $2 AND UPPER(c.key) = UPPER(a.value ->> 'key')";
        const SET: &str = "UPDATE controls SET status = found, version = version + 1 \
             FROM (SELECT value ->> 'id' AS wanted, value ->> 'found' AS found FROM json_each($2)) AS assessment \
             WHERE tenant = $1 AND id = wanted AND status <> found";
        let (mut changed, mut ids) = (0, Vec::new());
        for some in assessed.chunks(AT_ONCE) {
            let wanted: Vec<_> = some
                .iter()
                .map(|(key, status)| json!({ "key": key, "status": status.as_str() }))
                .collect();
            let rows = query(FIND)
                .bind(self.tenant())
                .bind(release)
                .bind(row::json(&wanted)?)
                .fetch_all(&mut self.read.tx)
                .await?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                found.push(json!({ "id": row.text("id")?, "found": row.text("found")? }));
                ids.push(row.text("id")?);
            }
            if found.is_empty() {
                continue;
            }
            let done = query(SET)
                .bind(self.tenant())
                .bind(row::json(&found)?)
                .execute(&mut self.read.tx)
                .await?;
            changed += done;
        }
        Ok((changed, ids))
    }
}
