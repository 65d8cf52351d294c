//! Evidence and findings from files. Importing the same file again changes nothing.

use super::row::Columns;
use super::{StoreError, WriteTx};
use crate::domain::{BlockerId, CollectedFrom, EvidenceId, FindingId, Severity, Timestamp};

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

    /// Keeps a finding under its identity, and that this evidence shows it. What people have decided about it stays.
    pub async fn upsert_finding(
        &mut self,
        new: &NewFinding,
        evidence: &EvidenceId,
        release: &str,
        seen_at: Timestamp,
    ) -> Result<ImportedFinding, StoreError> {
        const KNOWN: &str = "UPDATE findings SET last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END, severity = $4, \
             version = version + CASE WHEN severity = $4 THEN 0 ELSE 1 END WHERE tenant = $1 AND identity = $2 RETURNING id";
        const FRESH: &str = "INSERT INTO findings (tenant, id, key, identity, provider, rule, title, message, severity, \
             status, location, line, component, first_seen_at, last_seen_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 1)";
        let known = sqlx::query(KNOWN)
            .bind(self.tenant())
            .bind(new.identity.clone())
            .bind(seen_at.0)
            .bind(new.severity.as_str().to_owned())
            .fetch_optional(&mut *self.read.tx)
            .await?;
        let (id, is_new) = match known {
            Some(row) => (row.read("id", |t| FindingId::parse(t).ok())?, false),
            None => {
                let id = self.ctx.ports.id::<FindingId>();
                let number = self.take_numbers("FND", 1).await?;
                sqlx::query(FRESH)
                    .bind(self.tenant())
                    .bind(id.as_str().to_owned())
                    .bind(format!("FND-{number}"))
                    .bind(new.identity.clone())
                    .bind(new.provider.clone())
                    .bind(new.rule.clone())
                    .bind(new.title.clone())
                    .bind(new.message.clone())
                    .bind(new.severity.as_str().to_owned())
                    .bind(if new.suppressed { "suppressed" } else { "open" }.to_owned())
                    .bind(new.location.clone())
                    .bind(new.line)
                    .bind(new.component.clone())
                    .bind(seen_at.0)
                    .execute(&mut *self.read.tx)
                    .await?;
                (id, true)
            }
        };
        sqlx::query(
            "INSERT INTO sightings (tenant, finding_id, evidence_id, release_id, seen_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (tenant, finding_id, evidence_id) DO NOTHING",
        )
        .bind(self.tenant())
        .bind(id.as_str().to_owned())
        .bind(evidence.as_str().to_owned())
        .bind(release.to_owned())
        .bind(seen_at.0)
        .execute(&mut *self.read.tx)
        .await?;
        Ok(ImportedFinding { id, is_new })
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
        let severities = super::row::list(severities);
        let mut made = 0;
        for (sql, is_finding) in [(FINDINGS, true), (CONTROLS, false)] {
            let rows = sqlx::query(sql)
                .bind(self.tenant())
                .bind(release.to_owned())
                .bind(severities.clone())
                .fetch_all(&mut *self.read.tx)
                .await?;
            for row in rows {
                let subject = row.text("id")?;
                let number = self.take_numbers("BLK", 1).await?;
                let id = self.ctx.ports.id::<BlockerId>();
                sqlx::query(
                    "INSERT INTO blockers (tenant, id, key, release_id, finding_id, control_id, status) \
                     VALUES ($1, $2, $3, $4, $5, $6, 'open')",
                )
                .bind(self.tenant())
                .bind(id.as_str().to_owned())
                .bind(format!("BLK-{number}"))
                .bind(release.to_owned())
                .bind(is_finding.then(|| subject.clone()))
                .bind((!is_finding).then_some(subject))
                .execute(&mut *self.read.tx)
                .await?;
                made += 1;
            }
        }
        Ok(made)
    }
}
