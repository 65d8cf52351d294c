//! Versions of a tenant's policy. Each version is stored as an operator wrote it, and never changes.

use crate::domain::{ActionId, Check, PersonId, RecordKind, Risk, Severity, State, Timestamp, ids};
use crate::policy::Policy;
use crate::store::db::{Row, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError, WriteTx};
use std::collections::{BTreeSet, HashMap};

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// The version number, counted per tenant. Version 1 is the built-in policy, which is not stored.
    pub version: i64,
    /// The policy's TOML text.
    pub source: String,
    /// Why the operator activated the version.
    pub note: String,
    /// The person who activated the version; `None` for an operator at the console.
    pub person_id: Option<PersonId>,
    /// When the version was activated.
    pub created_at: Timestamp,
}

fn policy(row: &Row) -> Result<PolicyRow, StoreError> {
    Ok(PolicyRow {
        version: row.int("version")?,
        source: row.text("source")?,
        note: row.text("note")?,
        person_id: match row.maybe_text("person_id")? {
            None => None,
            Some(_) => Some(row.read("person_id", |t| PersonId::parse(t).ok())?),
        },
        created_at: row.time("created_at")?,
    })
}

impl ReadTx {
    /// The version of the tenant's current policy.
    pub async fn policy_version(&mut self) -> Result<i64, StoreError> {
        let row = query("SELECT COALESCE(MAX(version), 1) AS version FROM policies WHERE tenant = $1")
            .bind(self.tenant())
            .fetch_one(&mut self.tx)
            .await?;
        row.int("version")
    }

    /// The TOML text of a version.
    pub async fn policy_source(&mut self, version: i64) -> Result<Option<String>, StoreError> {
        if version == Policy::FIRST {
            return Ok(Some(crate::policy::BUILT_IN.to_owned()));
        }
        let row = query("SELECT source FROM policies WHERE tenant = $1 AND version = $2")
            .bind(self.tenant())
            .bind(version)
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(|row| row.text("source")).transpose()
    }

    /// The stored versions below `before`, newest first, without their text: at most 100.
    pub async fn policy_versions(&mut self, before: i64) -> Result<Vec<PolicyRow>, StoreError> {
        const SQL: &str = "SELECT version, '' AS source, note, person_id, created_at FROM policies \
             WHERE tenant = $1 AND version < $2 ORDER BY version DESC LIMIT 100";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(before)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(policy).collect()
    }
}

