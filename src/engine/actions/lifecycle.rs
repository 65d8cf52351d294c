//! How an action stands when somebody comes to decide it: found, in time, and still the one they were shown.

use crate::audit::Event;
use crate::domain::*;
use crate::engine::{Error, audit_entries};
use crate::store::{ActionRow, Ending, WriteTx};
use serde_json::Value;

/// A refusal that is committed with what it wrote (an expiry, say), as against an error that rolls back.
pub(crate) type Committed<T> = Result<T, Error>;

/// Loads an action of this tenant.
pub(crate) async fn load(tx: &mut WriteTx, id: &ActionId) -> Result<ActionRow, Error> {
    tx.action(id).await?.ok_or_else(|| Error::NotFound {
        kind: RecordKind::Action,
        id: id.as_str().to_owned(),
    })
}

/// Reads an action's ID as somebody typed it.
pub(crate) fn parse(id: &str) -> Result<ActionId, Error> {
    ActionId::parse(id).map_err(|_| Error::NotFound {
        kind: RecordKind::Action,
        id: id.to_owned(),
    })
}

/// Writes that an action's time has run out.
pub(crate) async fn expire(tx: &mut WriteTx, action: &ActionRow) -> Result<(), Error> {
    let to = action.state.expire()?;
    let words = match action.state {
        State::Approved => "It was approved, and nobody ran it in time.",
        _ => "Nobody decided it in time.",
    };
    tx.settle(action, Ending::because(to, &[ReasonCode::Expired], words))
        .await?;
    let mut entry = audit_entries::about(tx, action, Event::Expired, to, Value::Null);
    // Time did it, whoever happened to come by.
    entry.content.actor = Actor::System;
    entry.content.note = Some(words.to_owned());
    tx.record(entry);
    end_repeats(tx, action, &[ReasonCode::Expired], "expired").await
}

/// How many actions one round ends.
const ROUND: i64 = 200;

/// What only repeated a pending action ends with it, for the same reason. `what` became of it: `was rejected`.
pub(crate) async fn end_repeats(
    tx: &mut WriteTx,
    action: &ActionRow,
    codes: &[ReasonCode],
    what: &str,
) -> Result<(), Error> {
    if action.repeated == 0 {
        return Ok(());
    }
    let words = format!("It repeated {}, which {what}.", action.id);
    loop {
        let repeats = tx.repeating(&action.id, ROUND).await?;
        for repeat in &repeats {
            let to = repeat.state.supersede()?;
            tx.settle(repeat, Ending::because(to, codes, &words)).await?;
            tx.link_superseded(&repeat.id, &action.id).await?;
            let details = serde_json::json!({ "supersededBy": action.id, "reasonCodes": codes });
            let mut entry = audit_entries::about(tx, repeat, Event::Superseded, to, details);
            entry.content.note = Some(words.clone());
            tx.record(entry);
        }
        if (repeats.len() as i64) < ROUND {
            return Ok(());
        }
    }
}

/// Loads an action to act upon it; one whose time has run out is written down as such, and refused.
pub(crate) async fn load_in_time(tx: &mut WriteTx, id: &ActionId) -> Result<Committed<ActionRow>, Error> {
    let action = load(tx, id).await?;
    if !action.is_overdue(tx.ctx().now()) {
        return Ok(Ok(action));
    }
    expire(tx, &action).await?;
    Ok(Err(Error::AlreadyDecided {
        state: State::Rejected,
        message: format!(
            "Nothing was done: the action expired on {}.",
            action.expires_at.minute()
        ),
    }))
}

/// What to say when an action is no longer in the state that a command is for.
pub(crate) async fn already_decided_error(tx: &mut WriteTx, action: &ActionRow) -> Result<Error, Error> {
    let decisions = tx.decisions(&action.id).await?;
    let last = decisions.last();
    let person = match last {
        Some(decision) => tx.people(&[decision.person_id.as_str()]).await?.pop(),
        None => None,
    };
    let message = match (last, person, action.state) {
        // An approval of several is not what ended it.
        (Some(decision), Some(person), state) if decision.kind != "approve" || state != State::Rejected => {
            let what = match decision.kind.as_str() {
                "approve" => "approved",
                "revoke" => "revoked",
                _ => "rejected",
            };
            let now = match state {
                State::Approved => "It has not been run yet.".to_owned(),
                State::Rejected if decision.kind != "reject" && decision.kind != "revoke" => {
                    action.outcome.clone().unwrap_or_default()
                }
                State::Executed | State::Failed => format!("It is {} since.", state.label().to_lowercase()),
                _ => String::new(),
            };
            format!(
                "Nothing was done: it was already {what} by {} on {}. {now}",
                person.name,
                decision.decided_at.minute()
            )
        }
        _ => format!(
            "Nothing was done: the action is {}. {}",
            action.state.label().to_lowercase(),
            action.outcome.clone().unwrap_or_default()
        ),
    };
    Ok(Error::AlreadyDecided {
        state: action.state,
        message: message.trim().to_owned(),
    })
}
