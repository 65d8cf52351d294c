//! Actions. A state change repeats its condition in the WHERE and asserts that one row changed.

use super::dialect::Sql;
use super::row::{Columns, json, list};
use super::{ChainCall, ReadTx, StoreError, WriteTx};
use crate::domain::*;
use serde_json::Value;
use sqlx::any::AnyRow;

/// A stored action, whole.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct ActionRow {
    pub id: ActionId,
    pub approval_id: ApprovalId,
    pub client_id: ClientId,
    pub caller_id: PersonId,
    pub idempotency_key: String,
    pub tool: String,
    pub tool_version: u32,
    pub state: State,
    /// Counts state changes; every change names the one it is for.
    pub revision: i64,
    pub risk: Risk,
    pub headline: String,
    pub summary: String,
    pub reason: String,
    pub workflow: Option<String>,
    pub request_id: String,
    pub trace_id: String,
    /// The calls of the trace before the proposal, in order.
    pub call_chain: Vec<ChainCall>,
    /// IDs that were cited and that no read had returned.
    pub unread: Vec<String>,
    pub release_id: Option<String>,
    /// The release's key, as it is now.
    pub release_key: Option<String>,
    pub team_id: Option<String>,
    /// Canonical JSON.
    pub payload: String,
    pub payload_digest: String,
    /// Canonical JSON of the envelope, never rebuilt.
    pub envelope: String,
    pub digest: String,
    /// The checks as they were when it was proposed.
    pub checks: Vec<Check>,
    pub policy_version: i64,
    /// Lower-case text for the inbox's search.
    pub words: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was rejected, executed or failed.
    pub settled_at: Option<Timestamp>,
    pub reason_codes: Vec<ReasonCode>,
    /// Why it was rejected or failed, in words.
    pub outcome: Option<String>,
    pub result: Option<Value>,
    pub supersedes: Option<String>,
    pub superseded_by: Option<String>,
    /// SHA-256 of what is asked for, whatever the key and the reason given.
    pub ask: String,
    /// The pending action that this one only repeats; it ends with that one.
    pub repeats: Option<ActionId>,
    /// How many pending actions only repeat this one.
    pub repeated: i64,
    /// Who made it of another by taking parts out.
    pub pruned_by: Option<PersonId>,
    /// Which rule of its policy says who decides it.
    pub rule: i64,
    /// What the tool itself says of its risk.
    pub tool_risk: Risk,
    /// The worst severity of a finding that it closes or accepts.
    pub max_severity: Option<Severity>,
    /// The action that it repeats, while that one is pending.
    pub behind: Option<ActionId>,
    /// When another action changed what this one is about.
    pub touched_at: Option<Timestamp>,
    /// The tenant's policy by now.
    pub policy_today: i64,
}

impl ActionRow {
    /// The word that is typed to approve it, where one is: its release's key, or else how many records it is about.
    pub fn word(&self) -> String {
        self.release_key.clone().unwrap_or_else(|| {
            let envelope: Option<Envelope> = serde_json::from_str(&self.envelope).ok();
            let written = envelope.map_or(1, |envelope| envelope.change_set.0.len());
            written.to_string()
        })
    }

    /// Whether its time has run out although nobody has written so yet.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.state.is_final() && self.expires_at <= now
    }

    /// The state as a reader sees it.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.is_overdue(now) {
            State::Rejected
        } else {
            self.state
        }
    }
}

/// How an action goes on or ends.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The state it comes to.
    pub to: State,
    /// Why, as codes.
    pub codes: &'a [ReasonCode],
    /// Why, in words.
    pub words: Option<&'a str>,
    /// What came of it.
    pub result: Option<&'a Value>,
}

impl<'a> Ending<'a> {
    /// A state that needs no reason.
    pub fn of(to: State) -> Self {
        Self {
            to,
            codes: &[],
            words: None,
            result: None,
        }
    }

    /// A state with its reason.
    pub fn because(to: State, codes: &'a [ReasonCode], words: &'a str) -> Self {
        Self {
            to,
            codes,
            words: Some(words),
            result: None,
        }
    }
}

