//! Pausing agents, a tool or a client. While a pause is in force, agents propose and answer nothing, and people approve and run nothing of what
//! it covers; people can reject, and agents can read and withdraw.

mod page;

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::{require_current_roles, validate_text};
use crate::engine::admin::operator_requests;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{Entry, ReadTx, WriteTx};
use crate::tools::TOOLS;
use crate::views::Outcome;
use serde_json::{Value, json};

impl Engine {
    /// Pauses what `target` names (see [`PauseTarget::parse`]). A target that is paused already stays as it is.
    pub async fn pause(&self, ctx: &Ctx, target: &str, reason: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Pause).await?;
        let target = read_target(target)?;
        let reason = read_reason(reason)?;
        let policies = self.policies.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    tx.lock_pauses().await?;
                    may_pause(tx, &policies).await?;
                    if let PauseTarget::Client(id) = &target
                        && tx.clients(&[id.as_str()]).await?.is_empty()
                    {
                        return Err(no_client(id));
                    }
                    let is_new = tx.insert_pause(&target, &reason).await?;
                    let pause = in_force(tx, &target).await?;
                    if !is_new {
                        return Ok(Outcome::new(true, format!("{} Nothing was changed.", pause.sentence())));
                    }
                    record(tx, Event::AgentsPaused, &pause, Some(reason), json!({}));
                    Ok(Outcome::new(true, paused(&pause.target, &pause.subject())))
                })
            })
            .await
    }

    /// Ends a pause.
    pub async fn resume(&self, ctx: &Ctx, target: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let target = read_target(target)?;
        let policies = self.policies.clone();
        self.store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    operator_requests::operator(tx, &policies).await?;
                    let (pauses, others): (Vec<_>, Vec<_>) =
                        tx.pauses().await?.into_iter().partition(|pause| pause.target == target);
                    let Some(pause) = pauses.into_iter().next() else {
                        return Ok(Outcome::new(true, "It is not paused, so nothing was changed."));
                    };
                    tx.delete_pause(&target).await?;
                    let more = json!({ "pausedAt": pause.since, "pauseReason": pause.reason });
                    record(tx, Event::AgentsResumed, &pause, None, more);
                    let verb = if target == PauseTarget::Agents { "work" } else { "works" };
                    let others = match others.len() {
                        0 => String::new(),
                        1 => " One other pause is still in force.".to_owned(),
                        more => format!(" {more} other pauses are still in force."),
                    };
                    Ok(Outcome::new(true, format!("{} {verb} again.{others}", pause.subject())))
                })
            })
            .await
    }
}

/// What a person is told who has paused something.
fn paused(target: &PauseTarget, subject: &PlainText) -> String {
    match target {
        PauseTarget::Agents => {
            "All agents are paused: they can read, and propose nothing. What is pending can be rejected, but not approved or run.".to_owned()
        }
        PauseTarget::Tool(_) => {
            format!("{subject} is paused: agents cannot propose with it. What it proposed can be rejected, but not approved or run.")
        }
        PauseTarget::Client(_) => {
            format!("{subject} is paused: it can read, and write nothing. What it proposed can be rejected, but not approved or run.")
        }
    }
}

/// Reads the target, which must be one that can be paused.
fn read_target(text: &str) -> Result<PauseTarget, Error> {
    let target = PauseTarget::parse(text.trim());
    let known = target.filter(|target| match target {
        PauseTarget::Tool(name) => TOOLS.iter().any(|tool| tool.name() == name),
        PauseTarget::Agents | PauseTarget::Client(_) => true,
    });
    known.ok_or_else(|| {
        let tools: Vec<&str> = TOOLS.iter().map(|tool| tool.name()).collect();
        Error::Setting {
            message: format!(
                "\"{}\" cannot be paused. Choose agents, client: with the ID of a client (cli_...), or tool: with the name of a tool that proposes: {}.",
                text::visible(text),
                tools.join(", ")
            ),
        }
    })
}

/// The longest reason, in characters: agents, the inbox and the pages of actions show it.
const MAX_REASON: usize = 500;

fn read_reason(text: &str) -> Result<String, Error> {
    if text.trim().chars().count() > MAX_REASON {
        return Err(Error::Setting {
            message: format!(
                "the reason is longer than {MAX_REASON} characters. Agents and reviewers have to read it."
            ),
        });
    }
    validate_text(text, "why you pause it, for the agents and for your colleagues").map_err(|error| match error {
        Error::Wording { message } => Error::Setting { message },
        other => other,
    })
}

