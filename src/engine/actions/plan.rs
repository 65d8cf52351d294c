//! Planning on the current records, and checking the plan: the same when an action is proposed, opened, decided and executed.

use crate::checks;
use crate::checks::CheckInput;
use crate::domain::{
    Action, ActionId, Check, CheckContext, CheckContextQuery, Envelope, EvidenceDigest, Facts, FactsQuery, FieldError,
    PageSnapshot, PersonId, Record, Risk, Severity, Snapshot, Timestamp, Verdict, canonical, ids,
};
use crate::engine::Error;
use crate::engine::audit_entries::NamedRecords;
use crate::policy;
use crate::policy::{Policies, Policy, RiskInput};
use crate::store::{ReadTx, StoreError};
use crate::tools::{AnyTool, NewIds, Plan, Scope};
use serde_json::Value;
use std::collections::BTreeMap;

/// A plan, the records it was made from, and what the checks found.
pub(crate) struct Planned {
    pub plan: Plan,
    pub facts: Facts,
    pub checks: Vec<Check>,
    /// The context that the checks compared the plan with.
    pub context: CheckContext,
    /// The records that it changes or is based on.
    pub targets: Vec<String>,
    /// The risk class that the tool gives it.
    pub tool_risk: Risk,
    /// The highest severity among the findings that it closes or accepts.
    pub max_severity: Option<Severity>,
}

impl Planned {
    /// The cited evidence with its current hashes.
    pub(crate) fn evidence_digests(&self) -> Vec<EvidenceDigest> {
        self.plan
            .evidence
            .iter()
            .filter_map(|id| self.facts.evidence(id))
            .map(|evidence| EvidenceDigest {
                id: evidence.id.clone(),
                sha256: evidence.sha256.clone(),
                collected_at: evidence.collected_at,
            })
            .collect()
    }

    /// The plan as the policy's risk rules see it.
    pub(crate) fn risk_input<'a>(&self, tool: &'a str, payload: &'a Value) -> RiskInput<'a> {
        RiskInput {
            tool,
            tool_risk: self.tool_risk,
            max_severity: self.max_severity,
            payload,
        }
    }

    /// What the action's page shows of it, to be stored with views and decisions.
    pub(crate) fn snapshot(&self) -> PageSnapshot {
        let scope = &self.plan.scope;
        let named = self.plan.references.iter().map(|(id, _)| id.as_str());
        let updated: Vec<String> = self.plan.change_set.updated_ids();
        let ids = named
            .chain(updated.iter().map(String::as_str))
            .chain(scope.release.as_ref().map(|id| id.as_str()))
            .chain(scope.certification.as_ref().map(|id| id.as_str()));
        PageSnapshot {
            checks: self.checks.clone(),
            facts: Snapshot::of(&self.facts, ids),
            sections: Vec::new(),
        }
    }

    /// Versions of the records that it changes or is based on, and hashes of evidence, by ID. As long as they are equal, a reviewer would
    /// decide on the same facts.
    pub(crate) fn record_versions(&self) -> BTreeMap<String, String> {
        let ids = self.targets.iter().chain(self.plan.references.iter().map(|(id, _)| id));
        let facts = &self.facts;
        ids.filter_map(|id| {
            let version = match facts.get(id)? {
                Record::Evidence(evidence) => evidence.sha256.clone(),
                record => record.version()?.to_string(),
            };
            Some((id.clone(), version))
        })
        .collect()
    }

    /// The records that the payload names and that the plan changes, for audit entries.
    pub(crate) fn named_records(&self, payload: &str) -> NamedRecords {
        let updated = self.plan.change_set.updates().map(|update| update.id.as_str());
        NamedRecords::in_facts(&self.facts, ids::scan(payload).into_iter().chain(updated))
    }

    /// `R, team T`.
    pub(crate) fn scope_label(&self) -> String {
        self.plan.scope.label(&self.facts)
    }
}

