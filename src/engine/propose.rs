//! Proposing: validate, plan, check, freeze the envelope, and store action and audit entry in one short write.

use super::answer::{dry_run, pending};
use super::planning::{self, Planned, Proposed};
use super::{Answer, Engine, Error, entries, standing};
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::store::{ActionRow, ChainCall, Ending, Ground, Proposer, ReadCall, WriteTx};
use crate::tools::schema::{self, Call};
use crate::tools::{AnyTool, NewIds};
use serde_json::{Value, json};
use std::collections::HashSet;

/// How far back a citation counts as read.
const READ_WINDOW: i64 = Timestamp::DAY;

/// What was sent, before it is known to be any good.
struct Sent {
    tool: &'static dyn AnyTool,
    arguments: Value,
    payload: Value,
    /// Canonical JSON of the payload.
    text: String,
    digest: String,
    client: Client,
    caller: Person,
}

/// A plan with what it rests on.
struct Grounded {
    planned: Planned,
    /// The calls of the trace before it, in order.
    call_chain: Vec<ChainCall>,
    /// IDs that it cites and that no read had returned.
    unread: Vec<String>,
}

/// What a look at the database gives for a proposal.
enum Looked {
    /// The key belongs to this action.
    Known(Box<ActionRow>),
    /// The key is new, and so is what was planned.
    New(Call, Box<Grounded>),
}

impl Engine {
    /// Proposes an action, or answers with the one that the key already belongs to.
    pub(super) async fn propose(
        &self,
        ctx: &Ctx,
        tool: &'static dyn AnyTool,
        arguments: Value,
    ) -> Result<Answer, Error> {
        self.authorize(ctx, Command::Propose).await?;
        let Principal::Client { caller, client, .. } = &ctx.principal else {
            return Err(Error::NotAuthorized {
                why: "Actions are proposed through a client.".to_owned(),
            });
        };
        let outcome = match sent(tool, arguments, client, caller) {
            Ok(sent) => self.propose_sent(ctx, sent).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            self.refused(ctx, tool, error).await?;
        }
        outcome
    }

    async fn propose_sent(&self, ctx: &Ctx, sent: Sent) -> Result<Answer, Error> {
        let dry = sent.arguments.get("dryRun").and_then(Value::as_bool) == Some(true);
        let key = sent
            .arguments
            .get("idempotencyKey")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        self.flush_reads().await?;
        let fields = schema::problems(self.validator(sent.tool), &sent.arguments);
        let call: Result<Call, _> = if fields.is_empty() {
            schema::arguments(&sent.arguments)
        } else {
            Err(fields)
        };
        // Before anything is judged: a known key gives its action whatever has become of tools, facts and policy.
        let wanted = (!dry).then(|| key.clone());
        let (call, planned) = match self.look(ctx, &sent, wanted, call).await? {
            Looked::Known(action) => return self.original(ctx, &sent, *action).await,
            Looked::New(call, planned) => (call, planned),
        };
        if call.dry_run {
            return dry_run(&planned.planned, &sent.digest);
        }
        let action = self.freeze(ctx, &sent, &call, &planned)?;
        let answer = pending(self, &action, &planned.planned);
        let (payload, supersedes) = (sent.payload.clone(), call.supersedes_action_id);
        let targets = planned.planned.targets;
        // One that closes another waits for its turn, as every decision does; one that only adds waits for nobody.
        let inserted = if supersedes.is_some() {
            self.store
                .write(ctx, move |tx| {
                    Box::pin(insert(tx, action, targets, payload, supersedes))
                })
                .await?
        } else {
            self.store
                .add(ctx, move |tx| Box::pin(insert(tx, action, targets, payload, None)))
                .await?
        };
        if inserted {
            return answer;
        }
        // Somebody used the key between our look and our write: theirs is the original.
        match self.look(ctx, &sent, Some(key), Err(Vec::new())).await? {
            Looked::Known(action) => self.original(ctx, &sent, *action).await,
            Looked::New(..) => Err(Error::internal("a key that is taken has no action")),
        }
    }

