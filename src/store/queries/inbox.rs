//! The inbox: small rows, keyset pages, and counts.

use super::people;
use crate::domain::*;
use crate::store::db::{Batch, PartRow, query};
use crate::store::row::list;
use crate::store::{ReadTx, StoreError};
use std::collections::BTreeMap;

/// The filter of an inbox page. An empty string sets no condition.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// The state of the actions.
    pub state: Option<State>,
    /// Leaves out the actions that a client proposed for this person.
    pub not_of: String,
    /// Leaves out the actions that this person has approved, because a person approves an action once.
    pub not_by: String,
    /// Lists only actions with one of these policy rules, as `version:rule`.
    pub rules: Option<Vec<String>>,
    /// The name of the tool.
    pub tool: String,
    /// The ID of the team.
    pub team: String,
    /// The ID of the release.
    pub release: String,
    /// The worst verdict: `block`, `warn` or `pass`.
    pub verdict: String,
    /// A text that the action's search text must contain.
    pub text: String,
    /// The version of the tenant's current policy.
    pub policy: i64,
    /// The ID of the last action of the previous page; empty for the first page.
    pub after: String,
    /// The most rows of the page.
    pub limit: i64,
}

/// An action in the inbox, without payload and envelope.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct InboxItem {
    pub id: String,
    pub state: State,
    pub headline: String,
    pub summary: String,
    pub tool: String,
    pub release_key: Option<String>,
    pub team_name: Option<String>,
    /// The human for whom the client proposed the action.
    pub caller: Human,
    pub caller_name: String,
    pub client_name: String,
    pub risk: Risk,
    pub verdicts: VerdictCounts,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// The human who removed work items from the action.
    pub pruner: Option<Human>,
    pub tool_risk: Risk,
    pub max_severity: Option<Severity>,
    pub targets_changed: bool,
    /// The number of pending actions that repeat this action.
    pub repeated_by: i64,
    pub policy_version: i64,
    pub policy_rule_index: i64,
    /// The payload of a pending action, if the tenant's policy has changed since the proposal.
    pub payload: Option<String>,
}

/// The columns of a row, and the conditions of every tab. `$2` is a state, or empty; `$index` is the condition on the state.
macro_rules! inbox_select {
    ($index:literal) => {
        concat!(
            "SELECT a.id, a.state, a.headline, a.summary, a.tool, COALESCE(p.same_as, p.id) AS caller, a.risk, a.blocks, a.warnings, a.passes, ",
            "a.created_at, a.expires_at, a.closed_at, (SELECT COALESCE(u.same_as, u.id) FROM people u WHERE u.tenant = $1 AND u.id = a.pruned_by) AS pruner, a.tool_risk, a.max_severity, a.targets_changed_at, a.policy_version, a.policy_rule_index, ",
            "CASE WHEN a.policy_version <> $12 AND a.state = 'pending_approval' THEN (SELECT e.bytes ->> 'payload' FROM envelopes e WHERE e.tenant = $1 AND e.action_id = a.id) END AS payload, ",
            "(SELECT COUNT(*) FROM actions x WHERE x.tenant = $1 AND x.repeats_action_id = a.id AND x.state = 'pending_approval') AS repeated_by, r.key AS release_key, t.name AS team_name, ",
            "p.name AS caller_name, c.name AS client_name FROM actions a ",
            // With LEFT JOIN, both databases read the actions first, in their order, and stop when the page is full.
            "LEFT JOIN people p ON p.tenant = a.tenant AND p.id = a.caller_id ",
            "LEFT JOIN clients c ON c.tenant = a.tenant AND c.id = a.client_id ",
            "LEFT JOIN releases r ON r.tenant = a.tenant AND r.id = a.release_id ",
            "LEFT JOIN teams t ON t.tenant = a.tenant AND t.id = a.team_id ",
            // The conditions of the index come first. The filters are one CASE, which PostgreSQL expects to be true half of the time: from the
            // single conditions it would conclude that hardly any row is left, read all actions of the tenant, and sort them.
            "WHERE a.tenant = $1 AND a.id > $8 AND ",
            $index,
            " AND CASE WHEN (a.repeats_action_id IS NULL OR a.state <> 'pending_approval' OR NOT EXISTS (SELECT 1 FROM actions h ",
            "WHERE h.tenant = $1 AND h.id = a.repeats_action_id AND h.state = 'pending_approval')) ",
            "AND ($2 = '' OR a.expires_at > $9 OR $2 NOT IN ('pending_approval', 'approved')) ",
            "AND ($3 = '' OR a.tool = $3) AND ($4 = '' OR a.team_id = $4) AND ($5 = '' OR a.release_id = $5) ",
            "AND ($6 = '' OR instr(a.search_text, $6) > 0) AND ($7 = '' OR NOT EXISTS (SELECT 1 FROM decisions d ",
            "WHERE d.tenant = $1 AND d.action_id = a.id AND d.person_id = $7 AND d.kind = 'approve')) ",
            "AND ($13 = '' OR a.policy_version || ':' || a.policy_rule_index IN (SELECT value FROM json_each($13))) AND a.caller_id <> $14 ",
            "AND CASE $11 WHEN 'block' THEN a.blocks > 0 WHEN 'warn' THEN a.blocks = 0 AND a.warnings > 0 ",
            "WHEN 'pass' THEN a.blocks = 0 AND a.warnings = 0 ELSE 1 = 1 END THEN 1 = 1 ELSE 1 = 0 END ",
            "ORDER BY a.id LIMIT 0 + $10"
        )
    };
}

