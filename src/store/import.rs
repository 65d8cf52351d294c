//! Evidence and findings from files. Importing the same file again changes nothing.

use super::row::{self, Columns};
use super::{ReadTx, StoreError, WriteTx};
use crate::domain::{BlockerId, CollectedFrom, ControlId, ControlStatus, EvidenceId, FindingId, Severity, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// Evidence to store.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NewEvidence {
    pub release_id: String,
    pub provider: String,
    pub kind: String,
    pub name: String,
    pub sha256: String,
    /// The index of the run in the file, from 0.
    pub run: i64,
    pub size: i64,
    pub collected_at: Timestamp,
    pub collected_from: CollectedFrom,
    pub commit: Option<String>,
}

/// A finding in a scan.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NewFinding {
    /// SHA-256 over provider, rule, fingerprint or location, and component.
    pub identity: String,
    pub provider: String,
    pub rule: String,
    pub title: String,
    pub message: String,
    pub severity: Severity,
    pub suppressed: bool,
    pub location: Option<String>,
    pub line: Option<i64>,
    pub component: Option<String>,
}

/// The most bytes of a file in one row (4 MiB). A larger file is stored in parts, so that one write takes about as long as a batch of
/// records.
pub const PART: usize = 4 << 20;

/// The result of storing evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEvidence {
    /// The evidence is new.
    New(EvidenceId),
    /// An interrupted import has stored the evidence, but not all its findings. Contains the time of collection.
    Incomplete(EvidenceId, Timestamp),
    /// The evidence is stored with all its findings.
    Known,
}

/// The records in one statement. Fewer records would need more round trips; more would make the database messages too large.
const AT_ONCE: usize = 300;

