//! Proposing: validate the arguments, plan, check, and store the action with its audit entry in one short write.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::create::{NewAction, PlannedProposal, Submission};
use crate::engine::actions::plan::{self, EvidenceBytes, PlanError, PlanInput, Planned};
use crate::engine::admin::pauses;
use crate::engine::agent::responses::{dry_run, pending};
use crate::engine::{Engine, Error, ToolResponse, audit_entries};
use crate::policy::Policies;
use crate::store::{ProposalContext, Proposer, ReadCall, ReadTx};
use crate::tools::schema::CallOptions;
use crate::tools::{AnyTool, NewIds, schema};
use serde_json::{Value, json};
use std::collections::HashSet;

/// How long a record counts as read, in microseconds; older reads do not cover a citation.
const READ_WINDOW: i64 = Timestamp::DAY;

/// Pending actions that may repeat one action; a further proposal is refused.
const MAX_REPEATS: i64 = 200;

/// A repeated proposal is recorded again after this time at the earliest, in microseconds; see [`is_replay_due`].
const REPLAY_GAP: i64 = Timestamp::MINUTE;

/// What the database knows about a proposal.
enum Lookup {
    /// The key belongs to this action.
    Known(Box<Action>),
    /// The key is new: the arguments, and the plan made from them.
    New(CallOptions, Box<PlannedProposal>),
}

impl Engine {
    /// Proposes an action, or responds with the action that the key belongs to.
    pub(crate) async fn propose(
        &self,
        ctx: &Ctx,
        tool: &'static dyn AnyTool,
        arguments: Value,
    ) -> Result<ToolResponse, Error> {
        self.authorize(ctx, Permission::Propose).await?;
        let Principal::Client { caller, client, .. } = &ctx.principal else {
            return Err(Error::NotAuthorized {
                why: "Actions are proposed through a client.".to_owned(),
            });
        };
        let outcome = match sent(tool, &arguments, client, caller) {
            Ok(sent) => self.propose_sent(ctx, sent, &arguments).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            self.record_refused(ctx, tool, error).await?;
        }
        outcome
    }

    async fn propose_sent(&self, ctx: &Ctx, sent: Submission, arguments: &Value) -> Result<ToolResponse, Error> {
        let dry = arguments.get("dryRun").and_then(Value::as_bool) == Some(true);
        let key = arguments
            .get("idempotencyKey")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        self.flush_reads().await?;
        let fields = schema::problems(self.validator(sent.tool), arguments);
        let fields = self.name_keys(ctx, arguments, fields).await?;
        let call: Result<CallOptions, _> = if fields.is_empty() {
            schema::arguments(arguments)
        } else {
            Err(fields)
        };
        // The key comes first: a known key gives its action even if tools, records or policy have changed since.
        let wanted = (!dry).then(|| key.clone());
        let (call, planned) = match self.look_up(ctx, &sent, wanted, call).await? {
            Lookup::Known(action) => return self.original(ctx, &sent, *action).await,
            Lookup::New(call, planned) => (call, planned),
        };
        if call.dry_run {
            return dry_run(&planned.planned, &sent.digest);
        }
        let new = NewAction::build(ctx, &sent, &call, &planned)?;
        let response = pending(self, &new.action, &planned.planned);
        let limits = planned.policies.today.rules.limits.clone();
        // A proposal that closes another action takes its turn among the tenant's writes; one that only adds rows need not wait.
        let inserted = if new.action.proposal.supersedes.is_some() {
            self.store
                .write(ctx, move |tx| {
                    Box::pin(async move { new.insert(tx, Some(&limits)).await })
                })
                .await?
        } else {
            self.store
                .add(ctx, move |tx| {
                    Box::pin(async move { new.insert(tx, Some(&limits)).await })
                })
                .await?
        };
        if inserted {
            return response;
        }
        // The client used the key for the same caller between the lookup and the write: that action is the original.
        match self.look_up(ctx, &sent, Some(key), Err(Vec::new())).await? {
            Lookup::Known(action) => self.original(ctx, &sent, *action).await,
            Lookup::New(..) => Err(Error::internal("a key that is taken has no action")),
        }
    }

    /// Responds with the action that the key belongs to.
    ///
    /// # Errors
    /// [`Error::IdempotencyConflict`]: that action was another proposal.
    async fn original(&self, ctx: &Ctx, sent: &Submission, action: Action) -> Result<ToolResponse, Error> {
        if action.proposal.tool == sent.tool.name() && action.proposal.payload_digest == sent.digest {
            self.record_replay(ctx, &action).await?;
            return self.repeat_response(ctx, action).await;
        }
        Err(Error::IdempotencyConflict {
            wanted: sent.tool.name(),
            tool: action.proposal.tool,
            at: action.origin.created_at,
            action: action.id,
        })
    }

