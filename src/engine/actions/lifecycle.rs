//! Where an action closes. This module alone calls [`WriteTx::close`]: it records the audit entry, closes the actions that only repeat
//! the closed one, and links an action to its successor.

use crate::audit::Event;
use crate::domain::*;
use crate::engine::audit_entries::NamedRecords;
use crate::engine::{Error, audit_entries};
use crate::store::{Entry, WriteTx};
use crate::views::Label;
use serde_json::{Value, json};

/// Repeating actions closed per query; further rounds close the rest.
const REPEATS_PER_ROUND: i64 = 200;

/// Loads an action of this tenant.
pub(crate) async fn load(tx: &mut WriteTx, id: &ActionId) -> Result<Action, Error> {
    tx.action(id).await?.ok_or_else(|| not_found(id.as_str()))
}

/// Parses the ID of an action; another text names no action.
pub(crate) fn parse_id(id: &str) -> Result<ActionId, Error> {
    ActionId::parse(id).map_err(|_| not_found(id))
}

/// There is no such action for this caller.
pub(crate) fn not_found(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::Action,
        id: id.to_owned(),
    }
}

/// Rejected now, for these reasons.
pub(crate) fn rejected(tx: &WriteTx, codes: Vec<ReasonCode>, message: impl Into<String>) -> Stage {
    Stage::Rejected(Refusal {
        at: tx.ctx().now(),
        codes,
        message: message.into(),
    })
}

/// Closes an action: `stage` is final, `entry` is its audit entry. Pending actions that only repeat it close with it, for the same
/// reasons.
pub(crate) async fn close(tx: &mut WriteTx, action: &Action, stage: &Stage, mut entry: Entry) -> Result<(), Error> {
    let event = entry.event;
    tx.close(action, stage).await?;
    // A decision or an execution has planned and names the records already; an expiry or a withdrawal has not.
    if entry.content.records.is_empty() {
        NamedRecords::load(tx, action).await?.add_to(&mut entry.content);
    }
    tx.record(entry);
    let what = match event {
        Event::Expired => "expired",
        Event::Withdrawn => "was withdrawn",
        Event::Superseded => "was superseded",
        Event::Rejected => "was rejected",
        // Repeats close when the action is approved. One that was stored at that very moment is an action of its own.
        _ => return Ok(()),
    };
    close_repeats(tx, action, stage.reason_codes(), what).await
}

/// The last approval was given: pending actions that only repeat the approved one close.
pub(crate) async fn close_repeats_of_approved(tx: &mut WriteTx, action: &Action) -> Result<(), Error> {
    close_repeats(tx, action, &[ReasonCode::Superseded], "was approved").await
}

async fn close_repeats(tx: &mut WriteTx, action: &Action, codes: &[ReasonCode], what: &str) -> Result<(), Error> {
    if action.lifecycle.repeated_by == 0 {
        return Ok(());
    }
    let message = format!("It repeated {}, which {what}.", action.id);
    loop {
        let repeats = tx.repeating(&action.id, REPEATS_PER_ROUND).await?;
        for repeat in &repeats {
            repeat.state().supersede()?;
            tx.close(repeat, &rejected(tx, codes.to_vec(), message.as_str()))
                .await?;
            tx.link_superseded(&repeat.id, &action.id).await?;
            let details = json!({ "supersededBy": action.id, "reasonCodes": codes });
            let mut entry = audit_entries::about(tx, repeat, Event::Superseded, State::Rejected, details);
            entry.content.note = Some(message.clone());
            NamedRecords::load(tx, repeat).await?.add_to(&mut entry.content);
            tx.record(entry);
        }
        if (repeats.len() as i64) < REPEATS_PER_ROUND {
            return Ok(());
        }
    }
}

/// Why an overdue action is Rejected.
pub(crate) fn expiry_message(action: &Action) -> &'static str {
    match action.state() {
        State::Approved => "It was approved, and nobody ran it in time.",
        _ => "Nobody decided it in time.",
    }
}

