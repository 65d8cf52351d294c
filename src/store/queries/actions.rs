//! Actions. A state change repeats its condition in the WHERE clause and asserts that one row changed.

use crate::domain::*;
use crate::store::db::{Row, Sql, query};
use crate::store::row::{json, list};
use crate::store::{ReadTx, StoreError, WriteTx};

/// Reads an action from a row of [`select!`].
pub(super) fn action(row: &Row) -> Result<Action, StoreError> {
    let action = |text: &str| ActionId::parse(text).ok();
    Ok(Action {
        id: row.read("id", action)?,
        approval_id: row.read("approval_id", |t| ApprovalId::parse(t).ok())?,
        proposal: Proposal {
            tool: row.text("tool")?,
            tool_version: row.count("tool_version")?,
            idempotency_key: row.text("idempotency_key")?,
            headline: row.text("headline")?,
            summary: row.text("summary")?,
            reason: row.text("reason")?,
            workflow: row.maybe_text("workflow")?,
            release_id: row.maybe("release_id", |t| ReleaseId::parse(t).ok())?,
            release_key: row.maybe_text("release_key")?,
            team_id: row.maybe("team_id", |t| TeamId::parse(t).ok())?,
            payload_digest: row.text("payload_digest")?,
            envelope: row.text("envelope")?,
            digest: row.text("digest")?,
            request_digest: row.text("request_digest")?,
            supersedes: row.maybe("supersedes", action)?,
        },
        origin: Origin {
            client_id: row.read("client_id", |t| ClientId::parse(t).ok())?,
            caller_id: row.read("caller_id", |t| PersonId::parse(t).ok())?,
            pruned_by: row.maybe("pruned_by", |t| PersonId::parse(t).ok())?,
            request_id: row.text("request_id")?,
            trace_id: row.text("trace_id")?,
            client_request_id: row.maybe_text("client_request_id")?,
            client_trace_id: row.maybe_text("client_trace_id")?,
            call_chain: row.json("call_chain")?,
            unread_ids: row.json("unread_ids")?,
            created_at: row.time("created_at")?,
        },
        judgement: Judgement {
            risk: row.read("risk", Risk::parse)?,
            tool_risk: row.read("tool_risk", Risk::parse)?,
            max_severity: row.maybe("max_severity", Severity::parse)?,
            checks: row.checks("checks")?,
            policy_version: row.int("policy_version")?,
            policy_rule_index: row.int("policy_rule_index")?,
            expires_at: row.time("expires_at")?,
            current_policy_version: row.int("current_policy_version")?,
        },
        lifecycle: Lifecycle {
            stage: stage(row)?,
            revision: row.int("revision")?,
            repeats: row.maybe("repeats_action_id", action)?,
            repeats_pending: row.maybe("repeats_pending", action)?,
            repeated_by: row.int("repeated_by")?,
            superseded_by: row.maybe("superseded_by", action)?,
            targets_changed_at: row.maybe_int("targets_changed_at")?.map(Timestamp),
        },
    })
}

/// The state with its columns. If a column that the state needs is absent, the row is reported as damaged.
fn stage(row: &Row) -> Result<Stage, StoreError> {
    let closed_at = || row.time("closed_at");
    let refusal = || {
        Ok::<_, StoreError>(Refusal {
            at: closed_at()?,
            codes: row.json("reason_codes")?,
            message: row.text("outcome")?,
        })
    };
    Ok(match row.read("state", State::parse)? {
        State::PendingApproval => Stage::PendingApproval,
        State::Approved => Stage::Approved,
        State::Rejected => Stage::Rejected(refusal()?),
        State::Failed => Stage::Failed(refusal()?),
        State::Executed => Stage::Executed(Execution {
            at: closed_at()?,
            result: row.json("result")?,
        }),
    })
}