    /// Records that the client used the key of this action again, unless that was recorded recently.
    async fn record_replay(&self, ctx: &Ctx, action: &Action) -> Result<(), Error> {
        let last = {
            let tx = &mut self.store.read(ctx).await?;
            tx.last_recorded(&action.id, Event::Replayed).await?
        };
        if !is_replay_due(action.origin.created_at, last, ctx.now()) {
            return Ok(());
        }
        let action = action.clone();
        let written = self
            .store
            .add(ctx, move |tx| {
                Box::pin(async move {
                    let details = json!({
                        "firstRequestId": action.origin.request_id,
                        "firstProposedAt": action.origin.created_at,
                    });
                    let state = action.state_at(tx.ctx().now());
                    tx.record(audit_entries::about(tx, &action, Event::Replayed, state, details));
                    Ok::<_, Error>(())
                })
            })
            .await;
        match written {
            // A client repeats a proposal because it has missed the response. The response changes nothing, so it does not depend on a
            // database that takes writes.
            Err(error @ Error::Unavailable { .. }) => {
                tracing::error!(%error, "a repeated proposal could not be recorded");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Looks up the action that the key belongs to, or plans the proposal on the current records: one read transaction.
    async fn look_up(
        &self,
        ctx: &Ctx,
        sent: &Submission,
        key: Option<String>,
        call: Result<CallOptions, Vec<FieldError>>,
    ) -> Result<Lookup, Error> {
        let (tool, payload) = (sent.tool, &sent.payload);
        let trace = ctx.trace_given.then(|| ctx.trace_id.clone());
        let proposer = Proposer {
            client: sent.client.id.clone(),
            caller: sent.caller.id.clone(),
            key: key.unwrap_or_default(),
            since: ctx.now().plus(-READ_WINDOW),
            request_digest: sent.request_digest.clone(),
        };
        let tx = &mut self.store.read(ctx).await?;
        let invalid = |fields| Error::Invalid { fields };
        // Invalid arguments need no records. They are reported after the key was looked up.
        let needs = call.and_then(|call| Ok((call, tool.needs(payload)?)));
        let query = needs.as_ref().map(|(_, query)| query.clone()).unwrap_or_default();
        // The checks name the caller.
        let query = query.with([&proposer.caller]);
        let ProposalContext {
            facts,
            known,
            reads,
            last_proposal,
            same,
            repeated_by,
            declined,
            policy,
            retired,
        } = tx.proposal_context(&query, &proposer).await?;
        if let Some(known) = known
            && let Some(known) = tx.action(&known).await?
        {
            return Ok(Lookup::Known(Box::new(known)));
        }
        pauses::refuse_paused_proposal(tx, tool.name(), &sent.client.id).await?;
        let (call, _) = needs.map_err(invalid)?;
        let retired = retired_in(payload, &retired);
        if !retired.is_empty() {
            return Err(invalid(retired));
        }
        let of_trace = |read: &&ReadCall| trace.as_ref().is_none_or(|trace| *trace == read.trace_id);
        let unread = unread(&sent.text, reads.iter().filter(of_trace));
        // A revision never counts as a repeat.
        let repeats = same.filter(|_| call.supersedes_action_id.is_none());
        if let Some(first) = repeats.as_ref().filter(|_| repeated_by >= MAX_REPEATS) {
            return Err(Error::Refused {
                code: ReasonCode::Check(CheckId::Duplicates),
                message: format!(
                    "Nothing was stored: the same is pending in {first}, and was proposed {repeated_by} more times. Ask what became \
                                 of that one."
                ),
            });
        }
        let policies = Policies::single(self.policies.version(tx, policy).await?);
        let proposed = PlanInput {
            payload,
            caller: &proposer.caller,
            unread: &unread,
            action: None,
            supersedes: call.supersedes_action_id.clone(),
            repeats: repeats.as_ref(),
            evidence: EvidenceBytes::StoredResult,
        };
        let planned = match plan::plan(tx, tool, &proposed, facts, NewIds::Fresh(&self.runtime), &policies).await {
            Ok(planned) => planned,
            Err(PlanError::DoesNotFit(fields)) => return Err(invalid(fields)),
            Err(PlanError::Broken(error)) => return Err(error),
        };
        if let Some(declined) = declined {
            refuse_if_rejected_before(tx, &declined, &planned).await?;
        }
        let from = if trace.is_some() { Timestamp(0) } else { last_proposal };
        let mut call_chain: Vec<ChainCall> = reads
            .iter()
            .filter(of_trace)
            .filter(|read| read.at > from)
            .map(ChainCall::from)
            .collect();
        call_chain.drain(..call_chain.len().saturating_sub(ChainCall::MAX_CALLS));
        let planned = PlannedProposal {
            planned,
            call_chain,
            unread,
            policies,
            repeats,
        };
        Ok(Lookup::New(call, Box::new(planned)))
    }

    /// Records the entry of a refused proposal: what was wrong with it, but not its content.
    async fn record_refused(&self, ctx: &Ctx, tool: &dyn AnyTool, error: &Error) -> Result<(), Error> {
        if matches!(error, Error::Internal { .. } | Error::Unavailable { .. }) {
            return Ok(());
        }
        let mut content = audit_entries::content(ctx);
        content.tool = Some(tool.name().to_owned());
        content.details = match error {
            Error::Invalid { fields } => json!({ "code": error.code(), "fields": fields }),
            _ => json!({ "code": error.code(), "message": error.to_string() }),
        };
        let entry = crate::store::Entry {
            event: Event::Refused,
            action_id: None,
            content,
        };
        self.write_refusal(ctx, entry).await
    }
}

/// Whether a repeated proposal is recorded: the first one, and then one after as much time as had passed between the proposal and the last
/// recorded one. The gaps double, so that a client that repeats a proposal in a loop adds about twenty entries in a year, not one a minute.
fn is_replay_due(proposed: Timestamp, last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.0.saturating_sub(last.0) >= last.0.saturating_sub(proposed.0).max(REPLAY_GAP))
}

fn sent(tool: &'static dyn AnyTool, arguments: &Value, client: &Client, caller: &Person) -> Result<Submission, Error> {
    if !arguments.is_object() {
        return Err(Error::field("", "must be an object"));
    }
    Submission::new(tool, schema::payload_of(arguments), client, caller)
}

/// Refuses a proposal whose content a reviewer rejected, as long as no record that it is based on has changed.
///
/// # Errors
/// [`Error::RejectedBefore`]
async fn refuse_if_rejected_before(tx: &mut ReadTx, declined: &ActionId, planned: &Planned) -> Result<(), Error> {
    let decisions = tx.decisions(declined).await?;
    let Some(rejection) = decisions
        .into_iter()
        .rfind(|decision| decision.kind == DecisionKind::Reject)
    else {
        return Ok(());
    };
    if rejection.record_versions != planned.record_versions() {
        return Ok(());
    }
    let is_named = |check: &&Check| rejection.reason_codes.contains(&ReasonCode::Check(check.id));
    Err(Error::RejectedBefore {
        action: declined.clone(),
        reasons: rejection.verdicts.iter().filter(is_named).cloned().collect(),
        codes: rejection.reason_codes,
        text: rejection.reason,
    })
}

/// The fields of a payload that name a retired release, team or component. Actions that were proposed before can still be decided.
fn retired_in(payload: &Value, retired: &[(String, String)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if retired.is_empty() {
        return errors;
    }
    walk(payload, &mut |pointer, _, value| {
        let named = |text: &str| retired.iter().find(|(id, key)| text == id || text == key);
        if let Some((_, key)) = value.as_str().and_then(named) {
            errors.push(FieldError::new(
                pointer,
                format!("{key} is retired: choose one that is in use"),
            ));
        }
        true
    });
    errors
}

/// IDs that the payload cites although no read had returned them. A client knows teams, people and actions without reading records.
fn unread<'r>(payload: &str, reads: impl Iterator<Item = &'r ReadCall>) -> Vec<String> {
    let read: HashSet<&str> = reads
        .flat_map(|read| read.record_ids.iter().map(String::as_str))
        .collect();
    ids::scan(payload)
        .into_iter()
        .filter(|id| {
            !matches!(
                RecordKind::of(id),
                Some(RecordKind::Team | RecordKind::Person | RecordKind::Action | RecordKind::Approval)
            )
        })
        .filter(|id| !read.contains(id))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_replays_adds_few_entries() {
        let (mut last, mut recorded) = (None, 0);
        for second in 0..365 * 24 * 360 {
            // One replay in ten seconds, for a year.
            let now = Timestamp(second * 10 * Timestamp::SECOND);
            if is_replay_due(Timestamp(0), last, now) {
                (last, recorded) = (Some(now), recorded + 1);
            }
        }
        assert!((15..=25).contains(&recorded), "{recorded}");
    }
}
