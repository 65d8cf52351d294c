//! Statements on vulnerabilities (VEX), and the findings that they are about.

use super::imports::AT_ONCE;
use crate::domain::{EvidenceId, FindingId, FindingStatus, Timestamp};
use crate::import::{VexStatement, VexStatus, Vulnerability};
use crate::store::db::query;
use crate::store::row;
use crate::store::{ReadTx, StoreError, WriteTx};
use serde_json::json;
use std::collections::BTreeSet;

/// A finding of a vulnerability in a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VulnerableFinding {
    /// Its ID.
    pub id: FindingId,
    /// Its key.
    pub key: String,
    /// What makes it the same finding in the next scan.
    pub identity: String,
    /// Its IDs and the names of what is affected.
    pub vulnerability: Vulnerability,
    /// Whether only statements show it, and no scan.
    pub is_stated: bool,
    /// Its status.
    pub status: FindingStatus,
    /// Whether a person's decision set the status.
    pub is_decided: bool,
    /// Whether the newest scan of the release suppresses it.
    pub is_suppressed: bool,
    /// What the statement says that sets it aside in the release.
    pub verdict: Option<String>,
    /// Whether another release shows it, in which no statement sets it aside.
    pub is_open_elsewhere: bool,
}

/// What a statement says about a finding in a release; `None`: no statement sets it aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The finding's ID.
    pub finding: String,
    /// The text of the verdict.
    pub text: Option<String>,
    /// The status that follows; `None` if it stays.
    pub status: Option<FindingStatus>,
}

impl WriteTx {
    /// Stores statements of an evidence; `first` is the position of the first of them. Storing them again changes nothing.
    pub async fn keep_statements(
        &mut self,
        release: &str,
        evidence: &EvidenceId,
        first: usize,
        statements: &[VexStatement],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO vex_statements (tenant, release_id, vulnerability, evidence_id, position, products, status, \
             reason, stated_at) SELECT $1, $2, value ->> 'id', $3, CAST(value ->> 'position' AS BIGINT), value ->> 'products', \
             value ->> 'status', value ->> 'reason', CAST(value ->> 'at' AS BIGINT) FROM json_each($4) WHERE 1 = 1 \
             ON CONFLICT (tenant, release_id, vulnerability, evidence_id, position) DO NOTHING";
        let mut rows = Vec::new();
        for (position, statement) in (first..).zip(statements) {
            let products = row::list(&statement.vulnerability.products);
            for id in &statement.vulnerability.ids {
                rows.push(json!({
                    "id": id.to_lowercase(), "position": position, "products": products, "status": statement.status.as_str(),
                    "reason": statement.reason, "at": statement.at.unwrap_or(at.0),
                }));
            }
        }
        for some in rows.chunks(AT_ONCE) {
            query(SQL)
                .bind(self.tenant())
                .bind(release)
                .bind(evidence.as_str())
                .bind(row::json(&some)?)
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(())
    }

    /// Sets what statements say about findings in a release, and the status that follows.
    pub async fn set_verdicts(&mut self, release: &str, verdicts: &[Verdict]) -> Result<(), StoreError> {
        const RELEASES: &str = "UPDATE release_findings SET verdict = said \
             FROM (SELECT value ->> 'finding' AS wanted, value ->> 'text' AS said FROM json_each($3)) AS statement \
             WHERE tenant = $1 AND release_id = $2 AND finding_id = wanted";
        const FINDINGS: &str = "UPDATE findings SET status = new_status, version = version + 1 \
             FROM (SELECT value ->> 'finding' AS wanted, value ->> 'status' AS new_status FROM json_each($2)) AS statement \
             WHERE tenant = $1 AND id = wanted AND new_status IS NOT NULL";
        for some in verdicts.chunks(AT_ONCE) {
            let rows: Vec<_> = some
                .iter()
                .map(|one| json!({ "finding": one.finding, "text": one.text, "status": one.status }))
                .collect();
            let rows = row::json(&rows)?;
            query(RELEASES)
                .bind(self.tenant())
                .bind(release)
                .bind(rows.as_str())
                .execute(&mut self.read.tx)
                .await?;
            query(FINDINGS)
                .bind(self.tenant())
                .bind(rows.as_str())
                .execute(&mut self.read.tx)
                .await?;
        }
        Ok(())
    }
}

impl ReadTx {
    /// The statements of a release on these vulnerabilities, by their IDs in lower case. The reason of each is a text for people, with its status and evidence.
    pub async fn statements_on(&mut self, release: &str, ids: &[&str]) -> Result<Vec<VexStatement>, StoreError> {
        const SQL: &str = "SELECT v.vulnerability, v.products, v.status, v.reason, v.stated_at, e.key FROM vex_statements v \
             JOIN evidence e ON e.tenant = v.tenant AND e.id = v.evidence_id WHERE v.tenant = $1 AND v.release_id = $2 \
             AND v.vulnerability IN (SELECT value FROM json_each($3)) ORDER BY v.evidence_id, v.position";
        let mut statements = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let rows = query(SQL)
                .bind(self.tenant())
                .bind(release)
                .bind(row::list(some))
                .fetch_all(&mut self.tx)
                .await?;
            for row in &rows {
                let status = row.read("status", VexStatus::parse)?;
                let (reason, key) = (row.text("reason")?, row.text("key")?);
                let word = status.as_str();
                let said = match reason.split('\n').next().unwrap_or_default().trim() {
                    "" => format!("{word} ({key})"),
                    reason => format!("{word}: {} ({key})", reason.chars().take(200).collect::<String>()),
                };
                statements.push(VexStatement {
                    vulnerability: Vulnerability {
                        ids: vec![row.text("vulnerability")?],
                        products: row.json("products")?,
                    },
                    status,
                    reason: said,
                    at: Some(row.int("stated_at")?),
                    finding: None,
                });
            }
        }
        Ok(statements)
    }

