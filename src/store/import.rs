//! Evidence and findings from files. Importing the same file again changes nothing.

use super::row::{self, Columns};
use super::{StoreError, WriteTx};
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

impl WriteTx {
    /// Keeps a file's bytes under their hash; the same bytes once.
    pub async fn keep_file(&mut self, sha256: &str, bytes: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO evidence_files (tenant, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT (tenant, sha256) DO NOTHING",
        )
        .bind(self.tenant())
        .bind(sha256.to_owned())
        .bind(bytes.to_vec())
        .execute(&mut *self.read.tx)
        .await?;
        Ok(())
    }

    /// Keeps evidence; `None` if the same run of the same bytes is evidence of this release already.
    pub async fn insert_evidence(&mut self, new: &NewEvidence) -> Result<Option<EvidenceId>, StoreError> {
        let known =
            sqlx::query("SELECT id FROM evidence WHERE tenant = $1 AND release_id = $2 AND sha256 = $3 AND run = $4")
                .bind(self.tenant())
                .bind(new.release_id.clone())
                .bind(new.sha256.clone())
                .bind(new.run)
                .fetch_optional(&mut *self.read.tx)
                .await?;
        if known.is_some() {
            return Ok(None);
        }
        const SQL: &str = "INSERT INTO evidence (tenant, id, key, release_id, provider, kind, name, sha256, size, \
             collected_at, collected_from, imported_at, commit_id, run) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let (id, now) = (self.ctx.ports.id::<EvidenceId>(), self.ctx.now());
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
            .execute(&mut *self.read.tx)
            .await?;
        Ok(Some(id))
    }

    /// Keeps findings under their identities, and that this evidence shows them. What people have decided about them stays.
    /// Returns what became of each, in their order. No two of them may have one identity.
    pub async fn upsert_findings(
        &mut self,
        findings: &[NewFinding],
        evidence: &EvidenceId,
        release: &str,
        seen_at: Timestamp,
    ) -> Result<Vec<ImportedFinding>, StoreError> {
        let mut imported = Vec::with_capacity(findings.len());
        for some in findings.chunks(AT_ONCE) {
            let known = self.touch_findings(some, seen_at).await?;
            let fresh = some.iter().filter(|finding| !known.contains_key(&finding.identity));
            let fresh = self.insert_findings(&fresh.collect::<Vec<_>>(), seen_at).await?;
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
        findings: &[NewFinding],
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
            let id = self.ctx.ports.id::<FindingId>();
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
             WHERE NOT EXISTS (SELECT 1 FROM controls c WHERE c.tenant = $1 AND c.release_id = $2 \
             AND UPPER(c.key) = UPPER(value ->> 'key'))";
        let mut added = 0;
        for some in declared.chunks(AT_ONCE) {
            let mut rows = Vec::with_capacity(some.len());
            for (key, title) in some {
                let id = self.ctx.ports.id::<ControlId>();
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
    /// have another status than before.
    pub async fn assess_controls(
        &mut self,
        release: &str,
        assessed: &[(&str, ControlStatus)],
    ) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE controls SET status = found, version = version + 1 \
             FROM (SELECT value ->> 'key' AS wanted, value ->> 'status' AS found FROM json_each($3)) AS assessment \
             WHERE tenant = $1 AND release_id = $2 AND UPPER(key) = UPPER(wanted) AND status <> found";
        let mut changed = 0;
        for some in assessed.chunks(AT_ONCE) {
            let rows: Vec<_> = some
                .iter()
                .map(|(key, status)| json!({ "key": key, "status": status.as_str() }))
                .collect();
            let done = sqlx::query(SQL)
                .bind(self.tenant())
                .bind(release.to_owned())
                .bind(row::json(&rows)?)
                .execute(&mut *self.read.tx)
                .await?;
            changed += done.rows_affected();
        }
        Ok(changed)
    }

    /// Makes blockers of this release's open findings at or above its threshold, and of its failing controls, where there
    /// are none yet. Returns how many were made.
    pub async fn raise_blockers(&mut self, release: &str, at_least: Severity) -> Result<i64, StoreError> {
        const FINDINGS: &str = "SELECT DISTINCT f.id AS id FROM findings f JOIN sightings s ON s.tenant = f.tenant \
             AND s.finding_id = f.id WHERE f.tenant = $1 AND s.release_id = $2 AND f.status = 'open' \
             AND f.severity IN (SELECT value FROM json_each($3)) AND NOT EXISTS (SELECT 1 FROM blockers b \
             WHERE b.tenant = f.tenant AND b.release_id = $2 AND b.finding_id = f.id) ORDER BY f.id";
        const CONTROLS: &str = "SELECT c.id AS id FROM controls c WHERE c.tenant = $1 AND c.release_id = $2 \
             AND c.status = 'failing' AND $3 <> '' AND NOT EXISTS (SELECT 1 FROM blockers b \
             WHERE b.tenant = c.tenant AND b.release_id = $2 AND b.control_id = c.id) ORDER BY c.id";
        let severities: Vec<&str> = Severity::ALL
            .iter()
            .filter(|severity| **severity >= at_least)
            .map(|s| s.as_str())
            .collect();
        let severities = row::list(severities);
        let mut made = 0;
        for (sql, is_finding) in [(FINDINGS, true), (CONTROLS, false)] {
            let rows = sqlx::query(sql)
                .bind(self.tenant())
                .bind(release.to_owned())
                .bind(severities.clone())
                .fetch_all(&mut *self.read.tx)
                .await?;
            let subjects: Vec<String> = rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?;
            for some in subjects.chunks(AT_ONCE) {
                self.insert_blockers(release, some, is_finding).await?;
            }
            made += subjects.len() as i64;
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
            let id = self.ctx.ports.id::<BlockerId>();
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
