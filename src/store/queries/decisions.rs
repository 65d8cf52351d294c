//! Decisions and attempts: what people did about an action, and the record versions that a decision is based on.

use crate::domain::*;
use crate::store::db::{Row, query};
use crate::store::row::json;
use crate::store::{ReadTx, StoreError, WriteTx};

fn decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision {
        id: row.read("id", |t| DecisionId::parse(t).ok())?,
        action_id: row.read("action_id", |t| ActionId::parse(t).ok())?,
        kind: row.read("kind", DecisionKind::parse)?,
        person_id: row.read("person_id", |t| PersonId::parse(t).ok())?,
        digest: row.text("digest")?,
        verdicts: row.checks("verdicts")?,
        snapshot: row.json("snapshot")?,
        acknowledged: row.json("acknowledged")?,
        policy_version: row.int("policy_version")?,
        reason_codes: row.json("reason_codes")?,
        reason: row.text("reason")?,
        decided_at: row.time("decided_at")?,
        record_versions: row.json("record_versions")?,
        opened_at: row.maybe_int("opened_at")?.map(Timestamp),
        opened_sections: row.json("opened_sections")?,
        confirmation_text: row.maybe_text("confirmation_text")?,
    })
}

impl ReadTx {
    /// The decisions about an action, in order.
    pub async fn decisions(&mut self, id: &ActionId) -> Result<Vec<Decision>, StoreError> {
        let rows = query("SELECT * FROM decisions WHERE tenant = $1 AND action_id = $2 ORDER BY decided_at, id")
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(decision).collect()
    }
}

impl WriteTx {
    /// Stores a decision.
    pub async fn insert_decision(&mut self, new: &Decision) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO decisions (tenant, id, action_id, kind, person_id, digest, verdicts, acknowledged, \
             policy_version, reason_codes, reason, decided_at, snapshot, opened_at, opened_sections, confirmation_text, record_versions) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
        query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str())
            .bind(new.action_id.as_str())
            .bind(new.kind.as_str())
            .bind(new.person_id.as_str())
            .bind(&new.digest)
            .bind(json(&new.verdicts)?)
            .bind(json(&new.acknowledged)?)
            .bind(new.policy_version)
            .bind(json(&new.reason_codes)?)
            .bind(&new.reason)
            .bind(new.decided_at.0)
            .bind(json(&new.snapshot)?)
            .bind(new.opened_at.map(|at| at.0))
            .bind(json(&new.opened_sections)?)
            .bind(&new.confirmation_text)
            .bind(json(&new.record_versions)?)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores an attempt.
    pub async fn insert_attempt(&mut self, new: &Attempt) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO attempts (tenant, id, action_id, person_id, outcome, at) VALUES ($1, $2, $3, $4, $5, $6)";
        query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str())
            .bind(new.action_id.as_str())
            .bind(new.person_id.as_str())
            .bind(new.outcome.as_str())
            .bind(new.at.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
