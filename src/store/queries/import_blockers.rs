//! Blockers that imports and policy changes raise, for findings and controls that need one.

use super::imports::AT_ONCE;
use crate::domain::{BlockerId, Severity};
use crate::store::db::query;
use crate::store::row;
use crate::store::{ReadTx, StoreError, WriteTx};
use serde_json::json;
use std::collections::BTreeSet;

// The next two statements and `wanting_blockers` use CASE to keep PostgreSQL from turning the look-ups into joins. An import has just
// filled the table, so that it has no statistics, and a join would read the whole release for each batch.

/// Whether a finding has no need of a blocker in a release ($2): it has an open one, or a closed one and the newest complete scan of the
/// release does not show the finding any more, or its risk is accepted there, or a scan or a statement (VEX) sets it aside there.
macro_rules! finding_is_settled {
    ($finding:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.finding_id = ",
            $finding,
            " AND (b.status = 'open' OR EXISTS (SELECT 1 FROM release_findings g WHERE g.tenant = $1 AND g.release_id = $2 \
             AND g.finding_id = b.finding_id AND g.not_seen_since IS NOT NULL))) \
             OR EXISTS (SELECT 1 FROM accepted_risks a WHERE a.tenant = $1 AND a.release_id = $2 AND a.record_id = ",
            $finding,
            ") OR EXISTS (SELECT 1 FROM release_findings v WHERE v.tenant = $1 AND v.release_id = $2 AND (v.verdict IS NOT NULL OR v.suppressed = 1) \
             AND v.finding_id = ",
            $finding,
            "))"
        )
    };
}

/// Whether a control has no need of a blocker in its release ($2): it has an open one, or its risk is accepted.
macro_rules! control_is_settled {
    ($control:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.control_id = ",
            $control,
            " AND b.status = 'open') \
             OR EXISTS (SELECT 1 FROM accepted_risks a WHERE a.tenant = $1 AND a.release_id = $2 AND a.record_id = ",
            $control,
            "))"
        )
    };
}

/// Those of the findings ($4) of a release ($2) that are open, have one of the severities ($3), and need a blocker in the release.
const FINDINGS_OF: &str = concat!(
    "SELECT w.value AS id FROM json_each($4) w WHERE CASE WHEN \
     EXISTS (SELECT 1 FROM findings f WHERE f.tenant = $1 AND f.id = w.value AND f.status = 'open' \
     AND f.severity IN (SELECT value FROM json_each($3))) \
     AND EXISTS (SELECT 1 FROM release_findings s WHERE s.tenant = $1 AND s.release_id = $2 AND s.finding_id = w.value) \
     AND NOT ",
    finding_is_settled!("w.value"),
    " THEN 1 ELSE 0 END = 1 ORDER BY w.value"
);

