//! The context of a proposal: its records, and the earlier actions and reads that determine how the service treats it. Read in one
//! batch with the records (`sql/facts.sql`, `sql/proposal_context.sql`).

use super::facts::{self, FactRows};
use super::read_journal::{self, ReadCall};
use crate::domain::{ActionId, ClientId, Facts, FactsQuery, PersonId, Timestamp};
use crate::store::db::{Batch, PartRow, Row};
use crate::store::{ReadTx, StoreError};

static PROPOSAL_CONTEXT: Batch = Batch::new(&[include_str!("sql/facts.sql"), include_str!("sql/proposal_context.sql")]);

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
    /// Releases, teams and components that the proposal names and that a catalog has retired: ID and key.
    pub retired: Vec<(String, String)>,
}

impl ReadTx {
    /// The records that the query names, and the context of the proposal, in one statement.
    pub async fn proposal_context(
        &mut self,
        query: &FactsQuery,
        proposer: &Proposer,
    ) -> Result<ProposalContext, StoreError> {
        let mut values = facts::parameters(self.tenant(), query);
        values.extend([
            proposer.client.as_str().to_owned().into(),
            proposer.key.clone().into(),
            proposer.caller.as_str().to_owned().into(),
            proposer.since.0.into(),
            proposer.request_digest.clone().into(),
            self.ctx.now().0.into(),
        ]);
        let is_needed = |part: &str| match part {
            "known" => !proposer.key.is_empty(),
            "retired_release" => facts::is_needed("rel", query),
            "retired_team" => facts::is_needed("team", query),
            "retired_component" => facts::is_needed("component_of_key", query),
            part => facts::is_needed(part, query),
        };
        let rows = PROPOSAL_CONTEXT.fetch(&mut self.tx, values, is_needed).await?;
        let mut context = collect(rows)?;
        self.relate(query, &mut context.facts).await?;
        Ok(context)
    }
}

fn collect(rows: Vec<PartRow>) -> Result<ProposalContext, StoreError> {
    let (mut context, mut found) = (ProposalContext::default(), FactRows::default());
    let action_id = |row: &Row| row.read("id", |text| ActionId::parse(text).ok());
    for row in rows {
        let Some(PartRow { part, row }) = found.add(row)? else {
            continue;
        };
        match part {
            "known" => context.known = Some(action_id(&row)?),
            "proposed" => context.last_proposal = row.time("at")?,
            "same" => {
                context.same = Some(action_id(&row)?);
                context.repeated_by = row.int("repeated_by")?;
            }
            "declined" => context.declined = Some(action_id(&row)?),
            "policy" => context.policy = row.int("version")?,
            "retired_release" | "retired_team" | "retired_component" => {
                context.retired.push((row.text("id")?, row.text("key")?));
            }
            _ => context.reads.push(read_journal::read_call(&row)?),
        }
    }
    context.facts = found.finish()?;
    context.reads.sort_by_key(|read| read.at);
    Ok(context)
}
