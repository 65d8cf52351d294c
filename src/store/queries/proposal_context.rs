//! The context of a proposal: its records, and the earlier actions and reads that determine how the service treats it. One statement, which
//! continues the statement of `facts.rs`. The SQL is in `sql/`, one file for each database.

use super::facts::{FactRows, Row, by_prefix};
use super::read_journal::{self, ReadCall};
use crate::domain::{ActionId, Address, ClientId, Facts, FactsQuery, PersonId, Timestamp};
use crate::store::dialect::Sql;
use crate::store::row::{Columns, list};
use crate::store::{ReadTx, StoreError};
use serde_json::Value;
use sqlx::any::AnyRow;

const PROPOSAL_CONTEXT: Sql = Sql {
    sqlite: concat!(
        include_str!("sql/facts.sqlite.sql"),
        include_str!("sql/proposal_context.sqlite.sql")
    ),
    postgres: concat!(
        include_str!("sql/facts.postgres.sql"),
        include_str!("sql/proposal_context.postgres.sql")
    ),
};

/// The client and person of a proposal, and the keys for the look-up of its context.
#[derive(Debug, Clone)]
pub struct Proposer {
    /// The client that proposes.
    pub client: ClientId,
    /// The person that the client acts for.
    pub caller: PersonId,
    /// The idempotency key; empty if the client sent none.
    pub key: String,
    /// Reads before this time are left out.
    pub since: Timestamp,
    /// SHA-256 of the request; two proposals with the same value ask for the same changes.
    pub request_digest: String,
}

/// The records that a proposal needs, and the earlier actions and reads that determine how the service treats the proposal.
#[derive(Debug, Clone, Default)]
pub struct ProposalContext {
    /// The records that the proposal needs.
    pub facts: Facts,
    /// The action that already has the idempotency key.
    pub known: Option<ActionId>,
    /// The last 500 read calls, oldest first.
    pub reads: Vec<ReadCall>,
    /// When this client last proposed an action for this caller.
    pub last_proposal: Timestamp,
    /// The caller's pending action with the same request.
    pub same: Option<ActionId>,
    /// The number of pending actions that repeat `same`.
    pub repeated_by: i64,
    /// The last action with the same request that a reviewer rejected.
    pub declined: Option<ActionId>,
    /// The version of the tenant's current policy.
    pub policy: i64,
}

impl ReadTx {
    /// The records that the query names, and the context of the proposal, in one statement.
    pub async fn proposal_context(
        &mut self,
        query: &FactsQuery,
        proposer: &Proposer,
    ) -> Result<ProposalContext, StoreError> {
        let now = self.ctx.now();
        let rows = sqlx::query(self.sql(&PROPOSAL_CONTEXT))
            .bind(self.tenant())
            .bind(Value::from(by_prefix(query)).to_string())
            .bind(list(query.emails.iter().map(Address::as_str)))
            .bind(list(&query.components))
            .bind(proposer.client.as_str().to_owned())
            .bind(proposer.key.clone())
            .bind(proposer.caller.as_str().to_owned())
            .bind(proposer.since.0)
            .bind(proposer.request_digest.clone())
            .bind(now.0)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut context = collect(&rows)?;
        self.relate(query, &mut context.facts).await?;
        Ok(context)
    }
}

fn collect(rows: &[AnyRow]) -> Result<ProposalContext, StoreError> {
    let (mut context, mut found) = (ProposalContext::default(), FactRows::default());
    let action_id = |row: &Row| row.read("id", |text| ActionId::parse(text).ok());
    for row in rows {
        let kind = row.text("kind")?;
        let Some(record) = found.add(&kind, row.json("record")?)? else {
            continue;
        };
        match kind.as_str() {
            "known" => context.known = Some(action_id(&record)?),
            "proposed" => context.last_proposal = record.time("at")?,
            "same" => {
                context.same = Some(action_id(&record)?);
                context.repeated_by = record.int("repeated_by")?;
            }
            "declined" => context.declined = Some(action_id(&record)?),
            "policy" => context.policy = record.int("version")?,
            _ => context.reads.push(read_journal::read_call(&record)?),
        }
    }
    context.facts = found.finish()?;
    context.reads.sort_by_key(|read| read.at);
    Ok(context)
}

#[cfg(test)]
mod tests {
    use super::super::facts::FACTS;
    use super::*;

    /// Replaces the PostgreSQL forms in a statement by those of SQLite.
    fn normal(sql: &str) -> String {
        sql.replace("json_build_object(", "json_object(")
            .replace(
                "= ANY (ARRAY(SELECT value FROM json_each(",
                "IN (SELECT value FROM json_each(",
            )
            .replace(")))\n", "))\n")
    }

    #[test]
    fn the_files_of_both_databases_ask_the_same() {
        for sql in [FACTS, PROPOSAL_CONTEXT] {
            assert_eq!(normal(sql.postgres), normal(sql.sqlite));
        }
    }
}