    /// The findings of a release that are about these vulnerabilities, by their IDs in lower case. Each has all its own IDs.
    pub async fn findings_about(&mut self, release: &str, ids: &[&str]) -> Result<Vec<VulnerableFinding>, StoreError> {
        const SQL: &str = "SELECT f.id, f.key, f.identity, f.products, f.stated, f.status, f.decided_at, r.suppressed, r.verdict, \
             v.vulnerability, (SELECT COUNT(*) FROM release_findings o WHERE o.tenant = $1 AND o.finding_id = f.id \
             AND o.release_id <> $2 AND o.verdict IS NULL AND o.suppressed = 0) AS elsewhere FROM finding_vulnerabilities v \
             JOIN release_findings r ON r.tenant = v.tenant AND r.release_id = $2 AND r.finding_id = v.finding_id \
             JOIN findings f ON f.tenant = v.tenant AND f.id = v.finding_id \
             WHERE v.tenant = $1 AND v.finding_id IN (SELECT n.finding_id FROM finding_vulnerabilities n WHERE n.tenant = $1 \
             AND n.vulnerability IN (SELECT value FROM json_each($3))) ORDER BY f.id, v.vulnerability";
        let (mut found, mut known): (Vec<VulnerableFinding>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
        for some in ids.chunks(AT_ONCE) {
            let rows = query(SQL)
                .bind(self.tenant())
                .bind(release)
                .bind(row::list(some))
                .fetch_all(&mut self.tx)
                .await?;
            for row in &rows {
                let (id, name) = (
                    row.read("id", |text| FindingId::parse(text).ok())?,
                    row.text("vulnerability")?,
                );
                if let Some(last) = found.last_mut().filter(|last| last.id == id) {
                    if !last.vulnerability.ids.contains(&name) {
                        last.vulnerability.ids.push(name);
                    }
                    continue;
                }
                // A finding with IDs in several chunks.
                if !known.insert(id.to_string()) {
                    continue;
                }
                found.push(VulnerableFinding {
                    id,
                    key: row.text("key")?,
                    identity: row.text("identity")?,
                    vulnerability: Vulnerability {
                        ids: vec![name],
                        products: match row.maybe_text("products")? {
                            Some(_) => row.json("products")?,
                            None => Vec::new(),
                        },
                    },
                    is_stated: row.int("stated")? == 1,
                    status: row.read("status", FindingStatus::parse)?,
                    is_decided: row.maybe_int("decided_at")?.is_some(),
                    is_suppressed: row.int("suppressed")? == 1,
                    verdict: row.maybe_text("verdict")?,
                    is_open_elsewhere: row.int("elsewhere")? > 0,
                });
            }
        }
        Ok(found)
    }
}
