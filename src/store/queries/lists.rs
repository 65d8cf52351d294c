//! Reads records for the read tools: lists by page, and records by ID or by a related record.

use super::records::{
    attach_reference, attach_release, attach_sighting, blocker, certification, component, control, evidence, finding,
    release, team, work_item,
};
use crate::domain::*;
use crate::store::db::{Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};
use std::collections::BTreeMap;

/// The filter of a list, and where its page begins. The empty filter matches every record.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// A release's ID.
    pub release: Option<String>,
    /// The stored status.
    pub status: Option<String>,
    /// Text that the title, rule, provider or name must contain.
    pub text: Option<String>,
    /// The severities to list.
    pub severities: Vec<&'static str>,
    /// Findings: whether to list those that the newest scans do not show, or those that they show; `None`: both.
    pub not_seen: Option<bool>,
    /// The key of the last record of the previous page.
    pub after: Option<String>,
    /// The most records of the page. The caller limits this number.
    pub limit: i64,
}

/// The patterns of a text, as a JSON list; empty if there is no text. SQL ignores the case of A-Z only, so each spelling of the text has a pattern.
fn like(text: Option<&String>) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return list([""; 0]);
    };
    let patterns = text::spellings(text).into_iter().map(|spelling| {
        let escaped = spelling.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    list(patterns)
}

/// Blockers with the title and severity of their finding or control.
macro_rules! blocker_select {
    ($condition:literal) => {
        concat!(
            "SELECT b.id, b.key, b.release_id, b.finding_id, b.control_id, b.status, b.version, ",
            "COALESCE(f.title, c.title) AS title, COALESCE(f.severity, 'high') AS severity FROM blockers b ",
            "LEFT JOIN findings f ON f.tenant = b.tenant AND f.id = b.finding_id ",
            "LEFT JOIN controls c ON c.tenant = b.tenant AND c.id = b.control_id ",
            "WHERE b.tenant = $1 AND ",
            $condition
        )
    };
}

type Rows = Result<Vec<Row>, StoreError>;

impl ReadTx {
    async fn by_ids(&mut self, sql: &'static str, ids: &[&str]) -> Rows {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(query(sql)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?)
    }

    async fn page(&mut self, sql: &'static str, filter: &ListFilter) -> Rows {
        Ok(query(sql)
            .bind(self.tenant())
            .bind(filter.release.clone().unwrap_or_default())
            .bind(filter.status.clone().unwrap_or_default())
            .bind(like(filter.text.as_ref()))
            .bind(filter.after.clone().unwrap_or_default())
            .bind(filter.limit)
            .fetch_all(&mut self.tx)
            .await?)
    }

    /// Releases by ID.
    pub async fn releases(&mut self, ids: &[&str]) -> Result<Vec<Release>, StoreError> {
        let rows = self
            .by_ids(
                "SELECT * FROM releases WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))",
                ids,
            )
            .await?;
        rows.iter().map(release).collect()
    }

    /// A page of releases by key.
    pub async fn list_releases(&mut self, filter: &ListFilter) -> Result<Vec<Release>, StoreError> {
        const SQL: &str = "SELECT * FROM releases WHERE tenant = $1 AND (retired_at IS NULL OR $2 <> '') AND ($2 = '' OR id = $2 OR key = $2) \
             AND ($3 = '' OR status = $3) AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w \
             WHERE LOWER(releases.key || ' ' || name) LIKE w.value ESCAPE '\\')) AND key > $5 \
             ORDER BY key LIMIT 0 + $6";
        self.page(SQL, filter).await?.iter().map(release).collect()
    }

    /// The certifications of these releases.
    pub async fn certifications_of(&mut self, releases: &[&str]) -> Result<Vec<Certification>, StoreError> {
        const SQL: &str = "SELECT * FROM certifications WHERE tenant = $1 AND release_id IN (SELECT value FROM json_each($2)) ORDER BY key";
        self.by_ids(SQL, releases).await?.iter().map(certification).collect()
    }

    /// The teams of a release, without retired ones.
    pub async fn teams_of(&mut self, release: &str) -> Result<Vec<Team>, StoreError> {
        const SQL: &str = "SELECT t.* FROM teams t JOIN release_teams r ON r.tenant = t.tenant AND r.team_id = t.id \
             WHERE t.tenant = $1 AND t.retired_at IS NULL AND r.release_id IN (SELECT value FROM json_each($2)) ORDER BY t.name";
        self.by_ids(SQL, &[release]).await?.iter().map(team).collect()
    }

    /// The components of a release, without retired ones.
    pub async fn components_of(&mut self, release: &str) -> Result<Vec<Component>, StoreError> {
        const SQL: &str = "SELECT c.* FROM components c JOIN release_components r ON r.tenant = c.tenant AND r.component_id = c.id \
             WHERE c.tenant = $1 AND c.retired_at IS NULL AND r.release_id IN (SELECT value FROM json_each($2)) ORDER BY c.kind, c.key";
        self.by_ids(SQL, &[release]).await?.iter().map(component).collect()
    }

    /// The teams of a person, without retired ones.
    pub async fn teams_of_person(&mut self, person: &str) -> Result<Vec<Team>, StoreError> {
        const SQL: &str = "SELECT t.* FROM teams t JOIN team_members m ON m.tenant = t.tenant AND m.team_id = t.id \
             WHERE t.tenant = $1 AND t.retired_at IS NULL AND m.person_id IN (SELECT value FROM json_each($2)) ORDER BY t.name";
        self.by_ids(SQL, &[person]).await?.iter().map(team).collect()
    }

    /// A page of controls by key and release.
    pub async fn list_controls(&mut self, filter: &ListFilter) -> Result<Vec<Control>, StoreError> {
        const SQL: &str = "SELECT * FROM controls WHERE tenant = $1 AND ($2 = '' OR release_id = $2) \
             AND ($3 = '' OR status = $3) AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w \
             WHERE LOWER(controls.key || ' ' || title) LIKE w.value ESCAPE '\\')) AND id > $5 \
             ORDER BY id LIMIT 0 + $6";
        self.page(SQL, filter).await?.iter().map(control).collect()
    }

    /// Evidence by ID.
    pub async fn evidence(&mut self, ids: &[&str]) -> Result<Vec<Evidence>, StoreError> {
        const SQL: &str =
            "SELECT * FROM evidence WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2)) AND complete = 1";
        self.by_ids(SQL, ids).await?.iter().map(evidence).collect()
    }

    /// A page of evidence by ID. IDs increase with time.
    pub async fn list_evidence(&mut self, filter: &ListFilter) -> Result<Vec<Evidence>, StoreError> {
        const SQL: &str = "SELECT * FROM evidence WHERE tenant = $1 AND complete = 1 AND ($2 = '' OR release_id = $2) \
             AND ($3 = '' OR kind = $3) AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w \
             WHERE LOWER(provider || ' ' || name || ' ' || kind) LIKE w.value ESCAPE '\\')) AND id > $5 \
             ORDER BY id LIMIT 0 + $6";
        self.page(SQL, filter).await?.iter().map(evidence).collect()
    }

    /// The links of evidence to these targets, as (evidence ID, target ID).
    pub async fn evidence_links(&mut self, targets: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT evidence_id, target_id FROM evidence_links \
             WHERE tenant = $1 AND target_id IN (SELECT value FROM json_each($2)) ORDER BY id";
        let rows = self.by_ids(SQL, targets).await?;
        rows.iter()
            .map(|row| Ok((row.text("evidence_id")?, row.text("target_id")?)))
            .collect()
    }

    /// Findings by ID, with their sightings and releases.
    pub async fn findings(&mut self, ids: &[&str]) -> Result<Vec<Finding>, StoreError> {
        const SQL: &str = "SELECT * FROM findings WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = self.by_ids(SQL, ids).await?;
        self.with_sightings(rows.iter().map(finding).collect::<Result<_, _>>()?)
            .await
    }

    /// A page of findings by ID, with their sightings and releases. IDs increase with time. With a release, the filters are about the
    /// finding in this release: a finding whose risk is accepted there is accepted, and one is not seen if the release's scans miss it.
    pub async fn list_findings(&mut self, filter: &ListFilter) -> Result<Vec<Finding>, StoreError> {
        const OF_RELEASE: &str = "SELECT f.* FROM release_findings r JOIN findings f ON f.tenant = r.tenant AND f.id = r.finding_id \
             LEFT JOIN accepted_risks a ON a.tenant = r.tenant AND a.release_id = r.release_id AND a.record_id = r.finding_id \
             WHERE r.tenant = $1 AND r.release_id = $2 AND ($3 = '' OR \
             CASE WHEN f.status = 'open' AND a.record_id IS NOT NULL THEN 'accepted' \
             WHEN f.status = 'open' AND f.decided_at IS NULL AND (r.verdict IS NOT NULL OR r.suppressed = 1) THEN 'suppressed' ELSE f.status END = $3) \
             AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w WHERE LOWER(f.title || ' ' || f.rule || ' ' || f.provider || ' ' || COALESCE(f.location, '')) LIKE w.value ESCAPE '\\')) \
             AND r.finding_id > $5 AND ($7 = '[]' OR f.severity IN (SELECT value FROM json_each($7))) \
             AND ($8 = '' OR ($8 = 'true') = (r.not_seen_since IS NOT NULL)) ORDER BY r.finding_id LIMIT 0 + $6";
        const OF_TENANT: &str = "SELECT f.* FROM findings f WHERE f.tenant = $1 AND $2 = '' AND ($3 = '' OR f.status = $3) \
             AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w WHERE LOWER(f.title || ' ' || f.rule || ' ' || f.provider || ' ' || COALESCE(f.location, '')) LIKE w.value ESCAPE '\\')) \
             AND f.id > $5 AND ($7 = '[]' OR f.severity IN (SELECT value FROM json_each($7))) \
             AND ($8 = '' OR ($8 = 'true') = NOT EXISTS (SELECT 1 FROM release_findings r WHERE r.tenant = $1 AND r.finding_id = f.id \
             AND r.not_seen_since IS NULL)) ORDER BY f.id LIMIT 0 + $6";
        let sql = if filter.release.is_some() {
            OF_RELEASE
        } else {
            OF_TENANT
        };
        let rows = query(sql)
            .bind(self.tenant())
            .bind(filter.release.clone().unwrap_or_default())
            .bind(filter.status.clone().unwrap_or_default())
            .bind(like(filter.text.as_ref()))
            .bind(filter.after.clone().unwrap_or_default())
            .bind(filter.limit)
            .bind(list(&filter.severities))
            .bind(filter.not_seen.map_or(String::new(), |not_seen| not_seen.to_string()))
            .fetch_all(&mut self.tx)
            .await?;
        self.with_sightings(rows.iter().map(finding).collect::<Result<_, _>>()?)
            .await
    }

    async fn with_sightings(&mut self, mut findings: Vec<Finding>) -> Result<Vec<Finding>, StoreError> {
        const SIGHTINGS: &str = "SELECT finding_id, evidence_id FROM sightings \
             WHERE tenant = $1 AND finding_id IN (SELECT value FROM json_each($2)) \
             AND evidence_id NOT IN (SELECT id FROM evidence WHERE tenant = $1 AND complete = 0) \
             ORDER BY seen_at DESC, evidence_id DESC";
        const RELEASES: &str = "SELECT r.finding_id, r.release_id, e.key AS release_key, r.last_seen_at, r.not_seen_since, r.suppressed, r.verdict, a.ends_at \
             FROM release_findings r JOIN releases e ON e.tenant = r.tenant AND e.id = r.release_id \
             LEFT JOIN accepted_risks a ON a.tenant = r.tenant AND a.release_id = r.release_id AND a.record_id = r.finding_id \
             WHERE r.tenant = $1 AND r.finding_id IN (SELECT value FROM json_each($2)) ORDER BY r.release_id";
        let owned: Vec<String> = findings.iter().map(|finding| finding.id.to_string()).collect();
        let ids: Vec<&str> = owned.iter().map(String::as_str).collect();
        let places: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        for (sql, attach) in [
            (
                SIGHTINGS,
                attach_sighting as fn(&mut Finding, &Row) -> Result<(), StoreError>,
            ),
            (RELEASES, attach_release),
        ] {
            for row in &self.by_ids(sql, &ids).await? {
                let place = places.get(row.text("finding_id")?.as_str());
                if let Some(finding) = place.and_then(|index| findings.get_mut(*index)) {
                    attach(finding, row)?;
                }
            }
        }
        Ok(findings)
    }

    /// The blockers of these findings and controls, in every release.
    pub async fn blockers_of(&mut self, ids: &[&str]) -> Result<Vec<Blocker>, StoreError> {
        const SQL: &str = blocker_select!(
            "(b.finding_id IN (SELECT value FROM json_each($2)) OR b.control_id IN (SELECT value FROM json_each($2))) ORDER BY b.id"
        );
        self.by_ids(SQL, ids).await?.iter().map(blocker).collect()
    }

    /// A page of blockers by ID. IDs increase with time.
    pub async fn list_blockers(&mut self, filter: &ListFilter) -> Result<Vec<Blocker>, StoreError> {
        const SQL: &str = blocker_select!(
            "($2 = '' OR b.release_id = $2) AND ($3 = '' OR b.status = $3) \
             AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w \
             WHERE LOWER(COALESCE(f.title, c.title)) LIKE w.value ESCAPE '\\')) AND b.id > $5 ORDER BY b.id LIMIT 0 + $6"
        );
        self.page(SQL, filter).await?.iter().map(blocker).collect()
    }

    /// Work items by ID, with their references.
    pub async fn work_items(&mut self, ids: &[&str]) -> Result<Vec<WorkItem>, StoreError> {
        const SQL: &str =
            "SELECT * FROM work_items WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY number";
        let rows = self.by_ids(SQL, ids).await?;
        self.with_references(rows.iter().map(work_item).collect::<Result<_, _>>()?)
            .await
    }

    /// The children of work items, by number.
    pub async fn children_of(&mut self, parents: &[&str]) -> Result<Vec<WorkItem>, StoreError> {
        const SQL: &str = "SELECT * FROM work_items WHERE tenant = $1 AND parent_id IN (SELECT value FROM json_each($2)) \
             ORDER BY number LIMIT 500";
        let rows = self.by_ids(SQL, parents).await?;
        self.with_references(rows.iter().map(work_item).collect::<Result<_, _>>()?)
            .await
    }

    /// A page of work items by number. `after` is the number of the last work item of the previous page.
    pub async fn list_work_items(&mut self, filter: &ListFilter) -> Result<Vec<WorkItem>, StoreError> {
        const SQL: &str = "SELECT * FROM work_items WHERE tenant = $1 AND ($2 = '' OR release_id = $2) \
             AND ($3 = '' OR status = $3) AND ($4 = '[]' OR EXISTS (SELECT 1 FROM json_each($4) w \
             WHERE LOWER(title) LIKE w.value ESCAPE '\\')) AND number > CAST($5 AS BIGINT) \
             ORDER BY number LIMIT 0 + $6";
        let mut filter = filter.clone();
        filter.after = Some(filter.after.unwrap_or_else(|| "0".to_owned()));
        let rows = self.page(SQL, &filter).await?;
        self.with_references(rows.iter().map(work_item).collect::<Result<_, _>>()?)
            .await
    }

    /// Work items whose titles share words with these, most shared words first, as (item, number of shared words).
    pub async fn similar_work_items(
        &mut self,
        words: &[String],
        limit: i64,
    ) -> Result<Vec<(WorkItem, i64)>, StoreError> {
        const SQL: &str = "SELECT work_item_id, COUNT(*) AS shared FROM work_item_words \
             WHERE tenant = $1 AND word IN (SELECT value FROM json_each($2)) \
             GROUP BY work_item_id ORDER BY shared DESC, work_item_id LIMIT 0 + $3";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(words))
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        let mut shared = BTreeMap::new();
        for row in &rows {
            shared.insert(row.text("work_item_id")?, row.int("shared")?);
        }
        let ids: Vec<&str> = shared.keys().map(String::as_str).collect();
        let items = self.work_items(&ids).await?;
        let mut scored: Vec<(WorkItem, i64)> = items
            .into_iter()
            .map(|item| {
                let count = shared.get(item.id.as_str()).copied().unwrap_or_default();
                (item, count)
            })
            .collect();
        scored.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(scored)
    }

    async fn with_references(&mut self, mut items: Vec<WorkItem>) -> Result<Vec<WorkItem>, StoreError> {
        const SQL: &str = "SELECT work_item_id, record_id FROM work_item_references \
             WHERE tenant = $1 AND work_item_id IN (SELECT value FROM json_each($2)) ORDER BY work_item_id, record_id";
        let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        let rows = self.by_ids(SQL, &ids).await?;
        let mut references: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            references
                .entry(row.text("work_item_id")?)
                .or_default()
                .push(row.text("record_id")?);
        }
        for item in &mut items {
            for id in references.remove(item.id.as_str()).unwrap_or_default() {
                attach_reference(item, id);
            }
        }
        Ok(items)
    }
}