pub(super) fn action(row: &AnyRow) -> Result<ActionRow, StoreError> {
    Ok(ActionRow {
        id: row.read("id", |t| ActionId::parse(t).ok())?,
        approval_id: row.read("approval_id", |t| ApprovalId::parse(t).ok())?,
        client_id: row.read("client_id", |t| ClientId::parse(t).ok())?,
        caller_id: row.read("caller_id", |t| PersonId::parse(t).ok())?,
        idempotency_key: row.text("idempotency_key")?,
        tool: row.text("tool")?,
        tool_version: u32::try_from(row.int("tool_version")?).unwrap_or_default(),
        state: row.read("state", State::parse)?,
        revision: row.int("revision")?,
        risk: row.read("risk", Risk::parse)?,
        headline: row.text("headline")?,
        summary: row.text("summary")?,
        reason: row.text("reason")?,
        workflow: row.maybe_text("workflow")?,
        request_id: row.text("request_id")?,
        trace_id: row.text("trace_id")?,
        call_chain: row.json("call_chain")?,
        unread: row.json("unread")?,
        release_id: row.maybe_text("release_id")?,
        release_key: row.maybe_text("release_key")?,
        team_id: row.maybe_text("team_id")?,
        payload: row.text("payload")?,
        payload_digest: row.text("payload_digest")?,
        envelope: row.text("envelope")?,
        digest: row.text("digest")?,
        checks: row.json("checks")?,
        policy_version: row.int("policy_version")?,
        words: row.text("words")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        settled_at: row.maybe_int("settled_at")?.map(Timestamp),
        reason_codes: row.json("reason_codes")?,
        outcome: row.maybe_text("outcome")?,
        result: match row.maybe_text("result")? {
            Some(text) => Some(serde_json::from_str(&text).map_err(|e| StoreError::damaged("result", e))?),
            None => None,
        },
        supersedes: row.maybe_text("supersedes")?,
        superseded_by: row.maybe_text("superseded_by")?,
        ask: row.text("ask")?,
        repeats: maybe(row, "repeats", |t| ActionId::parse(t).ok())?,
        repeated: row.int("repeated")?,
        pruned_by: maybe(row, "pruned_by", |t| PersonId::parse(t).ok())?,
        rule: row.int("rule")?,
        tool_risk: match maybe(row, "own_risk", Risk::parse)? {
            Some(own) => own,
            // Of before it was kept.
            None => row.read("risk", Risk::parse)?,
        },
        max_severity: maybe(row, "gravest", Severity::parse)?,
        behind: maybe(row, "behind", |t| ActionId::parse(t).ok())?,
        touched_at: row.maybe_int("touched_at")?.map(Timestamp),
        policy_today: row.int("policy_today")?,
    })
}

fn maybe<T>(row: &AnyRow, column: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
    match row.maybe_text(column)? {
        None => Ok(None),
        Some(_) => row.read(column, read).map(Some),
    }
}

/// An action with the key of its release, and which policy the tenant has by now.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT a.*, r.key AS release_key, (SELECT COALESCE(MAX(p.version), 1) FROM policies p WHERE p.tenant = $1) AS policy_today, ",
            "(SELECT COUNT(*) FROM actions x WHERE x.tenant = $1 AND x.repeats = a.id AND x.state = 'pending_approval') AS repeated, ",
            "(SELECT h.id FROM actions h WHERE h.tenant = $1 AND h.id = a.repeats AND h.state = 'pending_approval') AS behind ",
            "FROM actions a ",
            "LEFT JOIN releases r ON r.tenant = a.tenant AND r.id = a.release_id WHERE a.tenant = $1 AND ",
            $condition
        )
    };
}

impl ReadTx {
    /// An action of this tenant.
    pub async fn action(&mut self, id: &ActionId) -> Result<Option<ActionRow>, StoreError> {
        let row = sqlx::query(select!("a.id = $2"))
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(action).transpose()
    }

