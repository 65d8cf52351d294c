//! The records that have a key.

use crate::store::db::query;
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};

impl ReadTx {
    /// The records of all kinds with these keys, as (key, ID). A key is found as it is given, in capitals and in small letters. Controls of
    /// several releases can have one key. Their index begins with the release, so `CROSS JOIN` makes SQLite begin there as well.
    pub async fn records_of_keys(&mut self, keys: &[String]) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT key, id FROM findings WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM evidence WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM blockers WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM releases WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM certifications WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM components WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT key, id FROM teams WHERE tenant = $1 AND key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT c.key, c.id FROM releases r CROSS JOIN controls c \
             WHERE r.tenant = $1 AND c.tenant = r.tenant AND c.release_id = r.id AND c.key IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT 'WI-' || w.number, w.id FROM work_items w \
             WHERE w.tenant = $1 AND w.number IN (SELECT CAST(value AS BIGINT) FROM json_each($3)) LIMIT 1000";
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let forms = keys
            .iter()
            .flat_map(|key| [key.clone(), key.to_uppercase(), key.to_lowercase()]);
        let numbers = keys.iter().filter_map(|key| {
            let (prefix, number) = key.split_once('-')?;
            let number: i64 = number.parse().ok()?;
            prefix.eq_ignore_ascii_case("WI").then(|| number.to_string())
        });
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(forms))
            .bind(list(numbers))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(|row| Ok((row.text("key")?, row.text("id")?))).collect()
    }
}