    /// Answers with the action that the key belongs to; an error if it is another proposal.
    async fn original(&self, ctx: &Ctx, sent: &Sent, action: ActionRow) -> Result<Answer, Error> {
        let same = action.caller_id == sent.caller.id
            && action.tool == sent.tool.name()
            && action.payload_digest == sent.digest;
        if !same {
            return Err(Error::IdempotencyConflict { action: action.id });
        }
        self.answer_again(ctx, action).await
    }

    /// One look at the database: the action that the key belongs to, or else a plan on today's facts.
    async fn look(
        &self,
        ctx: &Ctx,
        sent: &Sent,
        key: Option<String>,
        call: Result<Call, Vec<FieldError>>,
    ) -> Result<Looked, Error> {
        let policy = self.policy();
        let (tool, payload, text) = (sent.tool, sent.payload.clone(), sent.text.clone());
        let trace = ctx.trace_given.then(|| ctx.trace_id.clone());
        let proposer = Proposer {
            client: sent.client.id.clone(),
            caller: sent.caller.id.clone(),
            key: key.unwrap_or_default(),
            since: ctx.now().plus(-READ_WINDOW),
        };
        let ports = self.ports.clone();
        self.store
            .read(ctx, move |tx| {
                Box::pin(async move {
                    let invalid = |fields| Error::Invalid { fields };
                    // What can't be read needs nothing; the key comes before that is said.
                    let needs = call.and_then(|call| Ok((call, tool.needs(&payload)?)));
                    let query = needs.as_ref().map(|(_, query)| query.clone()).unwrap_or_default();
                    let Ground {
                        facts,
                        known,
                        reads,
                        last_proposal,
                    } = tx.ground(&query, &proposer).await?;
                    if let Some(known) = known
                        && let Some(known) = tx.action(&known).await?
                    {
                        return Ok(Looked::Known(Box::new(known)));
                    }
                    let (call, _) = needs.map_err(invalid)?;
                    let of_trace = |read: &&ReadCall| trace.as_ref().is_none_or(|trace| *trace == read.trace_id);
                    let unread = unread(&text, reads.iter().filter(of_trace));
                    let proposed = Proposed {
                        payload: &payload,
                        caller: &proposer.caller,
                        unread: &unread,
                        action: None,
                        supersedes: call.supersedes_action_id.clone(),
                    };
                    let planned = planning::plan(tx, tool, &proposed, facts, NewIds::Fresh(&ports), &policy)
                        .await?
                        .map_err(invalid)?;
                    let from = if trace.is_some() { Timestamp(0) } else { last_proposal };
                    let mut call_chain: Vec<ChainCall> = reads
                        .iter()
                        .filter(of_trace)
                        .filter(|read| read.at > from)
                        .map(ChainCall::from)
                        .collect();
                    call_chain.drain(..call_chain.len().saturating_sub(ChainCall::CALLS));
                    let grounded = Grounded {
                        planned,
                        call_chain,
                        unread,
                    };
                    Ok(Looked::New(call, Box::new(grounded)))
                })
            })
            .await
    }

    fn freeze(&self, ctx: &Ctx, sent: &Sent, call: &Call, grounded: &Grounded) -> Result<ActionRow, Error> {
        let planned = &grounded.planned;
        let (plan, policy, now) = (&planned.plan, self.policy(), ctx.now());
        let id: ActionId = self.ports.id();
        let expires_at = now.plus(policy.expiry(plan.risk));
        let envelope = Envelope {
            envelope_version: Envelope::VERSION,
            tenant: ctx.tenant().clone(),
            action_id: id.clone(),
            tool: sent.tool.name().to_owned(),
            tool_version: sent.tool.version(),
            payload: sent.payload.clone(),
            change_set: plan.change_set.clone(),
            evidence: planned.seals(),
            risk: plan.risk,
            expires_at,
            supersedes_action_id: call.supersedes_action_id.clone(),
        };
        let (bytes, digest) = envelope.seal().map_err(Error::internal)?;
        let summary = preview::summary(&plan.change_set, &planned.place());
        let words = [
            &plan.headline,
            &summary,
            &call.reason,
            &sent.caller.name,
            &sent.client.name,
            id.as_str(),
        ]
        .map(|text| text.to_lowercase())
        .join(" ");
        Ok(ActionRow {
            approval_id: self.ports.id(),
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
            id,
        })
    }

