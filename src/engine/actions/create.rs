//! A plan becomes a stored action, whose envelope is never rebuilt.

use crate::audit::{Event, titles};
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::Planned;
use crate::engine::admin::pauses;
use crate::engine::audit_entries::NamedRecords;
use crate::engine::{Error, audit_entries};
use crate::policy::{Limits, Policies};
use crate::store::{Waiting, WriteTx};
use crate::tools::schema::CallOptions;
use crate::tools::{AnyTool, schema};
use crate::views::summary;
use serde_json::{Value, json};

/// What a client sent, not validated yet.
pub(crate) struct Submission {
    pub tool: &'static dyn AnyTool,
    pub payload: Value,
    /// Canonical JSON of the payload.
    pub text: String,
    pub digest: String,
    /// Hash of what is asked for, see [`Proposal::request_digest`].
    pub request_digest: String,
    pub client: Client,
    pub caller: Person,
}

/// Arguments that say why something is asked for, not what: they are no part of the request digest.
const NOT_IN_REQUEST_DIGEST: [&str; 3] = ["reason", "workflow", "supersedesActionId"];

impl Submission {
    /// A submission of a client for its caller.
    ///
    /// # Errors
    /// The payload is too large, or cannot be written as canonical JSON.
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
            fields.retain(|name, _| !NOT_IN_REQUEST_DIGEST.contains(&name.as_str()));
            fields.insert("tool".to_owned(), json!(tool.name()));
        }
        let asked = schema::canonical_text(&asked).map_err(invalid)?;
        Ok(Self {
            tool,
            digest: canonical::digest(text.as_bytes()),
            request_digest: canonical::digest(asked.as_bytes()),
            payload,
            text,
            client: client.clone(),
            caller: caller.clone(),
        })
    }
}

/// A plan, with what the database said about the proposer.
pub(crate) struct PlannedProposal {
    pub planned: Planned,
    /// The calls of read tools in the trace before it, oldest first.
    pub call_chain: Vec<ChainCall>,
    /// IDs that it cites although no read had returned them.
    pub unread: Vec<String>,
    /// The policies that judged it: twice the current one.
    pub policies: Policies,
    /// The pending action of this caller with the same request digest.
    pub repeats: Option<ActionId>,
}

/// Builds the action of a plan, with its envelope.
fn build_action(ctx: &Ctx, sent: &Submission, call: &CallOptions, proposal: &PlannedProposal) -> Result<Action, Error> {
    let planned = &proposal.planned;
    let (plan, policy, now) = (&planned.plan, &proposal.policies.today, ctx.now());
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
    let summary = summary(&plan.change_set, &planned.scope_label());
    let release = plan.scope.release.as_ref();
    let release_key = release.and_then(|id| Some(planned.facts.release(id)?.key.clone()));
    Ok(Action {
        id,
        approval_id: ctx.runtime.id(),
        proposal: Proposal {
            tool: sent.tool.name().to_owned(),
            tool_version: sent.tool.version(),
            idempotency_key: call.idempotency_key.clone(),
            headline: plan.headline.clone(),
            summary,
            reason: call.reason.clone(),
            workflow: call.workflow.clone(),
            release_id: plan.scope.release.clone(),
            release_key,
            team_id: plan.scope.team.clone(),
            payload_digest: sent.digest.clone(),
            envelope: bytes,
            digest,
            request_digest: sent.request_digest.clone(),
            supersedes: call.supersedes_action_id.clone(),
        },
        origin: Origin {
            client_id: sent.client.id.clone(),
            caller_id: sent.caller.id.clone(),
            pruned_by: None,
            request_id: ctx.request_id.clone(),
            trace_id: ctx.trace_id.clone(),
            client_request_id: ctx.claims.request_id.clone(),
            client_trace_id: ctx.claims.trace_id.clone(),
            call_chain: proposal.call_chain.clone(),
            unread_ids: proposal.unread.clone(),
            created_at: now,
        },
        judgement: Judgement {
            risk: plan.risk,
            tool_risk: planned.tool_risk,
            max_severity: planned.max_severity,
            checks: planned.checks.clone(),
            policy_version: policy.version,
            policy_rule_index: rule as i64,
            expires_at,
            current_policy_version: policy.version,
        },
        lifecycle: Lifecycle {
            stage: Stage::PendingApproval,
            revision: 1,
            repeats: proposal.repeats.clone(),
            repeats_pending: None,
            repeated_by: 0,
            superseded_by: None,
            targets_changed_at: None,
        },
    })
}

/// Folded text of a new action that the inbox searches.
fn search_text(action: &Action, sent: &Submission) -> String {
    [
        action.proposal.headline.as_str(),
        &action.proposal.summary,
        &action.proposal.reason,
        sent.caller.name.as_str(),
        sent.client.name.as_str(),
        action.id.as_str(),
    ]
    .map(text::folded)
    .join(" ")
}

/// The refusal of a proposal when too many other actions are pending.
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

/// A new action with what storing it needs.
pub(crate) struct NewAction {
    pub action: Action,
    /// The records that it changes or is based on.
    pub targets: Vec<String>,
    /// The titles in the payload, for the audit entry.
    titles: Vec<String>,
    /// The records that it names, for the audit entry.
    pub named: NamedRecords,
    search_text: String,
}

impl NewAction {
    /// Builds the action of a planned proposal.
    pub(crate) fn build(
        ctx: &Ctx,
        sent: &Submission,
        call: &CallOptions,
        proposal: &PlannedProposal,
    ) -> Result<Self, Error> {
        let action = build_action(ctx, sent, call, proposal)?;
        Ok(Self {
            targets: proposal.planned.targets.clone(),
            titles: titles(&sent.payload),
            named: proposal.planned.named_records(&sent.text),
            search_text: search_text(&action, sent),
            action,
        })
    }

    /// Stores the action with its audit entry, and supersedes the action that it replaces. Returns `false` if the client has used the
    /// key for another action of this caller. `limits`: how many other actions may be pending; a pruned revision is not bound by them.
    pub(crate) async fn insert(&self, tx: &mut WriteTx, limits: Option<&Limits>) -> Result<bool, Error> {
        let action = &self.action;
        if limits.is_some() {
            pauses::refuse_paused_proposal(tx, &action.proposal.tool, &action.origin.client_id).await?;
        }
        if !tx.insert_action(action, &self.targets, &self.search_text).await? {
            return Ok(false);
        }
        if let Some(old) = &action.proposal.supersedes {
            lifecycle::supersede(tx, old, action).await?;
        }
        // After both: an action that was superseded is not pending any more. The error rolls everything back.
        if let Some(limits) = limits
            && let Some(error) = too_many(tx.waiting_beside(action, limits).await?, limits)
        {
            return Err(error);
        }
        let judgement = &action.judgement;
        let details = json!({
            "digest": action.proposal.digest,
            // The payload itself is in the envelope. Its titles are here for the search.
            "titles": self.titles,
            "checks": judgement.checks,
            "callerId": action.origin.caller_id,
            "proposedAt": action.origin.created_at,
            "risk": judgement.risk,
            "toolRisk": judgement.tool_risk,
            "maxSeverity": judgement.max_severity,
            "expiresAt": judgement.expires_at,
            "policyVersion": judgement.policy_version,
            "repeats": action.lifecycle.repeats,
        });
        let mut entry = audit_entries::about(tx, action, Event::Proposed, State::PendingApproval, details);
        entry.content.note = Some(action.proposal.reason.clone());
        self.named.clone().add_to(&mut entry.content);
        tx.record(entry);
        Ok(true)
    }
}