/// Writes the expiry of an overdue action.
pub(crate) async fn expire(tx: &mut WriteTx, action: &Action) -> Result<(), Error> {
    let to = action.state().expire()?;
    let message = expiry_message(action);
    let mut entry = audit_entries::about(tx, action, Event::Expired, to, Value::Null);
    // The clock expires an action; the person whose request writes the expiry is not its actor.
    entry.content.actor = Actor::System;
    entry.content.note = Some(message.to_owned());
    let stage = rejected(tx, vec![ReasonCode::Expired], message);
    close(tx, action, &stage, entry).await
}

/// Writes the expiry if the action is overdue; the refusal then tells the sender of the command.
pub(crate) async fn expire_if_overdue(tx: &mut WriteTx, action: &Action) -> Result<Option<Error>, Error> {
    if !action.is_overdue(tx.ctx().now()) {
        return Ok(None);
    }
    expire(tx, action).await?;
    Ok(Some(Error::AlreadyDecided {
        state: State::Rejected,
        message: format!(
            "Nothing was done: the action expired on {}.",
            action.judgement.expires_at.minute()
        ),
    }))
}

/// Closes the proposer's earlier action because `new` replaces it. An action that is final already keeps its end, and is linked.
///
/// # Errors
/// The earlier action is not this caller's, was executed, or was superseded by another one.
pub(crate) async fn supersede(tx: &mut WriteTx, old: &ActionId, new: &Action) -> Result<(), Error> {
    let wrong = |message: &str| Error::field("/supersedesActionId", message);
    let known = tx.action(old).await?;
    let known = known.filter(|known| known.origin.caller_id == new.origin.caller_id);
    let Some(known) = known else {
        return Err(wrong("there is no such action of yours"));
    };
    if known.state() == State::Executed {
        return Err(wrong("that action was executed; it cannot be superseded"));
    }
    // An action that only repeats a pending one means that one.
    if let Some(first) = &known.lifecycle.repeats_pending {
        return Box::pin(supersede(tx, first, new)).await;
    }
    let successor = known.lifecycle.superseded_by.as_ref();
    if successor.is_some_and(|by| known.lifecycle.repeats.as_ref() != Some(by)) {
        return Err(wrong("that action was superseded already"));
    }
    if known.is_overdue(tx.ctx().now()) {
        expire(tx, &known).await?;
    } else if let Ok(to) = known.state().supersede() {
        let message = format!("Superseded by {}.", new.id);
        let mut entry = audit_entries::about(tx, &known, Event::Superseded, to, json!({ "supersededBy": new.id }));
        entry.content.note = Some(message.clone());
        let stage = rejected(tx, vec![ReasonCode::Superseded], message);
        close(tx, &known, &stage, entry).await?;
    }
    Ok(tx.link_superseded(old, &new.id).await?)
}

/// The refusal of a command that the action's state does not allow: who decided what, and when.
pub(crate) async fn already_decided(tx: &mut WriteTx, action: &Action) -> Result<Error, Error> {
    let (state, message) = (action.state(), action.lifecycle.stage.message().unwrap_or_default());
    let decisions = tx.decisions(&action.id).await?;
    let last = decisions.last();
    let person = match last {
        Some(decision) => tx.people(&[decision.person_id.as_str()]).await?.pop(),
        None => None,
    };
    let label = state.label().to_lowercase();
    let message = match (last, person) {
        // An action that needs several approvals may be closed by something else after the first of them.
        (Some(decision), Some(person)) if decision.kind != DecisionKind::Approve || state != State::Rejected => {
            let now = match state {
                State::Approved => "It has not been run yet.".to_owned(),
                State::Executed | State::Failed => format!("It is {label} since."),
                State::PendingApproval | State::Rejected => String::new(),
            };
            format!(
                "Nothing was done: it was already {} by {} on {}. {now}",
                decision.kind.label().to_lowercase(),
                person.name,
                decision.decided_at.minute()
            )
        }
        _ => format!("Nothing was done: the action is {label}. {message}"),
    };
    Ok(Error::AlreadyDecided {
        state,
        message: message.trim().to_owned(),
    })
}
