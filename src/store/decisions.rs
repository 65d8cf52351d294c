//! Decisions and attempts: what people did about an action, and what it rested on.

use super::row::{Columns, json};
use super::{ReadTx, StoreError, WriteTx};
use crate::domain::*;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// One person's decision.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct DecisionRow {
    pub id: DecisionId,
    pub action_id: ActionId,
    /// `approve`, `reject` or `revoke`.
    pub kind: String,
    pub person_id: PersonId,
    /// The digest it rested on.
    pub digest: String,
    /// The verdicts it rested on.
    pub verdicts: Vec<Check>,
    /// The records that it was about, as they were.
    pub facts: Snapshot,
    /// The marks of the warnings that it acknowledged, see [`Check::mark`].
    pub acknowledged: Vec<String>,
    pub policy_version: i64,
    pub reason_codes: Vec<ReasonCode>,
    pub reason: String,
    pub decided_at: Timestamp,
    /// The versions of the records that it rested on, and the hashes of evidence, by ID.
    pub rests: BTreeMap<String, String>,
    /// When this person had last opened its page.
    pub opened_at: Option<Timestamp>,
    /// Which folded parts of the page they had opened.
    pub opened: Vec<String>,
    /// What they typed to confirm it.
    pub typed: Option<String>,
}

impl DecisionRow {
    /// Whether it has acknowledged this warning. Decisions of before there were marks name the check.
    pub fn acknowledges(&self, warning: &Check) -> bool {
        let mark = warning.mark();
        self.acknowledged
            .iter()
            .any(|known| *known == mark || known == warning.id.as_str())
    }
}

/// One try at executing.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct AttemptRow {
    pub id: AttemptId,
    pub action_id: ActionId,
    pub person_id: PersonId,
    /// `executed`, `failed` or `broke`.
    pub outcome: String,
    pub at: Timestamp,
}

fn decision(row: &AnyRow) -> Result<DecisionRow, StoreError> {
    Ok(DecisionRow {
        id: row.read("id", |t| DecisionId::parse(t).ok())?,
        action_id: row.read("action_id", |t| ActionId::parse(t).ok())?,
        kind: row.text("kind")?,
        person_id: row.read("person_id", |t| PersonId::parse(t).ok())?,
        digest: row.text("digest")?,
        verdicts: row.json("verdicts")?,
        facts: row.json("facts")?,
        acknowledged: row.json("acknowledged")?,
        policy_version: row.int("policy_version")?,
        reason_codes: row.json("reason_codes")?,
        reason: row.text("reason")?,
        decided_at: row.time("decided_at")?,
        rests: row.json("rests")?,
        opened_at: row.maybe_int("opened_at")?.map(Timestamp),
        opened: row.json("opened")?,
        typed: row.maybe_text("typed")?,
    })
}

impl ReadTx {
    /// What was decided about an action, in order.
    pub async fn decisions(&mut self, id: &ActionId) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM decisions WHERE tenant = $1 AND action_id = $2 ORDER BY decided_at, id")
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(decision).collect()
    }
}

impl WriteTx {
    /// Keeps a decision.
    pub async fn insert_decision(&mut self, new: &DecisionRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO decisions (tenant, id, action_id, kind, person_id, digest, verdicts, acknowledged, \
             policy_version, reason_codes, reason, decided_at, facts, opened_at, opened, typed, rests) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str().to_owned())
            .bind(new.action_id.as_str().to_owned())
            .bind(new.kind.clone())
            .bind(new.person_id.as_str().to_owned())
            .bind(new.digest.clone())
            .bind(json(&new.verdicts)?)
            .bind(json(&new.acknowledged)?)
            .bind(new.policy_version)
            .bind(json(&new.reason_codes)?)
            .bind(new.reason.clone())
            .bind(new.decided_at.0)
            .bind(json(&new.facts)?)
            .bind(new.opened_at.map(|at| at.0))
            .bind(json(&new.opened)?)
            .bind(new.typed.clone())
            .bind(json(&new.rests)?)
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Keeps an attempt.
    pub async fn insert_attempt(&mut self, new: &AttemptRow) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO attempts (tenant, id, action_id, person_id, outcome, at) VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(new.id.as_str().to_owned())
            .bind(new.action_id.as_str().to_owned())
            .bind(new.person_id.as_str().to_owned())
            .bind(new.outcome.clone())
            .bind(new.at.0)
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }
}