/// An action with the key of its release, the tenant's current policy version, the number of pending actions that repeat the action, and
/// the pending action that it repeats.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT a.*, COALESCE(e.bytes, '') AS envelope, r.key AS release_key, (SELECT COALESCE(MAX(p.version), 1) FROM policies p WHERE p.tenant = $1) AS current_policy_version, ",
            "(SELECT COUNT(*) FROM actions x WHERE x.tenant = $1 AND x.repeats_action_id = a.id AND x.state = 'pending_approval') AS repeated_by, ",
            "(SELECT h.id FROM actions h WHERE h.tenant = $1 AND h.id = a.repeats_action_id AND h.state = 'pending_approval') AS repeats_pending ",
            "FROM actions a ",
            "LEFT JOIN envelopes e ON e.tenant = a.tenant AND e.action_id = a.id ",
            "LEFT JOIN releases r ON r.tenant = a.tenant AND r.id = a.release_id WHERE a.tenant = $1 AND ",
            $condition
        )
    };
}

impl ReadTx {
    /// An action of this tenant.
    pub async fn action(&mut self, id: &ActionId) -> Result<Option<Action>, StoreError> {
        let row = query(select!("a.id = $2"))
            .bind(self.tenant())
            .bind(id.as_str())
            .fetch_optional(&mut self.tx)
            .await?;
        row.as_ref().map(action).transpose()
    }

    /// The IDs of the tenant's actions after `after`, oldest first.
    pub async fn action_ids_after(
        &mut self,
        after: Option<&ActionId>,
        limit: i64,
    ) -> Result<Vec<ActionId>, StoreError> {
        const SQL: &str = "SELECT id FROM actions WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT 0 + $3";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(after.map_or("", ActionId::as_str))
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| row.read("id", |text| ActionId::parse(text).ok()))
            .collect()
    }

    /// Of these actions, those that exist.
    pub async fn existing_actions(&mut self, ids: &[&str]) -> Result<Vec<ActionId>, StoreError> {
        const SQL: &str = "SELECT id FROM actions WHERE tenant = $1 AND id IN (SELECT value FROM json_each($2))";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(ids))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| row.read("id", |text| ActionId::parse(text).ok()))
            .collect()
    }

    /// A page of a person's own proposals, newest first. The page begins after the action `before`.
    pub async fn actions_of_caller(
        &mut self,
        caller: &PersonId,
        state: Option<State>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Action>, StoreError> {
        const SQL: &str =
            select!("a.caller_id = $2 AND ($3 = '' OR a.state = $3) AND a.id < $4 ORDER BY a.id DESC LIMIT 0 + $5");
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(caller.as_str())
            .bind(state.map_or("", State::as_str))
            .bind(before.unwrap_or(ActionId::LAST))
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(action).collect()
    }

    /// Pending actions that repeat this action, oldest first.
    pub async fn repeating(&mut self, id: &ActionId, limit: i64) -> Result<Vec<Action>, StoreError> {
        const SQL: &str =
            select!("a.repeats_action_id = $2 AND a.state = 'pending_approval' ORDER BY a.id LIMIT 0 + $3");
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(action).collect()
    }

    /// Open actions that have expired. A pending action that repeats another pending action is left out, because both end together.
    pub async fn overdue(&mut self, limit: i64) -> Result<Vec<Action>, StoreError> {
        const SQL: &str = select!(
            "a.state IN ('pending_approval', 'approved') AND a.expires_at <= $2 AND (a.repeats_action_id IS NULL OR a.state = 'approved' \
             OR NOT EXISTS (SELECT 1 FROM actions h WHERE h.tenant = $1 AND h.id = a.repeats_action_id AND h.state = 'pending_approval')) \
             ORDER BY a.expires_at LIMIT 0 + $3"
        );
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(action).collect()
    }
}

macro_rules! insert {
    () => {
        "INSERT INTO actions (tenant, id, approval_id, client_id, caller_id, idempotency_key, tool, tool_version, state, revision, \
         risk, headline, summary, reason, workflow, request_id, trace_id, call_chain, unread_ids, release_id, team_id, \
         payload_digest, digest, checks, policy_version, search_text, created_at, expires_at, reason_codes, supersedes, \
         blocks, warnings, passes, request_digest, repeats_action_id, pruned_by, policy_rule_index, tool_risk, max_severity, \
         client_request_id, client_trace_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, \
         $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, \
         (SELECT h.id FROM actions h WHERE h.tenant = $1 AND h.id = $35 AND h.state = 'pending_approval'), $36, $37, $38, $39, $42, $43) \
         ON CONFLICT (tenant, client_id, caller_id, idempotency_key) DO NOTHING"
    };
}