/// An imported finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFinding {
    /// The finding's ID, which is new or already stored.
    pub id: FindingId,
    /// Whether no earlier scan has shown the finding.
    pub is_new: bool,
}

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
        let rows = sqlx::query(sql)
            .bind(self.tenant())
            .bind(release.to_owned())
            .bind(severities(at_least))
            .bind(after.clone())
            .bind(PAGE as i64)
            .fetch_all(&mut *self.tx)
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
    /// Stores a file's bytes under their hash, once. If the file is larger than one part, this stores only the hash, and
    /// [`WriteTx::keep_part`] stores the bytes.
    pub async fn keep_file(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let whole = if bytes.len() > PART { &[] } else { bytes };
        sqlx::query(
            "INSERT INTO evidence_files (tenant, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT (tenant, sha256) DO NOTHING",
        )
        .bind(self.tenant())
        .bind(sha256.to_owned())
        .bind(whole.to_vec())
        .execute(&mut *self.read.tx)
        .await?;
        Ok(())
    }

    /// Stores a part of a file, counted from 0, unless the part or the whole file is already stored.
    pub async fn keep_part(&mut self, sha256: &str, part: i64, bytes: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO evidence_parts (tenant, sha256, part, bytes) SELECT $1, $2, $3, $4 \
             WHERE EXISTS (SELECT 1 FROM evidence_files WHERE tenant = $1 AND sha256 = $2 AND LENGTH(bytes) = 0) \
             ON CONFLICT (tenant, sha256, part) DO NOTHING";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(sha256.to_owned())
            .bind(part)
            .bind(bytes.to_vec())
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores evidence, unless the release already has evidence of the same run of the same bytes. If `complete` is `false`, readers do not
    /// see the evidence until [`WriteTx::complete_evidence`].
    pub async fn insert_evidence(&mut self, new: &NewEvidence, complete: bool) -> Result<KeptEvidence, StoreError> {
        const KNOWN: &str = "SELECT id, collected_at, complete FROM evidence \
             WHERE tenant = $1 AND release_id = $2 AND sha256 = $3 AND run = $4";
        let known = sqlx::query(KNOWN)
            .bind(self.tenant())
            .bind(new.release_id.clone())
            .bind(new.sha256.clone())
            .bind(new.run)
            .fetch_optional(&mut *self.read.tx)
            .await?;
        if let Some(known) = known {
            if known.int("complete")? == 1 {
                return Ok(KeptEvidence::Known);
            }
            let id = known.read("id", |text| EvidenceId::parse(text).ok())?;
            return Ok(KeptEvidence::Incomplete(id, known.time("collected_at")?));
        }
        const SQL: &str = "INSERT INTO evidence (tenant, id, key, release_id, provider, kind, name, sha256, size, \
             collected_at, collected_from, imported_at, commit_id, run, complete) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let (id, now) = (self.ctx.runtime.id::<EvidenceId>(), self.ctx.now());
        let number = self.take_numbers("EV", 1).await?;
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .bind(format!("EV-{number}"))
            .bind(new.release_id.clone())
            .bind(new.provider.clone())
            .bind(new.kind.clone())
            .bind(new.name.clone())
            .bind(new.sha256.clone())
            .bind(new.size)
            .bind(new.collected_at.0)
            .bind(new.collected_from.as_str().to_owned())
            .bind(now.0)
            .bind(new.commit.clone())
            .bind(new.run)
            .bind(i64::from(complete))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(KeptEvidence::New(id))
    }

    /// Makes evidence visible to readers after all its findings are stored.
    pub async fn complete_evidence(&mut self, ids: &[&str]) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE evidence SET complete = 1 WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(row::list(ids))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores findings under their identities, and records that this evidence shows them. The decisions of people about known findings do
    /// not change. Returns the findings in the given order. No two of them may have the same identity.
    pub async fn upsert_findings(
        &mut self,
        findings: &[&NewFinding],
        evidence: &EvidenceId,
        release: &str,
        seen_at: Timestamp,
    ) -> Result<Vec<ImportedFinding>, StoreError> {
        let mut imported = Vec::with_capacity(findings.len());
        for some in findings.chunks(AT_ONCE) {
            let known = self.touch_findings(some, seen_at).await?;
            let fresh = some.iter().filter(|finding| !known.contains_key(&finding.identity));
            let fresh = self
                .insert_findings(&fresh.copied().collect::<Vec<_>>(), seen_at)
                .await?;
            let before = imported.len();
            imported.extend(some.iter().filter_map(|finding| {
                let (id, is_new) = match known.get(&finding.identity) {
                    Some(id) => (id, false),
                    None => (fresh.get(&finding.identity)?, true),
                };
                Some(ImportedFinding { id: id.clone(), is_new })
            }));
            let ids = row::list(imported[before..].iter().map(|finding| finding.id.as_str()));
            // Without the condition `1 = 1`, SQLite parses ON as part of a join.
            sqlx::query(
                "INSERT INTO sightings (tenant, finding_id, evidence_id, release_id, seen_at) \
                 SELECT $1, value, $2, $3, $4 FROM json_each($5) WHERE 1 = 1 \
                 ON CONFLICT (tenant, finding_id, evidence_id) DO NOTHING",
            )
            .bind(self.tenant())
            .bind(evidence.as_str().to_owned())
            .bind(release.to_owned())
            .bind(seen_at.0)
            .bind(ids)
            .execute(&mut *self.read.tx)
            .await?;
        }
        Ok(imported)
    }

    /// Updates the findings that are already stored, and returns their IDs by identity.
    async fn touch_findings(
        &mut self,
        findings: &[&NewFinding],
        seen_at: Timestamp,
    ) -> Result<BTreeMap<String, FindingId>, StoreError> {
        const SQL: &str = "UPDATE findings SET last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END, \
             severity = shown, version = version + CASE WHEN severity = shown THEN 0 ELSE 1 END \
             FROM (SELECT value ->> 'identity' AS wanted, value ->> 'severity' AS shown FROM json_each($2)) AS scan \
             WHERE tenant = $1 AND identity = wanted RETURNING id, identity";
        let scan: Vec<_> = findings
            .iter()
            .map(|new| json!({ "identity": new.identity, "severity": new.severity.as_str() }))
            .collect();
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(row::json(&scan)?)
            .bind(seen_at.0)
            .fetch_all(&mut *self.read.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.text("identity")?,
                    row.read("id", |text| FindingId::parse(text).ok())?,
                ))
            })
            .collect()
    }

    /// Adds findings, numbers them in the given order, and returns their IDs by identity.
    async fn insert_findings(
        &mut self,
        fresh: &[&NewFinding],
        seen_at: Timestamp,
    ) -> Result<BTreeMap<String, FindingId>, StoreError> {
        const SQL: &str = "INSERT INTO findings (tenant, id, key, identity, provider, rule, title, message, severity, \
             status, location, line, component, first_seen_at, last_seen_at, version) \
             SELECT $1, value ->> 'id', value ->> 'key', value ->> 'identity', value ->> 'provider', value ->> 'rule', \
             value ->> 'title', value ->> 'message', value ->> 'severity', value ->> 'status', value ->> 'location', \
             CAST(value ->> 'line' AS BIGINT), value ->> 'component', CAST(value ->> 'at' AS BIGINT), \
             CAST(value ->> 'at' AS BIGINT), 1 FROM json_each($2)";
        if fresh.is_empty() {
            return Ok(BTreeMap::new());
        }
        let first = self.take_numbers("FND", fresh.len() as i64).await?;
        let mut ids = BTreeMap::new();
        let mut rows = Vec::with_capacity(fresh.len());
        for (number, new) in (first..).zip(fresh) {
            let id = self.ctx.runtime.id::<FindingId>();
            rows.push(json!({
                "id": id.as_str(), "key": format!("FND-{number}"), "identity": new.identity, "provider": new.provider,
                "rule": new.rule, "title": new.title, "message": new.message, "severity": new.severity.as_str(),
                "status": if new.suppressed { "suppressed" } else { "open" }, "location": new.location,
                "line": new.line, "component": new.component, "at": seen_at.0,
            }));
            ids.insert(new.identity.clone(), id);
        }
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(row::json(&rows)?)
            .execute(&mut *self.read.tx)
            .await?;
        Ok(ids)
    }

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
            let done = sqlx::query(SQL)
                .bind(self.tenant())
                .bind(release.to_owned())
                .bind(row::json(&rows)?)
                .execute(&mut *self.read.tx)
                .await?;
            added += done.rows_affected();
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
            let rows = sqlx::query(FIND)
                .bind(self.tenant())
                .bind(release.to_owned())
                .bind(row::json(&wanted)?)
                .fetch_all(&mut *self.read.tx)
                .await?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                found.push(json!({ "id": row.text("id")?, "found": row.text("found")? }));
                ids.push(row.text("id")?);
            }
            if found.is_empty() {
                continue;
            }
            let done = sqlx::query(SET)
                .bind(self.tenant())
                .bind(row::json(&found)?)
                .execute(&mut *self.read.tx)
                .await?;
            changed += done.rows_affected();
        }
        Ok((changed, ids))
    }

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
                let rows = sqlx::query(sql)
                    .bind(self.tenant())
                    .bind(release.to_owned())
                    .bind(severities(at_least))
                    .bind(row::list(some))
                    .fetch_all(&mut *self.read.tx)
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
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(release.to_owned())
            .bind(row::json(&rows)?)
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }
}
