//! Sealing: a plan becomes a stored action whose envelope is never rebuilt.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::Planned;
use crate::engine::{Error, audit_entries};
use crate::policy::{Limits, Policies};
use crate::store::{ActionRow, ChainCall, Ending, Waiting, WriteTx};
use crate::tools::AnyTool;
use crate::tools::schema;
use crate::tools::schema::CallOptions;
use serde_json::{Value, json};

/// What was sent, before it is known to be any good.
pub(crate) struct Submission {
    pub tool: &'static dyn AnyTool,
    pub payload: Value,
    /// Canonical JSON of the payload.
    pub text: String,
    pub digest: String,
    /// SHA-256 of what is asked for, whatever the reason given.
    pub ask: String,
    pub client: Client,
    pub caller: Person,
}

/// Fields that say why and in which course of work something is asked for, and not what.
const NOT_ASKED: [&str; 3] = ["reason", "workflow", "supersedesActionId"];

impl Submission {
    /// What a client sends on behalf of its caller.
    ///
    /// # Errors
    /// It is too large, or can't be written as canonical JSON.
    pub(crate) fn new(
        tool: &'static dyn AnyTool,
        payload: Value,
        client: &Client,
        caller: &Person,
    ) -> Result<Self, Error> {
        let invalid = |field| Error::Invalid { fields: vec![field] };
        let text = schema::canonical_text(&payload).map_err(invalid)?;
        let mut asked = payload.clone();
        if let Some(fields) = asked.as_object_mut() {
            fields.retain(|name, _| !NOT_ASKED.contains(&name.as_str()));
            fields.insert("tool".to_owned(), json!(tool.name()));
        }
        let asked = schema::canonical_text(&asked).map_err(invalid)?;
        Ok(Self {
            tool,
            digest: canonical::digest(text.as_bytes()),
            ask: canonical::digest(asked.as_bytes()),
            payload,
            text,
            client: client.clone(),
            caller: caller.clone(),
        })
    }
}

/// A plan with what it rests on.
pub(crate) struct PlannedProposal {
    pub planned: Planned,
    /// The calls of the trace before it, in order.
    pub call_chain: Vec<ChainCall>,
    /// IDs that it cites and that no read had returned.
    pub unread: Vec<String>,
    /// The policies that it was judged by: as a proposal, one and the same.
    pub policies: Policies,
    /// The pending action that it only repeats.
    pub repeats: Option<ActionId>,
}

/// Makes the action of a plan: its envelope is sealed here, once.
pub(crate) fn build_action(
    ctx: &Ctx,
    sent: &Submission,
    call: &CallOptions,
    grounded: &PlannedProposal,
) -> Result<ActionRow, Error> {
    let planned = &grounded.planned;
    let (plan, policy, now) = (&planned.plan, &grounded.policies.today, ctx.now());
    let id: ActionId = ctx.runtime.id();
    let expires_at = now.plus(policy.expiry(plan.risk));
    let envelope = Envelope {
        envelope_version: Envelope::VERSION,
        tenant: ctx.tenant().clone(),
        action_id: id.clone(),
        tool: sent.tool.name().to_owned(),
        tool_version: sent.tool.version(),
        payload: sent.payload.clone(),
        change_set: plan.change_set.clone(),
        evidence: planned.evidence_digests(),
        risk: plan.risk,
        expires_at,
        supersedes_action_id: call.supersedes_action_id.clone(),
    };
    let (bytes, digest) = envelope.seal().map_err(Error::internal)?;
    let (rule, _) = policy.decide_rule(&planned.risk_input(sent.tool.name(), &sent.payload));
    let summary = preview::summary(&plan.change_set, &planned.place());
    let words = [
        plan.headline.as_str(),
        &summary,
        &call.reason,
        sent.caller.name.as_str(),
        sent.client.name.as_str(),
        id.as_str(),
    ]
    .map(|text| text.to_lowercase())
    .join(" ");
    Ok(ActionRow {
        approval_id: ctx.runtime.id(),
        client_id: sent.client.id.clone(),
        caller_id: sent.caller.id.clone(),
        idempotency_key: call.idempotency_key.clone(),
        tool: sent.tool.name().to_owned(),
        tool_version: sent.tool.version(),
        state: State::PendingApproval,
        revision: 1,
        risk: plan.risk,
        headline: plan.headline.clone(),
        summary,
        reason: call.reason.clone(),
        workflow: call.workflow.clone(),
        request_id: ctx.request_id.clone(),
        trace_id: ctx.trace_id.clone(),
        call_chain: grounded.call_chain.clone(),
        unread: grounded.unread.clone(),
        release_key: plan
            .place
            .release
            .as_ref()
            .and_then(|id| Some(planned.facts.releases.get(id.as_str())?.key.clone())),
        release_id: plan.place.release.as_ref().map(|id| id.as_str().to_owned()),
        team_id: plan.place.team.as_ref().map(|id| id.as_str().to_owned()),
        payload: sent.text.clone(),
        payload_digest: sent.digest.clone(),
        envelope: bytes,
        digest,
        checks: planned.checks.clone(),
        policy_version: policy.version,
        words,
        created_at: now,
        expires_at,
        settled_at: None,
        reason_codes: Vec::new(),
        outcome: None,
        result: None,
        supersedes: call.supersedes_action_id.as_ref().map(|id| id.as_str().to_owned()),
        superseded_by: None,
        ask: sent.ask.clone(),
        repeats: grounded.repeats.clone(),
        repeated: 0,
        pruned_by: None,
        rule: rule as i64,
        tool_risk: planned.tool_risk,
        max_severity: planned.max_severity,
        behind: None,
        touched_at: None,
        policy_today: policy.version,
        id,
    })
}

