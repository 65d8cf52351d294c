//! Findings from scans. Importing the same file again changes nothing.

use super::imports::AT_ONCE;
use crate::domain::{EvidenceId, FindingId, Severity, Timestamp};
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
}

/// An imported finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFinding {
    /// The finding's ID, which is new or already stored.
    pub id: FindingId,
    /// Whether no earlier scan has shown the finding.
    pub is_new: bool,
}

impl WriteTx {
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
            query(
                "INSERT INTO sightings (tenant, finding_id, evidence_id, release_id, seen_at) \
                 SELECT $1, value, $2, $3, $4 FROM json_each($5) WHERE 1 = 1 \
                 ON CONFLICT (tenant, finding_id, evidence_id) DO NOTHING",
            )
            .bind(self.tenant())
            .bind(evidence.as_str())
            .bind(release)
            .bind(seen_at.0)
            .bind(ids)
            .execute(&mut self.read.tx)
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
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(row::json(&scan)?)
            .bind(seen_at.0)
            .fetch_all(&mut self.read.tx)
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
        query(SQL)
            .bind(self.tenant())
            .bind(row::json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(ids)
    }
}
