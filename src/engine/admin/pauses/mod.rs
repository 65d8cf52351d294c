//! Pausing agents, a tool or a client. While a pause is in force, agents propose and answer nothing, and people approve and run nothing of what
//! it covers; people can reject, and agents can read and withdraw.

mod page;

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::{require_current_roles, validate_text};
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
                    require_role(tx, &policies, &[Role::Lead, Role::Operator]).await?;
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
                    require_role(tx, &policies, &[Role::Operator]).await?;
                    let pause = tx.pauses_of(std::slice::from_ref(&target)).await?.pop();
                    let Some(pause) = pause else {
                        return Ok(Outcome::new(true, "It is not paused, so nothing was changed."));
                    };
                    tx.delete_pause(&target).await?;
                    let more = json!({ "pausedAt": pause.since, "pauseReason": pause.reason });
                    record(tx, Event::AgentsResumed, &pause, None, more);
                    let verb = if target == PauseTarget::Agents { "work" } else { "works" };
                    let others = match tx.pauses().await?.len() {
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
    known.ok_or_else(|| Error::Setting {
        message: format!(
            "\"{}\" cannot be paused. Choose agents, tool: with the name of a tool that proposes, or client: with the ID of a client (cli_...).",
            text::visible(text)
        ),
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
async fn require_role(tx: &mut WriteTx, policies: &PolicyCache, roles: &[Role]) -> Result<(), Error> {
    let Some(id) = tx.ctx().principal.person().map(|person| person.id.clone()) else {
        return Ok(());
    };
    require_current_roles(tx, policies, &id).await?;
    let me = tx.deciders_by_id(&[id.as_str()]).await?.pop();
    match me.is_some_and(|me| me.person.has_any(roles)) {
        true => Ok(()),
        false => Err(Error::NotAuthorized {
            why: "You do not have the role for this any more. Nothing was changed.".to_owned(),
        }),
    }
}

async fn in_force(tx: &mut ReadTx, target: &PauseTarget) -> Result<Pause, Error> {
    let pause = tx.pauses_of(std::slice::from_ref(target)).await?.pop();
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

/// The pause that covers an action, if there is one.
pub(crate) async fn pause_of_action(tx: &mut ReadTx, action: &Action) -> Result<Option<Pause>, Error> {
    first(tx, &action.proposal.tool, [action.origin.client_id.clone()]).await
}

async fn first(
    tx: &mut ReadTx,
    tool: &str,
    clients: impl IntoIterator<Item = ClientId>,
) -> Result<Option<Pause>, Error> {
    let mut targets = vec![PauseTarget::Agents, PauseTarget::Tool(tool.to_owned())];
    targets.extend(clients.into_iter().map(PauseTarget::Client));
    Ok(tx.pauses_of(&targets).await?.into_iter().next())
}

/// Refuses an approval, an execution or an answer while the action's tool or client, the client that answers, or all agents are paused.
pub(crate) async fn refuse_paused_action(tx: &mut ReadTx, action: &Action) -> Result<(), Error> {
    let by = tx.ctx().principal.client().map(|client| client.id.clone());
    let is_agent = by.is_some();
    let clients = by.into_iter().chain([action.origin.client_id.clone()]);
    match first(tx, &action.proposal.tool, clients).await? {
        None => Ok(()),
        Some(pause) if is_agent => Err(to_agent(&pause)),
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
    match first(tx, tool, [client.clone()]).await? {
        None => Ok(()),
        Some(pause) => Err(to_agent(&pause)),
    }
}

/// Refuses evidence and catalogs of a client that is paused. A pause of all agents does not stop programs of the tenant.
pub(crate) async fn refuse_paused_program(tx: &mut ReadTx) -> Result<(), Error> {
    let Some(client) = tx.ctx().principal.client().map(|client| client.id.clone()) else {
        return Ok(());
    };
    match tx.pauses_of(&[PauseTarget::Client(client)]).await?.pop() {
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
