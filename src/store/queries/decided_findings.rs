//! What follows from people's decisions on findings and risks, besides the fields that the change set names: when a decision ends, and
//! in which releases a risk is accepted.

use crate::domain::{Create, FindingStatus, RecordKind, Timestamp, Update};
use crate::store::db::query;
use crate::store::row;
use crate::store::{ReadTx, StoreError, WriteTx};
use serde_json::{Value, json};

/// A decision on the status of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusDecision {
    /// When it was made.
    pub(super) decided_at: Timestamp,
    /// Until when the status is given.
    pub(super) ends_at: Option<Timestamp>,
    /// Whether acceptances of the finding's risk end with it.
    pub(super) ends_acceptances: bool,
}

impl StatusDecision {
    /// The decision that a change makes; `None` if it changes no finding.
    pub(super) fn of(update: &Update, now: Timestamp) -> Option<Self> {
        let after = |field: &str| {
            let change = update.fields.iter().find(|change| change.field == field)?;
            Some(&change.after)
        };
        if update.kind != RecordKind::Finding {
            return None;
        }
        let status = after("status").and_then(Value::as_str);
        Some(Self {
            decided_at: now,
            ends_at: after("statusExpiresAt")
                .and_then(Value::as_str)
                .and_then(Timestamp::parse),
            ends_acceptances: status.is_some_and(|status| status != FindingStatus::Accepted.as_str()),
        })
    }
}

/// A finding or control whose decision has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedDecision {
    /// The ID of the finding or control.
    pub subject: String,
    /// The ID of the release whose acceptance has ended; `None` if the finding's status has.
    pub release: Option<String>,
}

impl WriteTx {
    /// Records in which release the risks of findings and controls are accepted, and until when.
    pub(super) async fn accept_risks(&mut self, acceptances: &[&Create]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO accepted_risks (tenant, release_id, record_id, acceptance_id, ends_at) \
             SELECT $1, value ->> 'release', value ->> 'record', value ->> 'acceptance', CAST(value ->> 'endsAt' AS BIGINT) \
             FROM json_each($2) WHERE 1 = 1 ON CONFLICT (tenant, release_id, record_id) \
             DO UPDATE SET acceptance_id = excluded.acceptance_id, ends_at = excluded.ends_at";
        let mut rows = Vec::new();
        for create in acceptances {
            let text = |field: &str| create.fields.get(field).and_then(Value::as_str);
            let ends_at = text("expiresAt").and_then(Timestamp::parse);
            let (Some(release), Some(ends_at)) = (text("releaseId"), ends_at) else {
                return Err(StoreError::damaged(
                    "a change set",
                    "a risk acceptance without release or end",
                ));
            };
            let records = ["findingIds", "controlIds"]
                .iter()
                .filter_map(|field| create.fields.get(*field)?.as_array())
                .flatten();
            rows.extend(records.map(
                |record| json!({ "release": release, "record": record, "acceptance": create.id, "endsAt": ends_at.0 }),
            ));
        }
        query(SQL)
            .bind(self.tenant())
            .bind(row::json(&rows)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Ends the acceptances of a finding's risk in every release, because a person has decided its status again.
    pub(super) async fn end_acceptances(&mut self, finding: &str) -> Result<(), StoreError> {
        query("DELETE FROM accepted_risks WHERE tenant = $1 AND record_id = $2")
            .bind(self.tenant())
            .bind(finding)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Ends the decisions: the acceptances in the named releases, and the findings' statuses. Returns the IDs and keys of the findings that
    /// are open again.
    pub async fn end_decisions(&mut self, ended: &[EndedDecision]) -> Result<Vec<(String, String)>, StoreError> {
        const ACCEPTANCES: &str = "DELETE FROM accepted_risks WHERE tenant = $1 AND ends_at <= $3 AND (release_id, record_id) IN \
             (SELECT value ->> 'release', value ->> 'subject' FROM json_each($2))";
        const FINDINGS: &str = "UPDATE findings SET status = 'open', version = version + 1, justification = NULL, \
             status_expires_at = NULL, status_ends_at = NULL, decided_at = NULL WHERE tenant = $1 AND status <> 'open' \
             AND id IN (SELECT value FROM json_each($2)) AND (status = 'accepted' OR status_ends_at <= $3) RETURNING id, key";
        let now = self.ctx.now();
        let releases: Vec<_> = ended
            .iter()
            .filter_map(|one| Some(json!({ "release": one.release.as_ref()?, "subject": one.subject })))
            .collect();
        query(ACCEPTANCES)
            .bind(self.tenant())
            .bind(row::json(&releases)?)
            .bind(now.0)
            .execute(&mut self.read.tx)
            .await?;
        let rows = query(FINDINGS)
            .bind(self.tenant())
            .bind(row::list(ended.iter().map(|one| one.subject.as_str())))
            .bind(now.0)
            .fetch_all(&mut self.read.tx)
            .await?;
        let mut findings = Vec::with_capacity(rows.len());
        for row in &rows {
            findings.push((row.text("id")?, row.text("key")?));
        }
        Ok(findings)
    }
}

impl ReadTx {
    /// Decisions that have ended and of which the records do not say so yet, at most about `limit`.
    pub async fn ended_decisions(&mut self, limit: i64) -> Result<Vec<EndedDecision>, StoreError> {
        const ACCEPTANCES: &str = "SELECT record_id AS subject, release_id FROM accepted_risks WHERE tenant = $1 AND ends_at <= $2 \
             ORDER BY ends_at LIMIT 0 + $3";
        const STATUSES: &str = "SELECT id AS subject, NULL AS release_id FROM findings WHERE tenant = $1 AND status_ends_at <= $2 \
             AND status_ends_at IS NOT NULL AND status <> 'open' ORDER BY status_ends_at LIMIT 0 + $3";
        let now = self.ctx.now();
        let mut ended = Vec::new();
        for sql in [ACCEPTANCES, STATUSES] {
            let rows = query(sql)
                .bind(self.tenant())
                .bind(now.0)
                .bind(limit)
                .fetch_all(&mut self.tx)
                .await?;
            for row in &rows {
                ended.push(EndedDecision {
                    subject: row.text("subject")?,
                    release: row.maybe_text("release_id")?,
                });
            }
        }
        Ok(ended)
    }

    /// The IDs and keys of findings and controls.
    pub async fn keys_of_subjects(&mut self, ids: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT id, key FROM findings WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT id, key FROM controls WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(row::list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(|row| Ok((row.text("id")?, row.text("key")?))).collect()
    }

    /// The releases in which scans have shown these findings, without the named one: release ID and finding ID.
    pub async fn other_releases_of(
        &mut self,
        findings: &[&str],
        except: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT release_id, finding_id FROM release_findings WHERE tenant = $1 \
             AND finding_id IN (SELECT value FROM json_each($2)) AND release_id <> $3 ORDER BY release_id, finding_id";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(row::list(findings))
            .bind(except)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| Ok((row.text("release_id")?, row.text("finding_id")?)))
            .collect()
    }
}