/// Why no more actions may wait, if so many others do.
fn too_many(waiting: Waiting, limits: &Limits) -> Option<Error> {
    let (count, whose, field) = if waiting.of_caller >= limits.pending_per_caller {
        (waiting.of_caller, "the person you act for", "pending_per_caller")
    } else if waiting.of_client >= limits.pending_per_client {
        (waiting.of_client, "this client", "pending_per_client")
    } else {
        return None;
    };
    let wait = if count == 1 {
        "1 action"
    } else {
        &format!("{count} actions")
    };
    Some(Error::Refused {
        code: ReasonCode::TooManyPending,
        message: format!(
            "Nothing was stored: {wait} of {whose} wait for a decision, and the policy allows no more (limits.{field}). Withdraw those that \
             are not needed any more (loopiq_withdraw_action), or wait until people have decided. A dry run still answers."
        ),
    })
}

/// Stores a sealed action with its entry; `false` if the key belongs to another action of this client and caller by now. `limits`: how many others may wait; whoever
/// leaves parts out of an action is not bound by them.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    action: &ActionRow,
    targets: &[String],
    payload: &Value,
    supersedes: Option<&ActionId>,
    limits: Option<&Limits>,
) -> Result<bool, Error> {
    if !tx.insert_action(action, targets).await? {
        return Ok(false);
    }
    if let Some(old) = supersedes {
        supersede(tx, old, action).await?;
    }
    // Behind both: what gave way to it does not wait any more. An error takes everything back.
    if let Some(limits) = limits
        && let Some(error) = too_many(tx.waiting_beside(action, limits).await?, limits)
    {
        return Err(error);
    }
    let details = json!({
        "digest": action.digest,
        "payloadDigest": action.payload_digest,
        "payload": payload,
        "checks": action.checks,
        "callerId": action.caller_id,
        "risk": action.risk,
        "toolRisk": action.tool_risk,
        "maxSeverity": action.max_severity,
        "expiresAt": action.expires_at,
        "policyVersion": action.policy_version,
        "repeats": action.repeats,
    });
    let mut entry = audit_entries::about(tx, action, Event::Proposed, State::PendingApproval, details);
    entry.content.note = Some(action.reason.clone());
    entry.content.records = ids::scan(&action.payload).into_iter().map(str::to_owned).collect();
    tx.record(entry);
    Ok(true)
}

/// Closes the proposer's earlier action in favour of this one. One that is final already stays as it ended.
async fn supersede(tx: &mut WriteTx, old: &ActionId, new: &ActionRow) -> Result<(), Error> {
    let wrong = |message: &str| Error::field("/supersedesActionId", message);
    let known = tx.action(old).await?.filter(|known| known.caller_id == new.caller_id);
    let Some(known) = known else {
        return Err(wrong("there is no such action of yours"));
    };
    if known.state == State::Executed {
        return Err(wrong("that action was executed; it cannot be superseded"));
    }
    // What only repeats a pending one means that one.
    if let Some(first) = &known.behind {
        return Box::pin(supersede(tx, first, new)).await;
    }
    let by_another = |by: &String| known.repeats.as_ref().is_none_or(|first| first.as_str() != by);
    if known.superseded_by.as_ref().is_some_and(by_another) {
        return Err(wrong("that action was superseded already"));
    }
    if known.is_overdue(tx.ctx().now()) {
        lifecycle::expire(tx, &known).await?;
    } else if let Ok(to) = known.state.supersede() {
        let words = format!("Superseded by {}.", new.id);
        tx.settle(&known, Ending::because(to, &[ReasonCode::Superseded], &words))
            .await?;
        let mut entry = audit_entries::about(tx, &known, Event::Superseded, to, json!({ "supersededBy": new.id }));
        entry.content.note = Some(words);
        tx.record(entry);
        lifecycle::end_repeats(tx, &known, &[ReasonCode::Superseded], "was superseded").await?;
    }
    tx.link_superseded(old, &new.id).await?;
    Ok(())
}
