//! Planning on today's facts, and judging the plan: the same when an action is proposed, opened, decided and executed.

use super::Error;
use crate::checks::{self, Subject};
use crate::domain::{Check, Envelope, EvidenceSeal, Facts, FactsQuery, FieldError, Policy};
use crate::store::{ActionRow, ReadTx};
use crate::tools::{AnyTool, NewIds, Plan};
use serde_json::Value;

/// A plan, what it was made from, and what the checks say of it.
pub(super) struct Planned {
    pub plan: Plan,
    pub facts: Facts,
    pub checks: Vec<Check>,
}

impl Planned {
    /// The evidence as it is now.
    pub(super) fn seals(&self) -> Vec<EvidenceSeal> {
        self.plan
            .evidence
            .iter()
            .filter_map(|id| self.facts.evidence.get(id.as_str()))
            .map(|evidence| EvidenceSeal {
                id: evidence.id.clone(),
                sha256: evidence.sha256.clone(),
                collected_at: evidence.collected_at,
            })
            .collect()
    }

    /// `in release R for team T`.
    pub(super) fn place(&self) -> String {
        self.plan.place.words(&self.facts)
    }
}

/// Plans on the facts of this transaction. The inner error: the payload does not fit these facts.
pub(super) async fn plan(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    payload: &Value,
    ids: NewIds<'_>,
    policy: &Policy,
) -> Result<Result<Planned, Vec<FieldError>>, Error> {
    let query = match tool.needs(payload) {
        Ok(query) => query,
        Err(fields) => return Ok(Err(fields)),
    };
    let facts = tx.facts(&query).await?;
    plan_on(tx, tool, payload, facts, ids, policy).await
}

/// The same on facts that are there already.
pub(super) async fn plan_on(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    payload: &Value,
    mut facts: Facts,
    mut ids: NewIds<'_>,
    policy: &Policy,
) -> Result<Result<Planned, Vec<FieldError>>, Error> {
    let plan = match tool.plan(payload, &facts, &mut ids) {
        Ok(plan) => plan,
        Err(fields) => return Ok(Err(fields)),
    };
    // A payload that names a record alone says by it where it acts: the release and team are known only now.
    let (release, team) = (plan.place.release.as_ref(), plan.place.team.as_ref());
    let release = release.filter(|id| !facts.releases.contains_key(id.as_str()));
    let team = team.filter(|id| !facts.teams.contains_key(id.as_str()));
    if release.is_some() || team.is_some() {
        facts.extend(tx.facts(&FactsQuery::default().with(release).with(team)).await?);
    }
    let now = tx.ctx().now();
    let checks = checks::run(&Subject {
        plan: &plan,
        facts: &facts,
        policy,
        now,
    });
    Ok(Ok(Planned { plan, facts, checks }))
}

/// The stored envelope, if its bytes still give the digest that was approved.
pub(super) fn opened(action: &ActionRow) -> Result<Envelope, Error> {
    let damaged = |why: String| {
        Error::internal(crate::store::StoreError::Damaged {
            what: "envelope".into(),
            why,
        })
    };
    if crate::domain::canonical::digest(action.envelope.as_bytes()) != action.digest {
        return Err(damaged(format!("its bytes do not give the digest of {}", action.id)));
    }
    serde_json::from_str(&action.envelope).map_err(|error| damaged(error.to_string()))
}

/// Plans a stored action again on today's facts, with the IDs it has.
pub(super) async fn again(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    envelope: &Envelope,
    policy: &Policy,
) -> Result<Result<Planned, Vec<FieldError>>, Error> {
    plan(tx, tool, &envelope.payload, NewIds::again(&envelope.change_set), policy).await
}
