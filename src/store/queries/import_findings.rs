//! Findings from scans. Importing the same file again changes nothing.

use super::imports::AT_ONCE;
use crate::domain::{
    EvidenceId, FindingId, FindingStatus, KnownFinding, ReopenCause, Revision, SetAside, Severity, Sighting,
    StatusChange, Timestamp,
};
use crate::import::Vulnerability;
use crate::store::db::query;
use crate::store::row;
use crate::store::{StoreError, WriteTx};
use serde_json::json;
use std::collections::BTreeMap;

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
    /// A digest of what the scan examined, where the finding is; see [`WriteTx::miss_findings`].
    pub scope: String,
    /// The vulnerability, if other tools know it.
    pub vulnerability: Option<Vulnerability>,
    /// Whether only a statement on the vulnerability (VEX) shows it, and no scan.
    pub stated: bool,
}

/// The scan that shows findings.
#[derive(Debug, Clone, Copy)]
pub struct SeenBy<'a> {
    /// The scan's evidence.
    pub evidence: &'a EvidenceId,
    /// The release's ID.
    pub release: &'a str,
    /// When the scan was made.
    pub at: Timestamp,
    /// What statements say that set findings aside in the release, by the identity of the finding.
    pub verdicts: &'a BTreeMap<String, String>,
}

/// An imported finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFinding {
    /// The finding's ID, which is new or already stored.
    pub id: FindingId,
    /// The finding's key.
    pub key: String,
    /// What the scan changed; `None` if no earlier scan has shown the finding.
    pub revision: Option<Revision>,
}

impl ImportedFinding {
    /// How the scan changed the status.
    pub fn change(&self) -> Option<StatusChange> {
        self.revision?.change
    }

    /// Why the finding is open again; `None` if it is not.
    pub fn reopened(&self) -> Option<ReopenCause> {
        match self.change()? {
            StatusChange::Reopened(cause) => Some(cause),
            StatusChange::Suppressed => None,
        }
    }
}

impl WriteTx {
    /// Stores findings under their identities, and records that this evidence shows them. A known finding is revised
    /// ([`KnownFinding::revise`]). Returns the findings in the given order. No two of them may have the same identity.
    pub async fn upsert_findings(
        &mut self,
        findings: &[&NewFinding],
        seen: SeenBy<'_>,
    ) -> Result<Vec<ImportedFinding>, StoreError> {
        let mut imported = Vec::with_capacity(findings.len());
        for some in findings.chunks(AT_ONCE) {
            let mut known = self.revise_findings(some, seen).await?;
            let fresh = some.iter().filter(|finding| !known.contains_key(&finding.identity));
            let fresh = self.insert_findings(&fresh.copied().collect::<Vec<_>>(), seen).await?;
            known.extend(fresh);
            let mut places = Vec::with_capacity(some.len());
            for finding in some {
                if let Some(stored) = known.remove(&finding.identity) {
                    places.push(json!({
                        "id": stored.id.as_str(), "scope": finding.scope, "suppressed": i64::from(finding.suppressed),
                        "verdict": seen.verdicts.get(&finding.identity),
                    }));
                    imported.push(stored);
                }
            }
            self.record_sightings(&row::json(&places)?, seen).await?;
        }
        Ok(imported)
    }

