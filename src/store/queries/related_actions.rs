//! Summaries of actions that are related to another action.

use crate::domain::{Action, ActionId, State, Timestamp};
use crate::store::db::{Row, query};
use crate::store::{ReadTx, StoreError};

/// A summary of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSummary {
    /// The ID.
    pub id: ActionId,
    /// The effect of the action, in one line.
    pub headline: String,
    /// The stored state.
    pub state: State,
    /// Why the action was rejected or failed; `None` for other states.
    pub outcome: Option<String>,
}

impl From<&Action> for ActionSummary {
    fn from(action: &Action) -> Self {
        Self {
            id: action.id.clone(),
            headline: action.proposal.headline.clone(),
            state: action.state(),
            outcome: action.lifecycle.stage.message().map(str::to_owned),
        }
    }
}

fn summary(row: &Row) -> Result<ActionSummary, StoreError> {
    Ok(ActionSummary {
        id: row.read("id", |t| ActionId::parse(t).ok())?,
        headline: row.text("headline")?,
        state: row.read("state", State::parse)?,
        outcome: row.maybe_text("outcome")?,
    })
}

impl ReadTx {
    /// Open actions that share a target with this action, oldest first: at most 20.
    pub async fn sharing_targets(&mut self, id: &ActionId) -> Result<Vec<ActionSummary>, StoreError> {
        const SQL: &str = "SELECT a.id, a.headline, a.state, a.outcome FROM (SELECT DISTINCT o.action_id FROM action_targets m \
             JOIN action_targets o ON o.tenant = m.tenant AND o.record_id = m.record_id \
             WHERE m.tenant = $1 AND m.action_id = $2 AND o.action_id <> $2 AND o.expires_at > $3 ORDER BY o.action_id LIMIT 20) AS s \
             JOIN actions a ON a.tenant = $1 AND a.id = s.action_id ORDER BY a.id";
        let now = self.ctx.now();
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(id.as_str())
            .bind(now.0)
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter().map(summary).collect()
    }

    /// The last proposals with the same caller, tool and release that a person rejected, with their payloads: at most ten.
    pub async fn declined_of(&mut self, action: &Action) -> Result<Vec<(ActionSummary, String)>, StoreError> {
        const SQL: &str = "SELECT a.id, a.headline, a.state, a.outcome, COALESCE((SELECT e.bytes ->> 'payload' FROM envelopes e \
             WHERE e.tenant = $1 AND e.action_id = a.id), '') AS payload FROM (SELECT id AS recent FROM actions \
             WHERE tenant = $1 AND caller_id = $2 AND id < $3 AND id >= $6 ORDER BY id DESC LIMIT 500) AS r \
             JOIN actions a ON a.tenant = $1 AND a.id = r.recent WHERE a.tool = $4 AND COALESCE(a.release_id, '') = $5 AND a.state = 'rejected' \
             AND EXISTS (SELECT 1 FROM decisions d WHERE d.tenant = a.tenant AND d.action_id = a.id AND d.kind = 'reject') \
             ORDER BY a.id DESC LIMIT 10";
        let rows = query(SQL)
            .bind(self.tenant())
            .bind(action.origin.caller_id.as_str())
            .bind(action.id.as_str())
            .bind(&action.proposal.tool)
            .bind(
                action
                    .proposal
                    .release_id
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
            )
            // Rejections older than 30 days are left out, because they are not relevant to the reviewer.
            .bind(ActionId::first_of(action.origin.created_at.plus(-30 * Timestamp::DAY)).as_str())
            .fetch_all(&mut self.tx)
            .await?;
        rows.iter()
            .map(|row| Ok((summary(row)?, row.text("payload")?)))
            .collect()
    }
}