/// Stores an action with its envelope ($41) and its targets ($40), and returns whether the action was stored.
const INSERT: Sql = Sql {
    sqlite: &[
        insert!(),
        "INSERT INTO envelopes (tenant, action_id, bytes) SELECT $1, $2, $41 WHERE EXISTS (SELECT 1 FROM actions WHERE tenant = $1 AND id = $2)",
        "INSERT INTO action_targets (tenant, record_id, action_id, expires_at) SELECT $1, value, $2, $28 FROM json_each($40) \
         WHERE EXISTS (SELECT 1 FROM actions WHERE tenant = $1 AND id = $2 AND repeats_action_id IS NULL)",
        "SELECT COUNT(*) AS stored FROM actions WHERE tenant = $1 AND id = $2",
    ],
    postgres: concat!(
        "WITH action AS (",
        insert!(),
        " RETURNING id, repeats_action_id), envelope AS (INSERT INTO envelopes (tenant, action_id, bytes) SELECT $1, action.id, $41 FROM action), \
         target AS (INSERT INTO action_targets (tenant, record_id, action_id, expires_at) \
         SELECT $1, t.value, action.id, $28 FROM action, json_each($40) t WHERE action.repeats_action_id IS NULL) SELECT COUNT(*) AS stored FROM action"
    ),
};

