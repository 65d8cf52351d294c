//! Pruning: a reviewer leaves parts out of a pending action. The rest becomes a revision with its own digest, which waits for its own
//! decision.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::create::{NewAction, PlannedProposal, Submission};
use crate::engine::actions::decision::{acting_person, approvals_if_allowed, done, first_same_human, validate_text};
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::{self, EvidenceBytes, PlanError, PlanInput, decode_envelope};
use crate::engine::actions::revalidate::require_same_view;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::Policies;
use crate::store::WriteTx;
use crate::tools::schema::CallOptions;
use crate::tools::{self, AnyTool, NewIds, PlannedItem};
use crate::views::Outcome;
use serde_json::{Value, json};

/// The items of an action that can be left out one by one: reference and title.
pub(crate) fn parts(action: &Action, payload: &Value) -> Vec<(String, PlainText)> {
    let tool = tools::find_version(&action.proposal.tool, action.proposal.tool_version);
    let items = tool.map_or_else(Vec::new, |tool| removable(tool, payload));
    items
        .into_iter()
        .map(|(name, item)| (name, item.title.into()))
        .collect()
}

/// The items of a payload that can be left out, by their references.
fn removable(tool: &dyn AnyTool, payload: &Value) -> Vec<(String, PlannedItem)> {
    let items = tool.items(payload).into_iter().filter(|item| item.can_be_left_out);
    items
        .filter_map(|item| Some((item.client_ref.clone()?, item)))
        .collect()
}

impl Engine {
    /// Makes a revision of a pending action that keeps only the items with these references, and supersedes the action with it. The
    /// caller stays the same. The outcome names the revision. `view`: as for [`Engine::reject`].
    pub async fn prune(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        keep: &[String],
        text: &str,
        view: &str,
    ) -> Result<Outcome, Error> {
        let command = Prune {
            digest: digest.to_owned(),
            keep: keep.to_vec(),
            text: text.to_owned(),
            view: view.to_owned(),
        };
        self.on_action(ctx, id, command).await
    }
}

struct Prune {
    digest: String,
    keep: Vec<String>,
    text: String,
    view: String,
}

impl ActionCommand for Prune {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Prune;
    const SENDER: Sender = Sender::Decider;

    async fn run(self, tx: &mut WriteTx, policies: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        let text = validate_text(&self.text, "why you leave parts out")?;
        let person = acting_person(tx)?;
        if action.state() != State::PendingApproval {
            return Ok(match replay(tx, &action, &person).await? {
                Some(outcome) => Committed::Done(outcome),
                None => Committed::Refused(lifecycle::already_decided(tx, &action).await?),
            });
        }
        if action.proposal.digest != self.digest {
            return Err(Error::DigestMismatch);
        }
        require_same_view(tx, &action, &self.view).await?;
        let envelope = decode_envelope(&action)?;
        let approvals = approvals_if_allowed(tx, policies, &action, &person).await?;
        let Some(tool) = tools::find_version(&action.proposal.tool, action.proposal.tool_version) else {
            return Err(refused("this version of the tool is gone"));
        };
        let payload = pruned_payload(tool, &envelope.payload, &self.keep, &action.id)?;
        let policy = Policies::single(approvals.policies.today.clone());
        let mut revision = plan_revision(tx, tool, &action, payload, policy).await?;
        revision.action.origin.pruned_by = Some(person.id);
        if !revision.insert(tx, None).await? {
            return Err(refused("its revision is there already"));
        }
        let named = revision.named.clone();
        let revision = revision.action;
        let details = json!({ "supersedes": action.id, "kept": self.keep });
        let mut entry = audit_entries::about(tx, &revision, Event::Pruned, revision.state(), details);
        entry.content.note = Some(text);
        named.add_to(&mut entry.content);
        tx.record(entry);
        Ok(Committed::Done(outcome(&revision)))
    }
}

