//! Controls from catalogs and assessments. Importing the same file again changes nothing.

use super::imports::AT_ONCE;
use crate::domain::{ControlId, ControlStatus, Timestamp};
use crate::store::db::query;
use crate::store::row;
use crate::store::{StoreError, WriteTx};
use serde_json::json;

/// A control of which an assessment gave the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessedControl {
    /// The control's ID.
    pub id: String,
    /// The status.
    pub status: ControlStatus,
}

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

    /// Sets the status of the release's controls that an assessment names, unless a newer assessment has set it; keys without a control are
    /// ignored. Returns the number of controls whose status changed, and the controls that were found.
    pub async fn assess_controls(
        &mut self,
        release: &str,
        assessed: &[(&str, ControlStatus)],
        at: Timestamp,
    ) -> Result<(u64, Vec<AssessedControl>), StoreError> {
        // CROSS JOIN makes SQLite use this order of tables, so that it looks up each key.
        const FIND: &str = "SELECT c.id AS id, c.status AS status, a.value ->> 'status' AS found FROM json_each($3) a CROSS JOIN controls c \
             WHERE c.tenant = $1 AND c.release_id = $2 AND UPPER(c.key) = UPPER(a.value ->> 'key') \
             AND COALESCE(c.assessed_at, $4) <= $4";
        const SET: &str = "UPDATE controls SET status = found, assessed_at = $3, \
             version = version + CASE WHEN status = found THEN 0 ELSE 1 END \
             FROM (SELECT value ->> 'id' AS wanted, value ->> 'found' AS found FROM json_each($2)) AS assessment \
             WHERE tenant = $1 AND id = wanted";
        let (mut changed, mut controls) = (0, Vec::new());
        for some in assessed.chunks(AT_ONCE) {
            let wanted: Vec<_> = some
                .iter()
                .map(|(key, status)| json!({ "key": key, "status": status.as_str() }))
                .collect();
            let rows = query(FIND)
                .bind(self.tenant())
                .bind(release)
                .bind(row::json(&wanted)?)
                .bind(at.0)
                .fetch_all(&mut self.read.tx)
                .await?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                let control = AssessedControl {
                    id: row.text("id")?,
                    status: row.read("found", ControlStatus::parse)?,
                };
                changed += u64::from(row.text("status")? != control.status.as_str());
                found.push(json!({ "id": control.id, "found": control.status }));
                controls.push(control);
            }
            if found.is_empty() {
                continue;
            }
            query(SET)
                .bind(self.tenant())
                .bind(row::json(&found)?)
                .bind(at.0)
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok((changed, controls))
    }
}
