//! Evidence and findings from files. Importing the same file again changes nothing.

use super::row::{self, Columns};
use super::{ReadTx, StoreError, WriteTx};
use crate::domain::{BlockerId, CollectedFrom, ControlId, ControlStatus, EvidenceId, FindingId, Severity, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// Evidence to keep.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NewEvidence {
    pub release_id: String,
    pub provider: String,
    pub kind: String,
    pub name: String,
    pub sha256: String,
    /// Which run of the file, from 0.
    pub run: i64,
    pub size: i64,
    pub collected_at: Timestamp,
    pub collected_from: CollectedFrom,
    pub commit: Option<String>,
}

/// A finding as a scan shows it.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NewFinding {
    /// Provider, rule, fingerprint or location, and component, hashed.
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

/// The most bytes of a file that one row holds (4 MiB): writing them takes about as long as a batch of records.
pub const PART: usize = 4 << 20;

/// What became of evidence that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEvidence {
    /// It was not there before.
    New(EvidenceId),
    /// It is there from an import that was interrupted; with when it was collected.
    Incomplete(EvidenceId, Timestamp),
    /// It is there, with all its findings.
    Known,
}

/// How many findings one statement takes: enough to make the way to the database cheap, and few enough for its messages.
const AT_ONCE: usize = 300;

/// What became of a finding that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFinding {
    /// Its ID, new or old.
    pub id: FindingId,
    /// Whether nobody had seen it before.
    pub is_new: bool,
}

// In the two below and in `wanting_blockers`, CASE keeps PostgreSQL from making joins of the look-ups: without statistics, as in a table that an
// import has just filled, it would read all of a release for each batch.

/// Which of these findings ($4) of a release ($2) are open, bad enough ($3) and have no blocker there.
const FINDINGS_OF: &str = "SELECT w.value AS id FROM json_each($4) w WHERE CASE WHEN \
     EXISTS (SELECT 1 FROM findings f WHERE f.tenant = $1 AND f.id = w.value AND f.status = 'open' \
     AND f.severity IN (SELECT value FROM json_each($3))) \
     AND EXISTS (SELECT 1 FROM sightings s WHERE s.tenant = $1 AND s.release_id = $2 AND s.finding_id = w.value) \
     AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.tenant = $1 AND b.release_id = $2 AND b.finding_id = w.value) \
     THEN 1 ELSE 0 END = 1 ORDER BY w.value";

/// Which of these controls ($4) of a release ($2) fail and have no blocker there.
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

/// A page of what wants a blocker in a release, and where the next page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantingPage {
    /// Findings or controls.
    pub subjects: Vec<String>,
    /// `None` after the last page.
    pub next: Option<WantingFrom>,
}

/// Where a page of what wants a blocker begins: first the findings of a release, then its controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantingFrom {
    /// After this finding.
    Finding(String),
    /// After the control of this key.
    Control(String),
}

/// How many findings or controls a page looks at.
const PAGE: usize = 2_000;

impl ReadTx {
    /// A page of a release's findings and controls that want a blocker; see [`WriteTx::raise_blockers`].
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
    /// Keeps a file's bytes under their hash; the same bytes once. Of a file of several parts only the name: see
    /// [`WriteTx::keep_part`].
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

    /// Keeps a part of a file, from 0, unless it is there or the file is there as a whole.
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

    /// Keeps evidence, unless the same run of the same bytes is evidence of this release already. What is not `complete` is seen by nobody until
    /// [`WriteTx::complete_evidence`].
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

    /// Lets everybody see evidence whose findings are all there now.
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

    /// Keeps findings under their identities, and that this evidence shows them. What people have decided about them stays.
    /// Returns what became of each, in their order. No two of them may have one identity.
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
            // Without the condition, SQLite takes ON for a join's.
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

    /// Brings those up to date that are known, and gives their IDs by identity.
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

    /// Adds findings, numbered in their order, and gives their IDs by identity.
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

    /// Adds the release's controls that are not there yet, by key and title; nobody has looked at them. Those that are there
    /// keep their titles and their status. Returns how many were added.
    pub async fn declare_controls(&mut self, release: &str, declared: &[(&str, &str)]) -> Result<u64, StoreError> {
        // People write AC-2 and documents ac-2; both mean one control.
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

    /// Sets the status of the release's controls that somebody has looked at; of others nothing is kept. Returns how many
    /// have another status than before, and the IDs of all.
    pub async fn assess_controls(
        &mut self,
        release: &str,
        assessed: &[(&str, ControlStatus)],
    ) -> Result<(u64, Vec<String>), StoreError> {
        // CROSS JOIN: SQLite keeps this order of tables, and looks up each key.
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

    /// Makes blockers of those of these findings and controls that want one: findings that are open and at or above the threshold, and controls
    /// that fail, seen in this release and without a blocker there. Returns how many were made.
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