/// Plans the payload that is left, as a proposal of the same caller that supersedes the action.
async fn plan_revision(
    tx: &mut WriteTx,
    tool: &'static dyn AnyTool,
    action: &Action,
    payload: Value,
    policies: Policies,
) -> Result<NewAction, Error> {
    let (proposal, origin) = (&action.proposal, &action.origin);
    let client = tx.clients(&[origin.client_id.as_str()]).await?.pop();
    let caller = tx.people(&[origin.caller_id.as_str()]).await?.pop();
    let (Some(client), Some(caller)) = (client, caller) else {
        return Err(Error::internal("an action without its client or caller"));
    };
    let sent = Submission::new(tool, payload, &client, &caller)?;
    let cited = ids::scan(&sent.text);
    let unread = origin.unread_ids.iter().filter(|id| cited.contains(&id.as_str()));
    let unread: Vec<String> = unread.cloned().collect();
    let query = tool.needs(&sent.payload).map_err(|fields| Error::Invalid { fields })?;
    let facts = tx.facts(&query).await?;
    let input = PlanInput {
        payload: &sent.payload,
        caller: &origin.caller_id,
        unread: &unread,
        action: None,
        supersedes: Some(action.id.clone()),
        repeats: None,
        evidence: EvidenceBytes::StoredResult,
    };
    let runtime = tx.ctx().runtime.clone();
    let planned = match plan::plan(tx, tool, &input, facts, NewIds::Fresh(&runtime), &policies).await {
        Ok(planned) => planned,
        Err(PlanError::DoesNotFit(fields)) => {
            let first = fields.first();
            return Err(refused(
                first.map_or("it does not fit the current records", |field| &field.message),
            ));
        }
        Err(PlanError::Broken(error)) => return Err(error),
    };
    let planned = PlannedProposal {
        planned,
        call_chain: origin.call_chain.clone(),
        unread,
        policies,
        repeats: None,
    };
    let call = CallOptions {
        // A random key: no client can have used it.
        idempotency_key: format!("pruned:{}", runtime.id::<ActionId>()),
        reason: proposal.reason.clone(),
        dry_run: false,
        workflow: proposal.workflow.clone(),
        supersedes_action_id: Some(action.id.clone()),
    };
    let mut revision = NewAction::build(tx.ctx(), &sent, &call, &planned)?;
    // With the trace of the first proposal, one search finds the whole history.
    revision.action.origin.trace_id.clone_from(&origin.trace_id);
    revision
        .action
        .origin
        .client_trace_id
        .clone_from(&origin.client_trace_id);
    Ok(revision)
}

fn refused(why: &str) -> Error {
    Error::Refused {
        code: ReasonCode::StaleTarget,
        message: format!("Nothing was left out: {why}. Reject it, so that the agent can propose better."),
    }
}

fn outcome(revision: &Action) -> Outcome {
    Outcome {
        successor: Some(revision.id.to_string()),
        ..done(
            revision.state(),
            "The parts you kept are a new proposal now, which waits for a decision. The earlier action was rejected.",
        )
    }
}

/// The outcome of the same pruning, which this person sent before with any account.
async fn replay(tx: &mut WriteTx, action: &Action, person: &Person) -> Result<Option<Outcome>, Error> {
    let Some(successor) = &action.lifecycle.superseded_by else {
        return Ok(None);
    };
    let Some(successor) = tx.action(successor).await? else {
        return Ok(None);
    };
    let Some(pruner) = &successor.origin.pruned_by else {
        return Ok(None);
    };
    let mine = first_same_human(tx, std::iter::once(pruner), &person.id).await?;
    Ok(mine.map(|_| outcome(&successor)))
}

/// The payload with only these items of those that can be left out.
///
/// # Errors
/// [`Error::Wording`]: none or all of the items are kept, or the payload has none.
pub(super) fn pruned_payload(
    tool: &dyn AnyTool,
    payload: &Value,
    keep: &[String],
    id: &ActionId,
) -> Result<Value, Error> {
    let there = removable(tool, payload);
    let wording = |message: &str| Error::Wording {
        message: message.to_owned(),
    };
    if there.is_empty() {
        return Err(wording("this action has no parts that could be left out."));
    }
    let kept = there.iter().filter(|(name, _)| keep.contains(name)).count();
    if kept == 0 {
        return Err(wording("keep at least one; if none is wanted, reject the action."));
    }
    if kept == there.len() {
        return Err(wording("untick what is to be left out."));
    }
    let mut payload = payload.clone();
    // From the last item to the first, because removing one moves those behind it.
    for (_, item) in there.iter().rev().filter(|(name, _)| !keep.contains(name)) {
        remove_at(&mut payload, &item.pointer);
    }
    payload["supersedesActionId"] = json!(id);
    Ok(payload)
}
