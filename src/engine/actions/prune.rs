//! Pruning: a reviewer leaves parts out. What is left is a revision of its own, with a digest of its own, for a decision of its own.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::create::{PlannedProposal, Submission, build_action, insert};
use crate::engine::actions::decision::{decider, done, validate_text};
use crate::engine::actions::lifecycle::{Committed, already_decided_error, load_in_time, parse};
use crate::engine::actions::plan;
use crate::engine::actions::plan::{PlanInput, decode_envelope};
use crate::engine::actions::revalidate::require_same_view;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::Policies;
use crate::store::{ActionRow, WriteTx};
use crate::tools;
use crate::tools::NewIds;
use crate::tools::schema::CallOptions;
use crate::views::Outcome;
use serde_json::{Value, json};

/// The parts of a payload that can be left out one by one: reference and title.
pub(crate) fn children(payload: &Value) -> Vec<(String, PlainText)> {
    let children = payload.get("children").and_then(Value::as_array).into_iter().flatten();
    children
        .filter_map(|child| {
            let field = |name: &str| child.get(name)?.as_str().map(str::to_owned);
            Some((field("clientRef")?, field("title").unwrap_or_default().into()))
        })
        .collect()
}

impl Engine {
    /// Makes a revision of a pending action that keeps only these children, by their references, and closes the old one in its favour.
    /// The caller stays who it was. The outcome names the revision. `view`: as for [`Engine::reject`].
    pub async fn prune(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        keep: &[String],
        text: &str,
        view: &str,
    ) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Prune).await?;
        let (id, text) = (parse(id)?, validate_text(text, "why you leave parts out")?);
        let (action, digest, keep, book) = (id.clone(), digest.to_owned(), keep.to_vec(), self.book.clone());
        let view = view.to_owned();
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { prune(tx, &book, &action, &digest, &keep, text, &view).await })
            })
            .await;
        self.finish(ctx, Permission::Prune, &id, outcome).await
    }
}

async fn prune(
    tx: &mut WriteTx,
    book: &PolicyCache,
    id: &ActionId,
    digest: &str,
    keep: &[String],
    text: String,
    view: &str,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    if action.state != State::PendingApproval {
        return Ok(match made_before(tx, &action, &person).await? {
            Some(outcome) => Ok(outcome),
            None => Err(already_decided_error(tx, &action).await?),
        });
    }
    if action.digest != digest {
        return Err(Error::DigestMismatch);
    }
    require_same_view(tx, &action, view).await?;
    let envelope = decode_envelope(&action)?;
    let approvals = Approvals::of(tx, book, &action, &[], Some(&person.id)).await?;
    if let Some(why) = approvals.refuses_me(&approvals.case(&action, &envelope)) {
        return Err(Error::NotAuthorized { why });
    }
    let payload = left(&envelope.payload, keep, id)?;
    let Some(tool) = tools::find(&action.tool).filter(|tool| tool.version() == action.tool_version) else {
        return Err(refused("this version of the tool is gone"));
    };
    let client = tx.clients(&[action.client_id.as_str()]).await?.pop();
    let caller = tx.people(&[action.caller_id.as_str()]).await?.pop();
    let (Some(client), Some(caller)) = (client, caller) else {
        return Err(Error::internal("an action without its client or caller"));
    };
    let sent = Submission::new(tool, payload, &client, &caller)?;
    let cited = ids::scan(&sent.text);
    let unread: Vec<String> = action
        .unread
        .iter()
        .filter(|id| cited.contains(&id.as_str()))
        .cloned()
        .collect();
    let query = tool.needs(&sent.payload).map_err(|fields| Error::Invalid { fields })?;
    let facts = tx.facts(&query).await?;
    let policies = Policies::single(approvals.policies.today.clone());
    let proposed = PlanInput {
        payload: &sent.payload,
        caller: &action.caller_id,
        unread: &unread,
        action: None,
        supersedes: Some(action.id.clone()),
        repeats: None,
    };
    let runtime = tx.ctx().runtime.clone();
    let planned = plan::plan(tx, tool, &proposed, facts, NewIds::Fresh(&runtime), &policies)
        .await?
        .map_err(|fields| {
            refused(
                fields
                    .first()
                    .map_or("it does not fit today's records", |f| f.message.as_str()),
            )
        })?;
    let targets = planned.targets.clone();
    let grounded = PlannedProposal {
        planned,
        call_chain: action.call_chain.clone(),
        unread,
        policies,
        repeats: None,
    };
    let call = CallOptions {
        // Nobody can have taken it before.
        idempotency_key: format!("pruned:{}", tx.ctx().runtime.id::<ActionId>()),
        reason: action.reason.clone(),
        dry_run: false,
        workflow: action.workflow.clone(),
        supersedes_action_id: Some(action.id.clone()),
    };
    let mut revision = build_action(tx.ctx(), &sent, &call, &grounded)?;
    // One search finds the whole life of what was asked for.
    revision.trace_id.clone_from(&action.trace_id);
    revision.pruned_by = Some(person.id.clone());
    if !insert(tx, &revision, &targets, &sent.payload, Some(&action.id), None).await? {
        return Err(refused("its revision is there already"));
    }
    let mut entry = audit_entries::about(
        tx,
        &revision,
        crate::audit::Event::Pruned,
        revision.state,
        json!({ "supersedes": action.id, "kept": keep }),
    );
    entry.content.note = Some(text);
    tx.record(entry);
    Ok(Ok(made(&revision)))
}

fn refused(why: &str) -> Error {
    Error::Refused {
        code: ReasonCode::StaleTarget,
        message: format!("Nothing was left out: {why}. Reject it, so that the agent can propose better."),
    }
}

fn made(revision: &ActionRow) -> Outcome {
    Outcome {
        successor: Some(revision.id.to_string()),
        ..done(
            revision.state,
            "What is left is a proposal of its own now, with its own digest. It waits for a decision.",
        )
    }
}

/// The same pruning sent twice answers as the first did.
async fn made_before(tx: &mut WriteTx, action: &ActionRow, person: &Person) -> Result<Option<Outcome>, Error> {
    let next = action.superseded_by.as_deref().and_then(|id| ActionId::parse(id).ok());
    let Some(next) = next else { return Ok(None) };
    let Some(next) = tx.action(&next).await? else {
        return Ok(None);
    };
    let Some(pruner) = &next.pruned_by else { return Ok(None) };
    let deciders = tx.deciders_by_id(&[pruner.as_str(), person.id.as_str()]).await?;
    let human = |id: &PersonId| deciders.iter().find(|one| one.person.id == *id).map(|one| &one.human);
    let same = human(pruner).is_some_and(|who| Some(who) == human(&person.id));
    Ok(same.then(|| made(&next)))
}

/// The payload with only these children.
fn left(payload: &Value, keep: &[String], id: &ActionId) -> Result<Value, Error> {
    let there = children(payload);
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
    if let Some(children) = payload.get_mut("children").and_then(Value::as_array_mut) {
        let named = |child: &Value| child.get("clientRef").and_then(Value::as_str).map(str::to_owned);
        children.retain(|child| named(child).is_some_and(|name| keep.contains(&name)));
    }
    payload["supersedesActionId"] = json!(id);
    Ok(payload)
}