fn no_client(id: &ClientId) -> Error {
    Error::NotFound {
        kind: RecordKind::Client,
        id: id.to_string(),
    }
}

/// Checks the person's roles of today, because a session can be older. The console is no person.
async fn may_pause(tx: &mut WriteTx, policies: &PolicyCache) -> Result<(), Error> {
    let Some(id) = tx.ctx().principal.person().map(|person| person.id.clone()) else {
        return Ok(());
    };
    require_current_roles(tx, policies, &id).await?;
    let me = tx.deciders_by_id(&[id.as_str()]).await?.pop();
    match me.is_some_and(|me| me.person.has_any(&[Role::Lead, Role::Operator])) {
        true => Ok(()),
        false => Err(Error::NotAuthorized {
            why: "You do not have the role lead or operator any more. Nothing was changed.".to_owned(),
        }),
    }
}

async fn in_force(tx: &mut ReadTx, target: &PauseTarget) -> Result<Pause, Error> {
    let pause = first(tx, |pause| pause.target == *target).await?;
    pause.ok_or_else(|| Error::internal("a pause that was stored is not there"))
}

fn record(tx: &mut WriteTx, event: Event, pause: &Pause, reason: Option<String>, more: Value) {
    let mut content = audit_entries::content(tx.ctx());
    content.details = more;
    content.details["target"] = json!(pause.target.to_string());
    content.headline = Some(pause.subject().to_string());
    content.note = reason;
    match &pause.target {
        PauseTarget::Agents => {}
        PauseTarget::Tool(name) => content.tool = Some(name.clone()),
        PauseTarget::Client(id) => content.records.push(id.to_string()),
    }
    tx.record(Entry {
        event,
        action_id: None,
        content,
    });
}

/// The oldest pause in force that fits.
async fn first(tx: &mut ReadTx, fits: impl Fn(&Pause) -> bool) -> Result<Option<Pause>, Error> {
    Ok(tx.pauses().await?.into_iter().find(fits))
}

/// The pause that covers an action, if there is one.
pub(crate) async fn pause_of_action(tx: &mut ReadTx, action: &Action) -> Result<Option<Pause>, Error> {
    first(tx, |pause| pause.stops(&action.proposal.tool, &action.origin.client_id)).await
}

/// Refuses an approval, an execution or an answer while the action's tool or client, the client that answers, or all agents are paused.
pub(crate) async fn refuse_paused_action(tx: &mut ReadTx, action: &Action) -> Result<(), Error> {
    let (tool, client) = (&action.proposal.tool, &action.origin.client_id);
    let by = tx.ctx().principal.client().map(|client| client.id.clone());
    let stops = |pause: &Pause| pause.stops(tool, client) || by.as_ref().is_some_and(|by| pause.stops(tool, by));
    match first(tx, stops).await? {
        None => Ok(()),
        Some(pause) if by.is_some() => Err(to_agent(&pause)),
        Some(pause) => Err(Error::Paused {
            message: format!(
                "Nothing was done. {} {} now; to approve or run it, wait until an operator resumes.",
                pause.sentence(),
                match action.state() {
                    State::PendingApproval => "It can be rejected",
                    _ => "Its approval can be revoked",
                }
            ),
        }),
    }
}

/// Refuses a proposal while the tool, the client or all agents are paused.
pub(crate) async fn refuse_paused_proposal(tx: &mut ReadTx, tool: &str, client: &ClientId) -> Result<(), Error> {
    match first(tx, |pause| pause.stops(tool, client)).await? {
        None => Ok(()),
        Some(pause) => Err(to_agent(&pause)),
    }
}

/// Refuses evidence and catalogs of a client that is paused. A pause of all agents does not stop programs of the tenant.
pub(crate) async fn refuse_paused_program(tx: &mut ReadTx) -> Result<(), Error> {
    let Some(client) = tx.ctx().principal.client().map(|client| client.id.clone()) else {
        return Ok(());
    };
    let target = PauseTarget::Client(client);
    match first(tx, |pause| pause.target == target).await? {
        None => Ok(()),
        Some(pause) => Err(Error::Paused {
            message: format!(
                "Nothing was stored. {} Repeat it after an operator has resumed.",
                pause.sentence()
            ),
        }),
    }
}

fn to_agent(pause: &Pause) -> Error {
    Error::Paused {
        message: format!(
            "Nothing was stored. {} You can still read. Do not try again until a person tells you that work continues.",
            pause.sentence()
        ),
    }
}