    /// The entry of a proposal that was refused: what was wrong, never what was sent.
    async fn refused(&self, ctx: &Ctx, tool: &dyn AnyTool, error: &Error) -> Result<(), Error> {
        if matches!(error, Error::Internal { .. } | Error::Unavailable { .. }) {
            return Ok(());
        }
        let mut content = entries::content(ctx);
        content.tool = Some(tool.name().to_owned());
        content.details = match error {
            Error::Invalid { fields } => json!({ "code": error.code(), "fields": fields }),
            _ => json!({ "code": error.code(), "message": error.to_string() }),
        };
        self.write_entry(
            ctx,
            crate::store::Entry {
                event: Event::Refused,
                action_id: None,
                content,
            },
        )
        .await
    }
}

fn sent(tool: &'static dyn AnyTool, arguments: Value, client: &Client, caller: &Person) -> Result<Sent, Error> {
    if !arguments.is_object() {
        return Err(Error::field("", "must be an object"));
    }
    let payload = schema::payload_of(&arguments);
    let text = schema::canonical_text(&payload).map_err(|field| Error::Invalid { fields: vec![field] })?;
    let digest = canonical::digest(text.as_bytes());
    Ok(Sent {
        tool,
        arguments,
        payload,
        text,
        digest,
        client: client.clone(),
        caller: caller.clone(),
    })
}

/// IDs that the payload cites and that no read had returned. Teams, people and actions are known without reading records.
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

async fn insert(
    tx: &mut WriteTx,
    action: ActionRow,
    targets: Vec<String>,
    payload: Value,
    supersedes: Option<ActionId>,
) -> Result<bool, Error> {
    if !tx.insert_action(&action, &targets).await? {
        return Ok(false);
    }
    if let Some(old) = supersedes {
        supersede(tx, &old, &action).await?;
    }
    let details = json!({
        "digest": action.digest,
        "payloadDigest": action.payload_digest,
        "payload": payload,
        "checks": action.checks,
        "risk": action.risk,
        "expiresAt": action.expires_at,
    });
    let mut entry = entries::about(tx, &action, Event::Proposed, State::PendingApproval, details);
    entry.content.note = Some(action.reason.clone());
    entry.content.records = ids::scan(&action.payload).into_iter().map(str::to_owned).collect();
    tx.record(entry);
    Ok(true)
}

/// Closes the proposer's earlier action in favour of this one. One that is final already stays as it ended.
async fn supersede(tx: &mut WriteTx, old: &ActionId, new: &ActionRow) -> Result<(), Error> {
    let known = tx.action(old).await?.filter(|known| known.caller_id == new.caller_id);
    let Some(known) = known else {
        return Err(Error::field("/supersedesActionId", "there is no such action of yours"));
    };
    if known.state == State::Executed {
        return Err(Error::field(
            "/supersedesActionId",
            "that action was executed; it cannot be superseded",
        ));
    }
    if known.superseded_by.is_some() {
        return Err(Error::field(
            "/supersedesActionId",
            "that action was superseded already",
        ));
    }
    if known.is_overdue(tx.ctx().now()) {
        standing::expire(tx, &known).await?;
    } else if let Ok(to) = known.state.supersede() {
        let words = format!("Superseded by {}.", new.id);
        tx.settle(&known, Ending::because(to, &[ReasonCode::Superseded], &words))
            .await?;
        let mut entry = entries::about(tx, &known, Event::Superseded, to, json!({ "supersededBy": new.id }));
        entry.content.note = Some(words);
        tx.record(entry);
    }
    tx.link_superseded(old, &new.id).await?;
    Ok(())
}