    /// A page of somebody's own proposals, newest first; `before`: after this action of theirs.
    pub async fn actions_of_caller(
        &mut self,
        caller: &PersonId,
        state: Option<State>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<ActionRow>, StoreError> {
        const SQL: &str = select!(
            "a.caller_id = $2 AND ($3 = '' OR a.state = $3) AND (a.created_at, a.id) < (CASE $4 WHEN '' THEN $6 ELSE (SELECT c.created_at \
             FROM actions c WHERE c.tenant = $1 AND c.id = $4) END, $4) ORDER BY a.created_at DESC, a.id DESC LIMIT 0 + $5"
        );
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(caller.as_str().to_owned())
            .bind(state.map_or("", State::as_str).to_owned())
            .bind(before.unwrap_or_default().to_owned())
            .bind(limit)
            // Later than all.
            .bind(i64::MAX)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(action).collect()
    }

    /// Pending actions that only repeat this one, oldest first.
    pub async fn repeating(&mut self, id: &ActionId, limit: i64) -> Result<Vec<ActionRow>, StoreError> {
        const SQL: &str = select!("a.repeats = $2 AND a.state = 'pending_approval' ORDER BY a.id LIMIT 0 + $3");
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(id.as_str().to_owned())
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(action).collect()
    }

    /// Open actions whose time has run out. What only repeats a pending one ends with that one.
    pub async fn overdue(&mut self, limit: i64) -> Result<Vec<ActionRow>, StoreError> {
        const SQL: &str = select!(
            "a.state IN ('pending_approval', 'approved') AND a.expires_at <= $2 AND (a.repeats IS NULL OR a.state = 'approved' \
             OR NOT EXISTS (SELECT 1 FROM actions h WHERE h.tenant = $1 AND h.id = a.repeats AND h.state = 'pending_approval')) \
             ORDER BY a.expires_at LIMIT 0 + $3"
        );
        let now = self.ctx.now();
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(action).collect()
    }
}

macro_rules! insert {
    () => {
        "INSERT INTO actions (tenant, id, approval_id, client_id, caller_id, idempotency_key, tool, tool_version, state, revision, \
         risk, headline, summary, reason, workflow, request_id, trace_id, call_chain, unread, release_id, team_id, payload, \
         payload_digest, envelope, digest, checks, policy_version, words, created_at, expires_at, reason_codes, supersedes, \
         blocks, warnings, passes, ask, repeats, pruned_by, rule, own_risk, gravest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
         $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $37, \
         (SELECT h.id FROM actions h WHERE h.tenant = $1 AND h.id = $38 AND h.state = 'pending_approval'), $39, $40, $41, $42) \
         ON CONFLICT (tenant, client_id, caller_id, idempotency_key) DO NOTHING"
    };
}

/// The action and its targets; says whether the action was stored.
const INSERT: Sql = Sql {
    sqlite: concat!(
        insert!(),
        "; INSERT INTO action_targets (tenant, record_id, action_id, expires_at) SELECT $1, value, $2, $30 FROM json_each($36) \
         WHERE EXISTS (SELECT 1 FROM actions WHERE tenant = $1 AND id = $2 AND repeats IS NULL) \
         ; SELECT COUNT(*) AS stored FROM actions WHERE tenant = $1 AND id = $2"
    ),
    postgres: concat!(
        "WITH action AS (",
        insert!(),
        " RETURNING id, repeats), target AS (INSERT INTO action_targets (tenant, record_id, action_id, expires_at) \
         SELECT $1, t.value, action.id, $30 FROM action, json_each($36) t WHERE action.repeats IS NULL) SELECT COUNT(*) AS stored FROM action"
    ),
};

