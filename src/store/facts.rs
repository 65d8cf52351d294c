//! Facts: the records that a plan or a check needs. One statement reads records of all kinds. A second statement also reads the context of
//! a proposal. The SQL is in `sql/`, one file for each database.

use super::dialect::Sql;
use super::row::{Columns, list};
use super::{ReadCall, ReadTx, StoreError, read_journal, records};
use crate::domain::{ActionId, Address, ClientId, Facts, FactsQuery, PersonId, Record, Timestamp};
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

const FACTS: Sql = Sql {
    sqlite: include_str!("sql/facts.sqlite.sql"),
    postgres: include_str!("sql/facts.postgres.sql"),
};
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
    pub ask: String,
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
    pub repeated: i64,
    /// The last action with the same request that a reviewer rejected.
    pub declined: Option<ActionId>,
    /// The version of the tenant's current policy.
    pub policy: i64,
}

type Row = Map<String, Value>;

impl ReadTx {
    /// The records that the query names. Records that this tenant does not have are left out.
    pub async fn facts(&mut self, query: &FactsQuery) -> Result<Facts, StoreError> {
        let ids = by_prefix(query);
        if ids.is_empty() && query.emails.is_empty() && query.components.is_empty() && query.newest.is_none() {
            return Ok(Facts::default());
        }
        let rows = sqlx::query(self.sql(&FACTS))
            .bind(self.tenant())
            .bind(Value::from(ids).to_string())
            .bind(list(query.emails.iter().map(Address::as_str)))
            .bind(list(&query.components))
            .fetch_all(&mut *self.tx)
            .await?;
        let mut facts = collect(&rows)?.facts;
        self.relate(query, &mut facts).await?;
        Ok(facts)
    }

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
            .bind(proposer.ask.clone())
            .bind(now.0)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut context = collect(&rows)?;
        self.relate(query, &mut context.facts).await?;
        Ok(context)
    }
}

/// The IDs of the query by prefix, as the statement's JSON parameter.
fn by_prefix(query: &FactsQuery) -> Map<String, Value> {
    Record::KINDS
        .iter()
        .map(|kind| (kind.prefix().to_owned(), Value::from(query.ids_of(*kind))))
        .filter(|(_, ids)| ids.as_array().is_some_and(|ids| !ids.is_empty()))
        .collect()
}

fn collect(rows: &[AnyRow]) -> Result<ProposalContext, StoreError> {
    let mut context = ProposalContext::default();
    let (mut sightings, mut references) = (Vec::new(), Vec::new());
    let action_id = |row: &Row| row.read("id", |text| ActionId::parse(text).ok());
    for row in rows {
        let record: Row = row.json("record")?;
        match row.text("kind")?.as_str() {
            "record" => context.facts.insert(records::record(&record)?),
            "sighting" => sightings.push(record),
            "reference" => references.push(record),
            "known" => context.known = Some(action_id(&record)?),
            "proposed" => context.last_proposal = record.time("at")?,
            "same" => {
                context.same = Some(action_id(&record)?);
                context.repeated = record.int("repeated")?;
            }
            "declined" => context.declined = Some(action_id(&record)?),
            "policy" => context.policy = record.int("version")?,
            _ => context.reads.push(read_journal::read_call(&record)?),
        }
    }
    attach_sightings(&mut context.facts, sightings)?;
    attach_references(&mut context.facts, references)?;
    context.reads.sort_by_key(|read| read.at);
    Ok(context)
}

/// Adds sightings to their findings, newest first.
fn attach_sightings(facts: &mut Facts, mut sightings: Vec<Row>) -> Result<(), StoreError> {
    sightings.sort_by_cached_key(|row| std::cmp::Reverse((row.int("seen_at").ok(), row.text("evidence_id").ok())));
    for row in &sightings {
        if let Some(Record::Finding(finding)) = facts.get_mut(&row.text("finding_id")?) {
            records::attach_sighting(finding, row)?;
        }
    }
    Ok(())
}

/// Adds references to their work items.
fn attach_references(facts: &mut Facts, mut references: Vec<Row>) -> Result<(), StoreError> {
    references.sort_by_cached_key(|row| row.text("record_id").ok());
    for row in &references {
        if let Some(Record::WorkItem(item)) = facts.get_mut(&row.text("work_item_id")?) {
            records::attach_reference(item, row.text("record_id")?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