/// A proposal to plan.
pub(crate) struct PlanInput<'a> {
    pub payload: &'a Value,
    /// The person that the client acts for.
    pub caller: &'a PersonId,
    /// IDs that the payload cites although no read had returned them.
    pub unread: &'a [String],
    /// The ID of a stored action.
    pub action: Option<&'a ActionId>,
    /// The action that it supersedes.
    pub supersedes: Option<ActionId>,
    /// The pending action that it only repeats.
    pub repeats: Option<&'a ActionId>,
    /// How the checks know whether the cited evidence is intact.
    pub evidence: EvidenceBytes,
}

/// How the checks know whether the bytes of cited evidence are those that were imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvidenceBytes {
    /// By the stored result of the last time that they were hashed: by the import, the scrub or an execution.
    StoredResult,
    /// By hashing them now.
    HashNow,
}

/// Why a payload could not be planned.
pub(crate) enum PlanError {
    /// The payload does not fit the current records.
    DoesNotFit(Vec<FieldError>),
    /// The store failed.
    Broken(Error),
}

impl From<Error> for PlanError {
    fn from(error: Error) -> Self {
        PlanError::Broken(error)
    }
}

impl From<StoreError> for PlanError {
    fn from(error: StoreError) -> Self {
        PlanError::Broken(error.into())
    }
}

/// Lets the tool plan, and loads the release and team that only the plan names.
async fn run_tool(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    payload: &Value,
    mut facts: Facts,
    mut ids: NewIds<'_>,
) -> Result<(Plan, Facts), PlanError> {
    let plan = tool.plan(payload, &facts, &mut ids).map_err(PlanError::DoesNotFit)?;
    let (release, team) = (plan.scope.release.as_ref(), plan.scope.team.as_ref());
    let release = release.filter(|id| !facts.contains(id.as_str()));
    let team = team.filter(|id| !facts.contains(id.as_str()));
    if release.is_some() || team.is_some() {
        facts.extend(tx.facts(&FactsQuery::default().with(release).with(team)).await?);
    }
    Ok((plan, facts))
}

/// Plans on these facts, and runs the checks on the plan.
pub(crate) async fn plan(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    proposed: &PlanInput<'_>,
    facts: Facts,
    ids: NewIds<'_>,
    policies: &Policies,
) -> Result<Planned, PlanError> {
    let payload = proposed.payload;
    let errors = check_dates(tool, payload, tx.ctx().now());
    if !errors.is_empty() {
        return Err(PlanError::DoesNotFit(errors));
    }
    let (plan, facts) = run_tool(tx, tool, payload, facts, ids).await?;
    let (tool_risk, max_severity) = (plan.risk, policy::max_severity(&plan.change_set, &facts));
    let query = CheckContextQuery {
        before: proposed.action.cloned(),
        supersedes: proposed.supersedes.clone(),
        repeats: proposed.repeats.cloned(),
        hash_evidence: proposed.evidence == EvidenceBytes::HashNow,
        ..checks::context_query(&plan, &facts, proposed.caller)
    };
    let targets = query.targets.iter().cloned().collect();
    let context = tx.check_context(&query).await?;
    let now = tx.ctx().now();
    let by = |policy: &Policy| {
        policy.apply_overrides(checks::run(&CheckInput {
            payload,
            plan: &plan,
            facts: &facts,
            context: &context,
            caller: proposed.caller,
            unread: proposed.unread,
            policy,
            now,
        }))
    };
    let checks = policies.each().map(by).reduce(merge_checks).unwrap_or_default();
    let mut planned = Planned {
        plan,
        facts,
        checks,
        context,
        targets,
        tool_risk,
        max_severity,
    };
    planned.plan.risk = policies.today.risk_class(&planned.risk_input(tool.name(), payload));
    Ok(planned)
}