/// Those of the controls ($4) of a release ($2) that fail and need a blocker in the release.
const CONTROLS_OF: &str = concat!(
    "SELECT w.value AS id FROM json_each($4) w WHERE CASE WHEN $3 <> '' AND \
     EXISTS (SELECT 1 FROM controls c WHERE c.tenant = $1 AND c.id = w.value AND c.release_id = $2 AND c.status = 'failing') \
     AND NOT ",
    control_is_settled!("w.value"),
    " THEN 1 ELSE 0 END = 1 ORDER BY w.value"
);

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
        const FINDINGS: &str = concat!(
            "SELECT s.finding_id AS place, s.finding_id AS id, CASE WHEN \
             EXISTS (SELECT 1 FROM findings f WHERE f.tenant = $1 AND f.id = s.finding_id AND f.status = 'open' \
             AND f.severity IN (SELECT value FROM json_each($3))) AND NOT ",
            finding_is_settled!("s.finding_id"),
            " THEN 1 ELSE 0 END AS wanting FROM release_findings s WHERE s.tenant = $1 AND s.release_id = $2 AND s.finding_id > $4 \
             ORDER BY s.finding_id LIMIT 0 + $5"
        );
        const CONTROLS: &str = concat!(
            "SELECT c.key AS place, c.id AS id, CASE WHEN c.status = 'failing' AND $3 <> '' AND NOT ",
            control_is_settled!("c.id"),
            " THEN 1 ELSE 0 END AS wanting FROM controls c WHERE c.tenant = $1 AND c.release_id = $2 AND c.key > $4 \
             ORDER BY c.key LIMIT 0 + $5"
        );
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
    /// Opens blockers for those of these findings and controls that need one: findings of this release that are open and at or above the
    /// threshold, and controls of this release that fail, unless their risk is accepted in it. A closed blocker is opened again. Returns
    /// the number of blockers that were opened.
    pub async fn raise_blockers(
        &mut self,
        release: &str,
        at_least: Severity,
        subjects: &[String],
    ) -> Result<i64, StoreError> {
        let mut opened = 0;
        for some in subjects.chunks(AT_ONCE) {
            for (sql, findings) in [(FINDINGS_OF, true), (CONTROLS_OF, false)] {
                let rows = query(sql)
                    .bind(self.tenant())
                    .bind(release)
                    .bind(severities(at_least))
                    .bind(row::list(some))
                    .fetch_all(&mut self.read.tx)
                    .await?;
                let mut wanting: BTreeSet<String> = rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?;
                opened += wanting.len() as i64;
                if !wanting.is_empty() {
                    self.reopen_blockers(release, &mut wanting).await?;
                }
                if !wanting.is_empty() {
                    self.insert_blockers(release, &wanting, findings).await?;
                }
            }
        }
        Ok(opened)
    }

    /// Opens the closed blockers of these findings or controls, and removes those from the set.
    async fn reopen_blockers(&mut self, release: &str, subjects: &mut BTreeSet<String>) -> Result<(), StoreError> {
        const FINDINGS: &str = "UPDATE blockers SET status = 'open', version = version + 1 WHERE tenant = $1 AND release_id = $2 \
             AND finding_id IN (SELECT value FROM json_each($3)) AND status <> 'open' RETURNING finding_id AS subject";
        const CONTROLS: &str = "UPDATE blockers SET status = 'open', version = version + 1 WHERE tenant = $1 AND release_id = $2 \
             AND control_id IN (SELECT value FROM json_each($3)) AND status <> 'open' RETURNING control_id AS subject";
        let wanted = row::list(&*subjects);
        for sql in [FINDINGS, CONTROLS] {
            let rows = query(sql)
                .bind(self.tenant())
                .bind(release)
                .bind(wanted.as_str())
                .fetch_all(&mut self.read.tx)
                .await?;
            for row in &rows {
                subjects.remove(&row.text("subject")?);
            }
        }
        Ok(())
    }

    /// Closes the open blockers of findings in a release.
    pub async fn resolve_blockers_in(&mut self, release: &str, findings: &[&str]) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE blockers SET status = 'resolved', version = version + 1 WHERE tenant = $1 AND release_id = $2 \
             AND finding_id IN (SELECT value FROM json_each($3)) AND status = 'open'";
        Ok(query(SQL)
            .bind(self.tenant())
            .bind(release)
            .bind(row::list(findings))
            .execute(&mut self.read.tx)
            .await?)
    }

    /// Closes the open blockers of findings and controls, in every release.
    pub async fn resolve_blockers(&mut self, subjects: &[&str]) -> Result<u64, StoreError> {
        const FINDINGS: &str = "UPDATE blockers SET status = 'resolved', version = version + 1 WHERE tenant = $1 \
             AND finding_id IN (SELECT value FROM json_each($2)) AND status = 'open'";
        const CONTROLS: &str = "UPDATE blockers SET status = 'resolved', version = version + 1 WHERE tenant = $1 \
             AND control_id IN (SELECT value FROM json_each($2)) AND status = 'open'";
        let mut resolved = 0;
        for sql in [FINDINGS, CONTROLS] {
            resolved += query(sql)
                .bind(self.tenant())
                .bind(row::list(subjects))
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(resolved)
    }

    async fn insert_blockers(
        &mut self,
        release: &str,
        subjects: &BTreeSet<String>,
        findings: bool,
    ) -> Result<(), StoreError> {
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