impl WriteTx {
    /// Stores the targets of an action that repeated another one. While the other action was pending, the repeating action had no targets.
    pub async fn insert_targets(&mut self, action: &Action, targets: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO action_targets (tenant, record_id, action_id, expires_at) \
             SELECT $1, t.value, $2, $3 FROM json_each($4) t WHERE 1 = 1 ON CONFLICT (tenant, record_id, action_id) DO NOTHING";
        query(SQL)
            .bind(self.tenant())
            .bind(action.id.as_str())
            .bind(action.judgement.expires_at.0)
            .bind(list(targets))
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Stores a new action with its targets: the records that it changes or refers to. An action that repeats a pending action has no
    /// targets. Returns `false` if the client has used the key for another action of the same caller. `search_text` is the folded text
    /// that the inbox searches.
    pub async fn insert_action(
        &mut self,
        new: &Action,
        targets: &[String],
        search_text: &str,
    ) -> Result<bool, StoreError> {
        let verdicts = VerdictCounts::of(&new.judgement.checks);
        let rows = query(INSERT)
            .bind(self.tenant())
            .bind(new.id.as_str())
            .bind(new.approval_id.as_str())
            .bind(new.origin.client_id.as_str())
            .bind(new.origin.caller_id.as_str())
            .bind(&new.proposal.idempotency_key)
            .bind(&new.proposal.tool)
            .bind(i64::from(new.proposal.tool_version))
            .bind(new.state().as_str())
            .bind(new.lifecycle.revision)
            .bind(new.judgement.risk.as_str())
            .bind(&new.proposal.headline)
            .bind(&new.proposal.summary)
            .bind(&new.proposal.reason)
            .bind(&new.proposal.workflow)
            .bind(&new.origin.request_id)
            .bind(&new.origin.trace_id)
            .bind(json(&new.origin.call_chain)?)
            .bind(json(&new.origin.unread_ids)?)
            .bind(new.proposal.release_id.as_ref().map(|id| id.as_str()))
            .bind(new.proposal.team_id.as_ref().map(|id| id.as_str()))
            .bind(&new.proposal.payload_digest)
            .bind(&new.proposal.digest)
            .bind(json(&new.judgement.checks)?)
            .bind(new.judgement.policy_version)
            .bind(search_text)
            .bind(new.origin.created_at.0)
            .bind(new.judgement.expires_at.0)
            .bind(json(&new.lifecycle.stage.reason_codes())?)
            .bind(new.proposal.supersedes.as_ref().map(|id| id.as_str()))
            .bind(i64::from(verdicts.block))
            .bind(i64::from(verdicts.warn))
            .bind(i64::from(verdicts.pass))
            .bind(&new.proposal.request_digest)
            .bind(new.lifecycle.repeats.as_ref().map(|id| id.as_str()))
            .bind(new.origin.pruned_by.as_ref().map(|id| id.as_str()))
            .bind(new.judgement.policy_rule_index)
            .bind(new.judgement.tool_risk.as_str())
            .bind(new.judgement.max_severity.map(|severity| severity.as_str()))
            .bind(list(targets))
            .bind(&new.proposal.envelope)
            .bind(&new.origin.client_request_id)
            .bind(&new.origin.client_trace_id)
            .fetch_all(&mut self.read.tx)
            .await?;
        Ok(rows.last().map_or(Ok(0), |row| row.int("stored"))? == 1)
    }

    /// Moves an action that has not expired to an open state: to Approved, or to the next revision of Pending approval.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: the stored state, revision or digest differs from `action`, or the action has expired.
    pub async fn claim(&mut self, action: &Action, to: State) -> Result<(), StoreError> {
        let now = self.ctx.now();
        self.transition(action, to, None, now).await
    }

    /// Closes an action for good. An execution must be in time; an expired action can still be rejected.
    ///
    /// # Errors
    /// As [`WriteTx::claim`].
    pub async fn close(&mut self, action: &Action, stage: &Stage) -> Result<(), StoreError> {
        let not_expired_at = match stage {
            Stage::Executed(execution) => execution.at,
            _ => Timestamp(0),
        };
        self.transition(action, stage.state(), Some(stage), not_expired_at)
            .await
    }

    async fn transition(
        &mut self,
        action: &Action,
        to: State,
        closed: Option<&Stage>,
        not_expired_at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE actions SET state = $7, revision = revision + 1, reason_codes = $8, outcome = $9, \
             result = $10, closed_at = $11 WHERE tenant = $1 AND id = $2 AND state = $3 AND revision = $4 \
             AND digest = $5 AND expires_at > $6";
        let done = query(SQL)
            .bind(self.tenant())
            .bind(action.id.as_str())
            .bind(action.state().as_str())
            .bind(action.lifecycle.revision)
            .bind(&action.proposal.digest)
            .bind(not_expired_at.0)
            .bind(to.as_str())
            .bind(json(&closed.map_or(&[][..], Stage::reason_codes))?)
            .bind(closed.and_then(Stage::message).map(str::to_owned))
            .bind(closed.and_then(Stage::result).map(json).transpose()?)
            .bind(closed.and_then(Stage::closed_at).map(|at| at.0))
            .execute(&mut self.read.tx)
            .await?;
        if done == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict("the action"))
        }
    }

    /// Marks the actions with one of these records among their targets: a target has changed. `by`: the action that changed it, which is not
    /// marked. The first mark stays.
    pub async fn mark_targets_changed(&mut self, by: Option<&ActionId>, records: &[String]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE actions SET targets_changed_at = $4 WHERE tenant = $1 AND id <> $2 AND targets_changed_at IS NULL AND id IN (SELECT action_id \
             FROM action_targets WHERE tenant = $1 AND record_id IN (SELECT value FROM json_each($3)))";
        let now = self.ctx.now();
        query(SQL)
            .bind(self.tenant())
            .bind(by.map_or("", ActionId::as_str))
            .bind(list(records))
            .bind(now.0)
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }

    /// Links a superseded action to the action that replaces it.
    pub async fn link_superseded(&mut self, old: &ActionId, new: &ActionId) -> Result<(), StoreError> {
        query("UPDATE actions SET superseded_by = $3 WHERE tenant = $1 AND id = $2")
            .bind(self.tenant())
            .bind(old.as_str())
            .bind(new.as_str())
            .execute(&mut self.read.tx)
            .await?;
        Ok(())
    }
}