impl WriteTx {
    /// Keeps which records an action is about that had only repeated another one and goes on by itself.
    pub async fn insert_targets(&mut self, action: &ActionRow, targets: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO action_targets (tenant, record_id, action_id, expires_at) \
             SELECT $1, t.value, $2, $3 FROM json_each($4) t WHERE 1 = 1 ON CONFLICT (tenant, record_id, action_id) DO NOTHING";
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(action.id.as_str().to_owned())
            .bind(action.expires_at.0)
            .bind(list(targets))
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores a new action, with the records that it changes or rests on (unless it only repeats a pending one); `false` if the key belongs to another one of this client and caller by now.
    pub async fn insert_action(&mut self, new: &ActionRow, targets: &[String]) -> Result<bool, StoreError> {
        let verdicts = VerdictCounts::of(&new.checks);
        let rows = sqlx::query(self.pick(&INSERT))
            .bind(self.tenant())
            .bind(new.id.as_str().to_owned())
            .bind(new.approval_id.as_str().to_owned())
            .bind(new.client_id.as_str().to_owned())
            .bind(new.caller_id.as_str().to_owned())
            .bind(new.idempotency_key.clone())
            .bind(new.tool.clone())
            .bind(i64::from(new.tool_version))
            .bind(new.state.as_str().to_owned())
            .bind(new.revision)
            .bind(new.risk.as_str().to_owned())
            .bind(new.headline.clone())
            .bind(new.summary.clone())
            .bind(new.reason.clone())
            .bind(new.workflow.clone())
            .bind(new.request_id.clone())
            .bind(new.trace_id.clone())
            .bind(json(&new.call_chain)?)
            .bind(json(&new.unread)?)
            .bind(new.release_id.clone())
            .bind(new.team_id.clone())
            .bind(new.payload.clone())
            .bind(new.payload_digest.clone())
            .bind(new.envelope.clone())
            .bind(new.digest.clone())
            .bind(json(&new.checks)?)
            .bind(new.policy_version)
            .bind(new.words.clone())
            .bind(new.created_at.0)
            .bind(new.expires_at.0)
            .bind(json(&new.reason_codes)?)
            .bind(new.supersedes.clone())
            .bind(i64::from(verdicts.block))
            .bind(i64::from(verdicts.warn))
            .bind(i64::from(verdicts.pass))
            .bind(list(targets))
            .bind(new.ask.clone())
            .bind(new.repeats.as_ref().map(|id| id.as_str().to_owned()))
            .bind(new.pruned_by.as_ref().map(|id| id.as_str().to_owned()))
            .bind(new.rule)
            .bind(new.tool_risk.as_str().to_owned())
            .bind(new.max_severity.map(|severity| severity.as_str().to_owned()))
            .fetch_all(&mut *self.read.tx)
            .await?;
        Ok(rows.last().map_or(Ok(0), |row| row.int("stored"))? == 1)
    }

    /// Takes an action from the state, revision and digest it was loaded with to the next state, while it has not expired.
    pub async fn advance(&mut self, action: &ActionRow, to: State) -> Result<(), StoreError> {
        let now = self.ctx.now();
        self.change_state(action, Ending::of(to), now).await
    }

    /// The same for an end, with its reason codes, words and perhaps a result. Running out of time and refusals are ends that
    /// an expired action may still have.
    pub async fn settle(&mut self, action: &ActionRow, ending: Ending<'_>) -> Result<(), StoreError> {
        let not_before = if ending.to == State::Executed {
            self.ctx.now()
        } else {
            Timestamp(0)
        };
        self.change_state(action, ending, not_before).await
    }

    /// `alive_at`: the action must expire later than this.
    async fn change_state(
        &mut self,
        action: &ActionRow,
        ending: Ending<'_>,
        alive_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE actions SET state = $7, revision = revision + 1, reason_codes = $8, outcome = $9, \
             result = $10, settled_at = $11 WHERE tenant = $1 AND id = $2 AND state = $3 AND revision = $4 \
             AND digest = $5 AND expires_at > $6";
        let now = self.ctx.now();
        let done = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(action.id.as_str().to_owned())
            .bind(action.state.as_str().to_owned())
            .bind(action.revision)
            .bind(action.digest.clone())
            .bind(alive_at.0)
            .bind(ending.to.as_str().to_owned())
            .bind(json(&ending.codes)?)
            .bind(ending.words.map(str::to_owned))
            .bind(ending.result.map(json).transpose()?)
            .bind(ending.to.is_final().then_some(now.0))
            .execute(&mut *self.read.tx)
            .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict("the action"))
        }
    }

    /// Notes at other open actions that something which they are about has been changed.
    pub async fn touch(&mut self, action: &ActionId, records: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE actions SET touched_at = $4 WHERE tenant = $1 AND id <> $2 AND touched_at IS NULL AND id IN (SELECT action_id \
             FROM action_targets WHERE tenant = $1 AND record_id IN (SELECT value FROM json_each($3)))";
        let now = self.ctx.now();
        sqlx::query(SQL)
            .bind(self.tenant())
            .bind(action.as_str().to_owned())
            .bind(list(records))
            .bind(now.0)
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }

    /// Links a superseded action to the one that takes its place.
    pub async fn link_superseded(&mut self, old: &ActionId, new: &ActionId) -> Result<(), StoreError> {
        sqlx::query("UPDATE actions SET superseded_by = $3 WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(old.as_str().to_owned())
            .bind(new.as_str().to_owned())
            .execute(&mut *self.read.tx)
            .await?;
        Ok(())
    }
}