impl ReadTx {
    /// A page of actions, oldest first. The open states leave out expired actions, because a task will reject them.
    pub async fn inbox(&mut self, filter: &InboxFilter) -> Result<Vec<InboxItem>, StoreError> {
        // A condition on one state reads an ordered range of the index. With any other condition, the database would sort all actions.
        const OF_STATE: &str = inbox_select!("a.state = $2");
        const OF_ALL: &str = inbox_select!("$2 = ''");
        let now = self.ctx.now();
        let rows = query(if filter.state.is_some() { OF_STATE } else { OF_ALL })
            .bind(self.tenant())
            .bind(filter.state.map_or("", State::as_str))
            .bind(&filter.tool)
            .bind(&filter.team)
            .bind(&filter.release)
            .bind(text::folded(&filter.text))
            .bind(&filter.not_by)
            .bind(&filter.after)
            .bind(now.0)
            .bind(filter.limit)
            .bind(&filter.verdict)
            .bind(filter.policy)
            .bind(filter.rules.as_ref().map_or_else(String::new, list))
            .bind(&filter.not_of)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(InboxItem {
                    id: row.text("id")?,
                    state: row.read("state", State::parse)?,
                    headline: row.text("headline")?,
                    summary: row.text("summary")?,
                    tool: row.text("tool")?,
                    release_key: row.maybe_text("release_key")?,
                    team_name: row.maybe_text("team_name")?,
                    caller: people::human(row, "caller")?,
                    caller_name: row.text("caller_name")?,
                    client_name: row.text("client_name")?,
                    risk: row.read("risk", Risk::parse)?,
                    verdicts: VerdictCounts {
                        pass: row.count("passes")?,
                        warn: row.count("warnings")?,
                        block: row.count("blocks")?,
                    },
                    created_at: row.time("created_at")?,
                    expires_at: row.time("expires_at")?,
                    closed_at: row.maybe_int("closed_at")?.map(Timestamp),
                    pruner: match row.maybe_text("pruner")? {
                        None => None,
                        Some(_) => Some(people::human(row, "pruner")?),
                    },
                    tool_risk: row.read("tool_risk", Risk::parse)?,
                    max_severity: row.maybe("max_severity", Severity::parse)?,
                    targets_changed: row.maybe_int("targets_changed_at")?.is_some(),
                    repeated_by: row.int("repeated_by")?,
                    policy_version: row.int("policy_version")?,
                    policy_rule_index: row.int("policy_rule_index")?,
                    payload: row.maybe_text("payload")?,
                })
            })
            .collect()
    }

    /// The number of pending actions that match the filter, counted up to 1,000. The page of the filter has no effect.
    pub async fn count_pending(&mut self, filter: &InboxFilter) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM actions a WHERE a.tenant = $1 AND a.state = 'pending_approval' \
             AND a.expires_at > $2 AND a.repeats_action_id IS NULL AND a.caller_id <> $3 \
             AND a.policy_version || ':' || a.policy_rule_index IN (SELECT value FROM json_each($4)) \
             AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.tenant = $1 AND d.action_id = a.id AND d.person_id = $5 \
             AND d.kind = 'approve') LIMIT 1000) AS few";
        let now = self.ctx.now();
        let row = query(SQL)
            .bind(self.tenant())
            .bind(now.0)
            .bind(&filter.not_of)
            .bind(filter.rules.as_ref().map_or_else(|| "[]".to_owned(), list))
            .bind(&filter.not_by)
            .fetch_one(&mut self.tx)
            .await?;
        row.int("n")
    }

    /// The approvals of these actions, as (action, person).
    pub async fn approvals_of(&mut self, actions: &[&str]) -> Result<Vec<(String, PersonId)>, StoreError> {
        const SQL: &str = "SELECT action_id, person_id FROM decisions WHERE tenant = $1 AND kind = 'approve' \
             AND action_id IN (SELECT value FROM json_each($2)) ORDER BY decided_at, id";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(list(actions))
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.text("action_id")?,
                    row.read("person_id", |t| PersonId::parse(t).ok())?,
                ))
            })
            .collect()
    }

    /// Loads the [`InboxFrame`]. `mine` leaves out the proposals of `person`; `decided` counts the decisions after `since`.
    pub async fn inbox_frame(&mut self, person: &str, since: Timestamp) -> Result<InboxFrame, StoreError> {
        let values = vec![self.tenant().into(), person.into(), since.0.into()];
        let mut frame = InboxFrame::default();
        for PartRow { part, row } in FRAME.fetch(&mut self.tx, values, |_| true).await? {
            match part {
                "team" => frame.teams.push((row.text("id")?, row.text("name")?)),
                "release" => frame.releases.push((row.text("id")?, row.text("key")?)),
                "decided" => frame.decided = row.int("count")?,
                _ => {
                    let state = row.read("state", State::parse)?;
                    frame.counts.insert(state, row.int("count")?);
                    if state == State::PendingApproval {
                        frame.mine = row.int("others")?;
                    }
                }
            }
        }
        frame.teams.sort_by(|one, two| one.1.cmp(&two.1));
        frame.releases.sort_by(|one, two| one.1.cmp(&two.1));
        Ok(frame)
    }
}

/// The data around the rows of the inbox: counts and the choices of its filters.
#[derive(Debug, Clone, Default)]
pub struct InboxFrame {
    /// The number of actions in each state, from the counts that triggers update.
    pub counts: BTreeMap<State, i64>,
    /// The number of pending actions that are not the person's own proposals.
    pub mine: i64,
    /// Teams for the filter, as ID and name, at most 500.
    pub teams: Vec<(String, String)>,
    /// Releases for the filter, as ID and key, at most 200.
    pub releases: Vec<(String, String)>,
    /// The number of decisions after `since`.
    pub decided: i64,
}

static FRAME: Batch = Batch::new(&[include_str!("sql/inbox_frame.sql")]);