    /// Revises the findings that are already stored, and returns them by identity.
    async fn revise_findings(
        &mut self,
        findings: &[&NewFinding],
        seen: SeenBy<'_>,
    ) -> Result<BTreeMap<String, ImportedFinding>, StoreError> {
        const KNOWN: &str = "SELECT f.id, f.key, f.identity, f.severity, f.status, f.first_seen_at, f.last_seen_at, f.decided_at, f.stated, \
             (SELECT h.last_seen_at FROM release_findings h WHERE h.tenant = $1 AND h.release_id = $3 AND h.finding_id = f.id) AS here, \
             (SELECT COUNT(*) FROM accepted_risks a WHERE a.tenant = $1 AND a.release_id = $3 AND a.record_id = f.id) AS accepted, \
             (SELECT COUNT(*) FROM release_findings o WHERE o.tenant = $1 AND o.finding_id = f.id AND o.release_id <> $3 \
             AND o.verdict IS NULL AND o.suppressed = 0) AS elsewhere FROM findings f WHERE f.tenant = $1 AND f.identity IN (SELECT value FROM json_each($2))";
        const REVISE: &str = "UPDATE findings SET first_seen_at = CASE WHEN first_seen_at < $3 THEN first_seen_at ELSE $3 END, \
             last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END, \
             severity = new_severity, status = new_status, version = version + changed, stated = new_stated, \
             decided_at = CASE WHEN new_status = status THEN decided_at END, \
             justification = CASE WHEN new_status = status THEN justification END, \
             status_expires_at = CASE WHEN new_status = status THEN status_expires_at END, \
             status_ends_at = CASE WHEN new_status = status THEN status_ends_at END \
             FROM (SELECT value ->> 'id' AS wanted, value ->> 'severity' AS new_severity, value ->> 'status' AS new_status, \
             CAST(value ->> 'changed' AS BIGINT) AS changed, \
             CAST(value ->> 'stated' AS BIGINT) AS new_stated FROM json_each($2)) AS scan WHERE tenant = $1 AND id = wanted";
        let scan: BTreeMap<&str, &NewFinding> = findings.iter().map(|new| (new.identity.as_str(), *new)).collect();
        let rows = query(KNOWN)
            .bind(self.tenant())
            .bind(row::list(scan.keys()))
            .bind(seen.release)
            .fetch_all(&mut self.read.tx)
            .await?;
        let (mut stored, mut changes) = (BTreeMap::new(), Vec::new());
        for row in &rows {
            let identity = row.text("identity")?;
            let Some(new) = scan.get(identity.as_str()) else {
                continue;
            };
            let known = KnownFinding {
                severity: row.read("severity", Severity::parse)?,
                status: row.read("status", FindingStatus::parse)?,
                last_seen_at: row.time("last_seen_at")?,
                decided_at: row.maybe_int("decided_at")?.map(Timestamp),
            };
            let revision = known.revise(&Sighting {
                severity: new.severity,
                at: seen.at,
                last_seen_here: row.maybe_time("here")?,
                accepted_here: row.int("accepted")? > 0,
                set_aside: match new.suppressed || seen.verdicts.contains_key(&identity) {
                    false => SetAside::No,
                    true if row.int("elsewhere")? > 0 => SetAside::Here,
                    true => SetAside::Everywhere,
                },
            });
            let id = row.read("id", |text| FindingId::parse(text).ok())?;
            let is_changed = revision.change.is_some() || revision.severity != known.severity;
            let is_stated = row.int("stated")? == 1;
            let is_found = is_stated && !new.stated;
            if is_changed || is_found || seen.at > known.last_seen_at || seen.at < row.time("first_seen_at")? {
                let status = revision.change.map_or(known.status, StatusChange::status);
                changes.push(json!({
                    "id": id.as_str(), "severity": revision.severity, "status": status, "changed": i64::from(is_changed),
                    "stated": i64::from(is_stated && !is_found),
                }));
            }
            let finding = ImportedFinding {
                id,
                key: row.text("key")?,
                revision: Some(revision),
            };
            stored.insert(identity, finding);
        }
        if !changes.is_empty() {
            query(REVISE)
                .bind(self.tenant())
                .bind(row::json(&changes)?)
                .bind(seen.at.0)
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(stored)
    }

    /// Adds findings, numbers them in the given order, and returns them by identity.
    async fn insert_findings(
        &mut self,
        fresh: &[&NewFinding],
        seen: SeenBy<'_>,
    ) -> Result<BTreeMap<String, ImportedFinding>, StoreError> {
        const SQL: &str = "INSERT INTO findings (tenant, id, key, identity, provider, rule, title, message, severity, \
             status, location, line, component, first_seen_at, last_seen_at, version, products, stated) \
             SELECT $1, value ->> 'id', value ->> 'key', value ->> 'identity', value ->> 'provider', value ->> 'rule', \
             value ->> 'title', value ->> 'message', value ->> 'severity', value ->> 'status', value ->> 'location', \
             CAST(value ->> 'line' AS BIGINT), value ->> 'component', CAST(value ->> 'at' AS BIGINT), \
             CAST(value ->> 'at' AS BIGINT), 1, value ->> 'products', CAST(value ->> 'stated' AS BIGINT) FROM json_each($2)";
        const VULNERABILITIES: &str = "INSERT INTO finding_vulnerabilities (tenant, vulnerability, finding_id) \
             SELECT $1, value ->> 'vulnerability', value ->> 'finding' FROM json_each($2) WHERE 1 = 1 \
             ON CONFLICT (tenant, vulnerability, finding_id) DO NOTHING";
        if fresh.is_empty() {
            return Ok(BTreeMap::new());
        }
        let first = self.take_numbers("FND", fresh.len() as i64).await?;
        let mut stored = BTreeMap::new();
        let (mut rows, mut vulnerabilities) = (Vec::with_capacity(fresh.len()), Vec::new());
        for (number, new) in (first..).zip(fresh) {
            let (id, key) = (self.ctx.runtime.id::<FindingId>(), format!("FND-{number}"));
            let ids = new.vulnerability.iter().flat_map(|vulnerability| &vulnerability.ids);
            vulnerabilities
                .extend(ids.map(|name| json!({ "vulnerability": name.to_lowercase(), "finding": id.as_str() })));
            let is_suppressed = new.suppressed || seen.verdicts.contains_key(&new.identity);
            let products = new
                .vulnerability
                .as_ref()
                .map(|vulnerability| row::list(&vulnerability.products));
            rows.push(json!({
                "id": id.as_str(), "key": key, "products": products, "stated": i64::from(new.stated), "identity": new.identity, "provider": new.provider,
                "rule": new.rule, "title": new.title, "message": new.message, "severity": new.severity.as_str(),
                "status": if is_suppressed { "suppressed" } else { "open" }, "location": new.location,
                "line": new.line, "component": new.component, "at": seen.at.0,
            }));
            let finding = ImportedFinding {
                id,
                key,
                revision: None,
            };
            stored.insert(new.identity.clone(), finding);
        }
        query(SQL)
            .bind(self.tenant())
            .bind(row::json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        if !vulnerabilities.is_empty() {
            query(VULNERABILITIES)
                .bind(self.tenant())
                .bind(row::json(&vulnerabilities)?)
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(stored)
    }

    /// Records that evidence shows findings. `places`: ID, scope, suppression and verdict of each, as JSON.
    async fn record_sightings(&mut self, places: &str, seen: SeenBy<'_>) -> Result<(), StoreError> {
        // Without the condition `1 = 1`, SQLite parses ON as part of a join.
        const SIGHTINGS: &str = "INSERT INTO sightings (tenant, finding_id, evidence_id, release_id, seen_at) \
             SELECT $1, value ->> 'id', $2, $3, $4 FROM json_each($5) WHERE 1 = 1 \
             ON CONFLICT (tenant, finding_id, evidence_id) DO NOTHING";
        const RELEASES: &str = "INSERT INTO release_findings (tenant, release_id, finding_id, scope, last_seen_at, suppressed, verdict) \
             SELECT $1, $2, value ->> 'id', value ->> 'scope', $3, CAST(value ->> 'suppressed' AS BIGINT), value ->> 'verdict' \
             FROM json_each($4) WHERE 1 = 1 \
             ON CONFLICT (tenant, release_id, finding_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, scope = excluded.scope, \
             suppressed = excluded.suppressed, verdict = excluded.verdict, \
             not_seen_since = CASE WHEN release_findings.not_seen_since > excluded.last_seen_at THEN release_findings.not_seen_since END \
             WHERE release_findings.last_seen_at <= excluded.last_seen_at";
        query(SIGHTINGS)
            .bind(self.tenant())
            .bind(seen.evidence.as_str())
            .bind(seen.release)
            .bind(seen.at.0)
            .bind(places)
            .execute(&mut self.read.tx)
            .await?;
        query(RELEASES)
            .bind(self.tenant())
            .bind(seen.release)
            .bind(seen.at.0)
            .bind(places)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Records that a complete scan has examined a scope, and marks the findings of the scope that newer complete scans do not show.
    /// Returns how many findings are newly marked. The order in which scans are imported makes no difference.
    pub async fn miss_findings(
        &mut self,
        release: &str,
        scope: &str,
        scanned_at: Timestamp,
    ) -> Result<u64, StoreError> {
        const SCANNED: &str = "INSERT INTO complete_scans (tenant, release_id, scope, collected_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant, release_id, scope) DO UPDATE SET collected_at = \
             CASE WHEN complete_scans.collected_at > excluded.collected_at THEN complete_scans.collected_at \
             ELSE excluded.collected_at END RETURNING collected_at";
        const MISS: &str = "UPDATE release_findings SET not_seen_since = $4 WHERE tenant = $1 AND release_id = $2 AND scope = $3 \
             AND last_seen_at < $4 AND not_seen_since IS NULL";
        let newest = query(SCANNED)
            .bind(self.tenant())
            .bind(release)
            .bind(scope)
            .bind(scanned_at.0)
            .fetch_one(&mut self.read.tx)
            .await?
            .int("collected_at")?;
        Ok(query(MISS)
            .bind(self.tenant())
            .bind(release)
            .bind(scope)
            .bind(newest)
            .execute(&mut self.read.tx)
            .await?)
    }
}
