//! The inbox: light rows, keyset pages, and counts.

use super::row::Columns;
use super::{ReadTx, StoreError};
use crate::domain::*;
use std::collections::BTreeMap;

/// What the inbox is narrowed to. Empty strings: no such condition.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// A state.
    pub state: Option<State>,
    /// Leave out what this person proposed: `mine to decide` under a policy that separates duties.
    pub not_of: String,
    /// A tool.
    pub tool: String,
    /// A team.
    pub team: String,
    /// A release.
    pub release: String,
    /// A word.
    pub text: String,
    /// The page before ended at (time, ID).
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

/// An action as the inbox needs it: nothing of payload or envelope.
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
    pub caller_id: PersonId,
    pub caller_name: String,
    pub client_name: String,
    pub risk: Risk,
    pub checks: Vec<Check>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

/// The columns of a row, and the conditions that every tab has. `$2` is a state, or nothing.
macro_rules! inbox_select {
    ($states:literal) => {
        concat!(
            "SELECT a.id, a.state, a.headline, a.summary, a.tool, a.caller_id, a.risk, a.checks, ",
            "a.created_at, a.expires_at, a.settled_at, r.key AS release_key, t.name AS team_name, ",
            "p.name AS caller_name, c.name AS client_name FROM actions a ",
            // LEFT throughout: every database then begins with the actions, in their order, and stops when the page is full.
            "LEFT JOIN people p ON p.tenant = a.tenant AND p.id = a.caller_id ",
            "LEFT JOIN clients c ON c.tenant = a.tenant AND c.id = a.client_id ",
            "LEFT JOIN releases r ON r.tenant = a.tenant AND r.id = a.release_id ",
            "LEFT JOIN teams t ON t.tenant = a.tenant AND t.id = a.team_id ",
            "WHERE a.tenant = $1 AND ",
            $states,
            " AND ($3 = '' OR a.tool = $3) AND ($4 = '' OR a.team_id = $4) AND ($5 = '' OR a.release_id = $5) ",
            "AND a.words LIKE $6 ESCAPE '\\' AND a.caller_id <> $7 AND (a.created_at, a.id) > ($8, $9) ",
            "ORDER BY a.created_at, a.id LIMIT $11"
        )
    };
}

impl ReadTx {
    /// A page of actions, oldest first. What is overdue is left out of the open states: it is as good as rejected.
    pub async fn inbox(&mut self, filter: &InboxFilter) -> Result<Vec<InboxItem>, StoreError> {
        // One state alone is a range of its index, in order; under any other condition all of them would be sorted.
        const OF_STATE: &str =
            inbox_select!("a.state = $2 AND (a.expires_at > $10 OR $2 NOT IN ('pending_approval', 'approved'))");
        const OF_ALL: &str = inbox_select!("$2 = '' AND $10 > 0");
        let escaped = filter
            .text
            .to_lowercase()
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let (after, after_id) = filter.after.clone().unwrap_or_default();
        let now = self.ctx.now();
        let rows = sqlx::query(if filter.state.is_some() { OF_STATE } else { OF_ALL })
            .bind(self.tenant())
            .bind(filter.state.map_or("", State::as_str).to_owned())
            .bind(filter.tool.clone())
            .bind(filter.team.clone())
            .bind(filter.release.clone())
            .bind(format!("%{escaped}%"))
            .bind(filter.not_of.clone())
            .bind(after)
            .bind(after_id)
            .bind(now.0)
            .bind(filter.limit)
            .fetch_all(&mut *self.tx)
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
                    caller_id: row.read("caller_id", |t| PersonId::parse(t).ok())?,
                    caller_name: row.text("caller_name")?,
                    client_name: row.text("client_name")?,
                    risk: row.read("risk", Risk::parse)?,
                    checks: row.json("checks")?,
                    created_at: row.time("created_at")?,
                    expires_at: row.time("expires_at")?,
                    settled_at: row.maybe_int("settled_at")?.map(Timestamp),
                })
            })
            .collect()
    }

    /// How many actions are in each state, as the database has counted them, and how many pending ones are not this person's own proposals.
    pub async fn counts(&mut self, person: &str) -> Result<(BTreeMap<State, i64>, i64), StoreError> {
        const SQL: &str = "SELECT state, CAST(SUM(count) AS BIGINT) AS count, \
             CAST(SUM(CASE WHEN caller_id <> $2 THEN count ELSE 0 END) AS BIGINT) AS others \
             FROM action_counts WHERE tenant = $1 GROUP BY state";
        let rows = sqlx::query(SQL)
            .bind(self.tenant())
            .bind(person.to_owned())
            .fetch_all(&mut *self.tx)
            .await?;
        let (mut counts, mut mine) = (BTreeMap::new(), 0);
        for row in &rows {
            let state = row.read("state", State::parse)?;
            counts.insert(state, row.int("count")?);
            if state == State::PendingApproval {
                mine = row.int("others")?;
            }
        }
        Ok((counts, mine))
    }

    /// How many decisions were made since.
    pub async fn decided_since(&mut self, since: Timestamp) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM decisions WHERE tenant = $1 AND decided_at > $2")
            .bind(self.tenant())
            .bind(since.0)
            .fetch_one(&mut *self.tx)
            .await?;
        row.int("count")
    }
}