impl WriteTx {
    /// Stores a new version.
    pub async fn insert_policy(&mut self, new: &PolicyRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO policies (tenant, version, source, note, person_id, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)";
        query(SQL)
            .bind(self.tenant())
            .bind(new.version)
            .bind(&new.source)
            .bind(&new.note)
            .bind(new.person_id.as_ref().map(|id| id.as_str()))
            .bind(new.created_at.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}

/// A past action and its outcome, for the preview of a new policy.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct PastActionRow {
    pub id: String,
    pub headline: String,
    pub state: State,
    pub tool: String,
    pub tool_risk: Risk,
    pub max_severity: Option<Severity>,
    pub payload: String,
    pub caller_id: PersonId,
    pub pruned_by: Option<PersonId>,
    pub checks: Vec<Check>,
    pub created_at: Timestamp,
    pub approved_by: Vec<PersonId>,
    pub rejected_by: Vec<PersonId>,
    /// When a person first decided the action.
    pub decided_at: Option<Timestamp>,
    /// The person who executed the action.
    pub run_by: Option<PersonId>,
    /// When the oldest evidence that the action cites was collected.
    pub oldest_evidence: Option<Timestamp>,
}

impl ReadTx {
    /// Actions that clients proposed at or after `since`, newest first. The page begins below the ID `before`.
    pub async fn past_actions(
        &mut self,
        since: Timestamp,
        before: &str,
        limit: i64,
    ) -> Result<Vec<PastActionRow>, StoreError> {
        const SQL: &str = "SELECT id, headline, state, tool, tool_risk, max_severity, COALESCE((SELECT e.bytes ->> 'payload' FROM envelopes e \
             WHERE e.tenant = $1 AND e.action_id = actions.id), '') AS payload, caller_id, pruned_by, checks, created_at FROM actions \
             WHERE tenant = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT 0 + $4";
        const DECISIONS: &str = "SELECT action_id, kind, person_id, decided_at AS at FROM decisions \
             WHERE tenant = $1 AND action_id IN (SELECT value FROM json_each($2)) \
             UNION ALL SELECT action_id, 'run', person_id, at FROM attempts \
             WHERE tenant = $1 AND outcome = 'executed' AND action_id IN (SELECT value FROM json_each($2)) ORDER BY at";
        const EVIDENCE: &str =
            "SELECT id, collected_at FROM evidence WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(ActionId::first_of(since).as_str())
            .bind(before)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        let mut actions = rows.iter().map(past).collect::<Result<Vec<_>, _>>()?;
        let rows = query(DECISIONS)
            .bind(self.tenant())
            .bind(list(actions.iter().map(|action| action.id.as_str())))
            .fetch_all(&mut self.tx)
            .await?;
        let mut places: HashMap<String, &mut PastActionRow> =
            actions.iter_mut().map(|action| (action.id.clone(), action)).collect();
        for row in &rows {
            let Some(action) = places.get_mut(&row.text("action_id")?) else {
                continue;
            };
            let person = row.read("person_id", |t| PersonId::parse(t).ok())?;
            match row.text("kind")?.as_str() {
                "run" => {
                    action.run_by = Some(person);
                    continue;
                }
                "approve" => action.approved_by.push(person),
                _ => action.rejected_by.push(person),
            }
            action.decided_at = action.decided_at.or(Some(row.time("at")?));
        }
        let evidence = |text: &str| RecordKind::of(text) == Some(RecordKind::Evidence);
        let cited: BTreeSet<String> = actions
            .iter()
            .flat_map(|action| ids::scan(&action.payload))
            .filter(|id| evidence(id))
            .map(str::to_owned)
            .collect();
        let rows = query(EVIDENCE)
            .bind(self.tenant())
            .bind(list(&cited))
            .fetch_all(&mut self.tx)
            .await?;
        let collected = rows.iter().map(|row| Ok((row.text("id")?, row.time("collected_at")?)));
        let collected: HashMap<String, Timestamp> = collected.collect::<Result<_, StoreError>>()?;
        for action in &mut actions {
            let cites = ids::scan(&action.payload)
                .into_iter()
                .filter_map(|id| collected.get(id));
            action.oldest_evidence = cites.min().copied();
        }
        Ok(actions)
    }

    /// The keys of all teams, at most 1,000.
    pub async fn team_keys(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = query("SELECT key FROM teams WHERE tenant = $1 AND retired_at IS NULL ORDER BY key LIMIT 1000")
            .bind(self.tenant())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(|row| row.text("key")).collect()
    }
}

fn past(row: &Row) -> Result<PastActionRow, StoreError> {
    Ok(PastActionRow {
        id: row.text("id")?,
        headline: row.text("headline")?,
        state: row.read("state", State::parse)?,
        tool: row.text("tool")?,
        tool_risk: row.read("tool_risk", Risk::parse)?,
        max_severity: row.maybe("max_severity", Severity::parse)?,
        payload: row.text("payload")?,
        caller_id: row.read("caller_id", |t| PersonId::parse(t).ok())?,
        pruned_by: row.maybe("pruned_by", |t| PersonId::parse(t).ok())?,
        checks: row.checks("checks")?,
        created_at: row.time("created_at")?,
        approved_by: Vec::new(),
        rejected_by: Vec::new(),
        decided_at: None,
        run_by: None,
        oldest_evidence: None,
    })
}