/// Merges the checks of both policies: of equal ones the worse verdict counts, and a check passes only where both policies pass it.
fn merge_checks(mut checks: Vec<Check>, others: Vec<Check>) -> Vec<Check> {
    let same = |one: &Check, other: &Check| {
        one.code == other.code
            && one.facts == other.facts
            && one.pointers == other.pointers
            && one.unlisted == other.unlisted
            && one.basis == other.basis
    };
    for other in others {
        if let Some(known) = checks.iter_mut().find(|known| same(known, &other)) {
            known.verdict = known.verdict.max(other.verdict);
            continue;
        }
        let of_check = |check: &Check| check.id == other.id;
        if other.verdict == Verdict::Pass && checks.iter().any(of_check) {
            continue;
        }
        let place = checks.iter().rposition(of_check).map_or(checks.len(), |at| at + 1);
        checks.insert(place, other);
    }
    let troubled: Vec<_> = checks
        .iter()
        .filter(|c| c.verdict != Verdict::Pass)
        .map(|c| c.id)
        .collect();
    checks.retain(|check| check.verdict != Verdict::Pass || !troubled.contains(&check.id));
    checks
}

/// The latest date that a payload may name, in microseconds from now: a year, and a day for dates that mean the end of the day.
const MAX_AHEAD: i64 = 366 * Timestamp::DAY;

/// The errors of dates that are past, or too far ahead.
fn check_dates(tool: &dyn AnyTool, payload: &Value, now: Timestamp) -> Vec<FieldError> {
    tool.dates(payload)
        .into_iter()
        .filter_map(|(at, moment)| {
            let why = if moment <= now {
                "is in the past; use a later date"
            } else if moment > now.plus(MAX_AHEAD) {
                "is more than a year ahead; use an earlier date"
            } else {
                return None;
            };
            Some(FieldError::new(at, why))
        })
        .collect()
}

/// Decodes the stored envelope.
///
/// # Errors
/// Its bytes do not give the digest of the action.
pub(crate) fn decode_envelope(action: &Action) -> Result<Envelope, Error> {
    let damaged = |why: String| {
        Error::internal(StoreError::Damaged {
            what: "envelope".into(),
            why,
        })
    };
    if canonical::digest(action.proposal.envelope.as_bytes()) != action.proposal.digest {
        return Err(damaged(format!("its bytes do not give the digest of {}", action.id)));
    }
    serde_json::from_str(&action.proposal.envelope).map_err(|error| damaged(error.to_string()))
}

/// Plans a stored action again on the current records, with the IDs that its change set has.
pub(crate) async fn replan(
    tx: &mut ReadTx,
    tool: &dyn AnyTool,
    action: &Action,
    envelope: &Envelope,
    policies: &Policies,
    evidence: EvidenceBytes,
) -> Result<Planned, PlanError> {
    let query = tool.needs(&envelope.payload).map_err(PlanError::DoesNotFit)?;
    let facts = tx.facts(&query.with([&action.origin.caller_id])).await?;
    let proposed = PlanInput {
        payload: &envelope.payload,
        caller: &action.origin.caller_id,
        unread: &action.origin.unread_ids,
        action: Some(&action.id),
        repeats: action.lifecycle.repeats_pending.as_ref(),
        supersedes: envelope.supersedes_action_id.clone(),
        evidence,
    };
    plan(
        tx,
        tool,
        &proposed,
        facts,
        NewIds::from_change_set(&envelope.change_set),
        policies,
    )
    .await
}

/// The scope of a stored action, as far as it can still be planned. The checks of a closed action are not run again.
pub(crate) async fn scope(tx: &mut ReadTx, tool: &dyn AnyTool, envelope: &Envelope) -> Result<Scope, Error> {
    let Ok(query) = tool.needs(&envelope.payload) else {
        return Ok(Scope::default());
    };
    let facts = tx.facts(&query).await?;
    match run_tool(
        tx,
        tool,
        &envelope.payload,
        facts,
        NewIds::from_change_set(&envelope.change_set),
    )
    .await
    {
        Ok((plan, _)) => Ok(plan.scope),
        Err(PlanError::DoesNotFit(_)) => Ok(Scope::default()),
        Err(PlanError::Broken(error)) => Err(error),
    }
}
