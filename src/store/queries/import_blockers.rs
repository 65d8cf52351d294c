//! Blockers that imports and policy changes raise, for findings and controls that need one.

use super::imports::AT_ONCE;
use crate::domain::{BlockerId, Severity};
use crate::store::db::query;
use crate::store::row;
use crate::store::{ReadTx, StoreError, WriteTx};
use serde_json::json;

// The next two statements and `wanting_blockers` use CASE to keep PostgreSQL from turning the look-ups into joins. An import has just
// filled the table, so that it has no statistics, and a join would read the whole release for each batch.

/// Those of the findings ($4) of a release ($2) that are open, have one of the severities ($3), and have no blocker in the release.
const FINDINGS_OF: &str = "SELECT w.value AS id FROM json_each($4) w WHERE CASE WHEN \
     EXISTS (SELECT 1 FROM findings f WHERE f.tenant = $1 AND f.id = w.value AND f.status = 'open' \
     AND f.severity IN (SELECT value FROM json_each($3))) \
     AND EXISTS (SELECT 1 FROM sightings s WHERE s.tenant = $1 AND s.release_id = $2 AND s.finding_id = w.value) \
     AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.finding_id = w.value) \
     THEN 1 ELSE 0 END = 1 ORDER BY w.value";

/// Those of the controls ($4) of a release ($2) that fail and have no blocker in the release.
const CONTROLS_OF: &str = "SELECT w.value AS id FROM json_each($4) w WHERE CASE WHEN $3 <> '' AND \
     EXISTS (SELECT 1 FROM controls c WHERE c.tenant = $1 AND c.id = w.value AND c.release_id = $2 AND c.status = 'failing') \
     AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.control_id = w.value) \
     THEN 1 ELSE 0 END = 1 ORDER BY w.value";

fn severities(at_least: Severity) -> String {
    row::list(
        Severity::ALL
            .iter()
            .filter(|severity| **severity >= at_least)
            .map(|severity| severity.as_str()),
    )
}

/// A page of findings or controls that need a blocker in a release, and where the next page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantingPage {
    /// The IDs of findings or controls.
    pub subjects: Vec<String>,
    /// `None` after the last page.
    pub next: Option<WantingFrom>,
}

/// Where a page of findings or controls that need a blocker begins. The pages list the findings of a release, then its controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantingFrom {
    /// After this finding.
    Finding(String),
    /// After the control with this key.
    Control(String),
}

/// The most findings or controls that one page inspects. A larger release needs further statements.
const PAGE: usize = 2_000;

impl ReadTx {
    /// A page of a release's findings or controls that need a blocker; see [`WriteTx::raise_blockers`].
    pub async fn wanting_blockers(
        &mut self,
        release: &str,
        at_least: Severity,
        from: &WantingFrom,
    ) -> Result<WantingPage, StoreError> {
        const FINDINGS: &str = "SELECT s.finding_id AS place, s.finding_id AS id, CASE WHEN \
             EXISTS (SELECT 1 FROM findings f WHERE f.tenant = $1 AND f.id = s.finding_id AND f.status = 'open' \
             AND f.severity IN (SELECT value FROM json_each($3))) \
             AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.finding_id = s.finding_id) \
             THEN 1 ELSE 0 END AS wanting FROM (SELECT DISTINCT finding_id FROM sightings WHERE tenant = $1 AND release_id = $2 \
             AND finding_id > $4 ORDER BY finding_id LIMIT 0 + $5) AS s ORDER BY s.finding_id";
        const CONTROLS: &str = "SELECT c.key AS place, c.id AS id, CASE WHEN c.status = 'failing' AND $3 <> '' \
             AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.control_id = c.id) \
             THEN 1 ELSE 0 END AS wanting FROM controls c WHERE c.tenant = $1 AND c.release_id = $2 AND c.key > $4 \
             ORDER BY c.key LIMIT 0 + $5";
        let (sql, after) = match from {
            WantingFrom::Finding(after) => (FINDINGS, after),
            WantingFrom::Control(after) => (CONTROLS, after),
        };
        let rows = query(sql)
            .bind(self.tenant())
            .bind(release)
            .bind(severities(at_least))
            .bind(after)
            .bind(PAGE as i64)
            .fetch_all(&mut self.tx)
            .await?;
        let mut page = WantingPage::default();
        for row in &rows {
            if row.int("wanting")? == 1 {
                page.subjects.push(row.text("id")?);
            }
        }
        let last = rows.last().map(|row| row.text("place")).transpose()?;
        page.next = match (from, last) {
            (WantingFrom::Finding(_), Some(last)) if rows.len() == PAGE => Some(WantingFrom::Finding(last)),
            (WantingFrom::Finding(_), _) => Some(WantingFrom::Control(String::new())),
            (WantingFrom::Control(_), Some(last)) if rows.len() == PAGE => Some(WantingFrom::Control(last)),
            (WantingFrom::Control(_), _) => None,
        };
        Ok(page)
    }
}

impl WriteTx {
    /// Creates blockers for those of these findings and controls that need one: findings of this release that are open and at or above the
    /// threshold, and controls of this release that fail, if they have no blocker in it. Returns the number of new blockers.
    pub async fn raise_blockers(
        &mut self,
        release: &str,
        at_least: Severity,
        subjects: &[String],
    ) -> Result<i64, StoreError> {
        let mut made = 0;
        for some in subjects.chunks(AT_ONCE) {
            for (sql, findings) in [(FINDINGS_OF, true), (CONTROLS_OF, false)] {
                let rows = query(sql)
                    .bind(self.tenant())
                    .bind(release)
                    .bind(severities(at_least))
                    .bind(row::list(some))
                    .fetch_all(&mut self.read.tx)
                    .await?;
                let wanting: Vec<String> = rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?;
                if !wanting.is_empty() {
                    self.insert_blockers(release, &wanting, findings).await?;
                }
                made += wanting.len() as i64;
            }
        }
        Ok(made)
    }

    async fn insert_blockers(&mut self, release: &str, subjects: &[String], findings: bool) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO blockers (tenant, id, key, release_id, finding_id, control_id, status) \
             SELECT $1, value ->> 'id', value ->> 'key', $2, value ->> 'finding', value ->> 'control', 'open' \
             FROM json_each($3)";
        let first = self.take_numbers("BLK", subjects.len() as i64).await?;
        let mut rows = Vec::with_capacity(subjects.len());
        for (number, subject) in (first..).zip(subjects) {
            let id = self.ctx.runtime.id::<BlockerId>();
            rows.push(json!({
                "id": id.as_str(), "key": format!("BLK-{number}"), "finding": findings.then_some(subject),
                "control": (!findings).then_some(subject),
            }));
        }
        query(SQL)
            .bind(self.tenant())
            .bind(release)
            .bind(row::json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
