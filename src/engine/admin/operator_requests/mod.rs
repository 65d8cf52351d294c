//! Operator requests: a change waits until a second operator confirms it, and is applied in the transaction of the
//! confirmation.
//!
//! The console counts as the first operator, and never as the second: only a signed-in person confirms. A new kind of
//! change needs a variant of [`OperatorChange`], a summary, and a case in `settle::carry_out`.

mod link;
mod page;
mod settle;

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::decision::identified_decider;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::Decider;
use crate::store::{Entry, ReadTx, RequestRow, Settled, WriteTx};
use serde_json::{Value, json};

/// How long a request can be confirmed, in microseconds (7 days).
const LIFE: i64 = 7 * Timestamp::DAY;
/// The most pending requests of a tenant; further requests are refused.
const MOST_OPEN: usize = 100;
/// How many overdue requests one transaction expires.
const BATCH: i64 = 100;

/// A request that waits for confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The request's ID.
    pub id: RequestId,
    /// When the request expires.
    pub expires_at: Timestamp,
    /// The operators who can confirm it: names and addresses.
    pub confirmers: Vec<String>,
}

impl Asked {
    /// The next step, as a sentence.
    pub fn next(&self) -> String {
        if self.confirmers.is_empty() {
            return another_operator();
        }
        format!(
            "It can be confirmed on /settings/requests by {}.",
            self.confirmers.join(", ")
        )
    }
}

/// The message for a tenant without a second operator.
fn another_operator() -> String {
    "Nobody else can confirm it yet. Give another person the role operator at your identity provider, and have them sign in once.".to_owned()
}

impl Engine {
    /// Expires overdue requests and records it.
    pub(crate) async fn expire_requests(&self, ctx: &Ctx) -> Result<(), Error> {
        let due = {
            let tx = &mut self.store.read(ctx).await?;
            !tx.overdue_requests(1).await?.is_empty()
        };
        if !due {
            return Ok(());
        }
        self.store
            .write(ctx, |tx| {
                Box::pin(async move {
                    for row in tx.overdue_requests(BATCH).await? {
                        expire(tx, &row).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }
}

fn missing(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::OperatorRequest,
        id: id.to_owned(),
    }
}

/// The operator who changes settings, with today's roles, or `None` at the console. `authorize` has checked the roles
/// of the session; this checks today's roles in the transaction of the change.
pub(crate) async fn operator(tx: &mut WriteTx, policies: &PolicyCache) -> Result<Option<Decider>, Error> {
    let Some(me) = signed_in(tx).await? else {
        return Ok(None);
    };
    identified_decider(tx, policies).await?;
    Ok(Some(me))
}

/// The signed-in operator, identified or not.
async fn signed_in(tx: &mut ReadTx) -> Result<Option<Decider>, Error> {
    let id = match &tx.ctx().principal {
        Principal::System { .. } => return Ok(None),
        Principal::Person { person, .. } => person.id.clone(),
        Principal::Client { .. } | Principal::Program { .. } => {
            return Err(Error::NotAuthorized {
                why: "A client cannot change the settings of this organisation.".to_owned(),
            });
        }
    };
    let me = tx.deciders_by_id(&[id.as_str()]).await?.pop();
    me.filter(|me| me.person.has_any(&[Role::Operator]))
        .map(Some)
        .ok_or_else(|| Error::NotAuthorized {
            why: "You need the role operator to change what this organisation has set.".to_owned(),
        })
}

/// Stores a change until a second operator confirms it. If the same operator's same change is pending, that request is
/// returned.
pub(crate) async fn ask(
    tx: &mut WriteTx,
    maker: Option<&Decider>,
    change: OperatorChange,
    summary: String,
) -> Result<Asked, Error> {
    let now = tx.ctx().now();
    let open: Vec<RequestRow> = tx
        .open_requests(MOST_OPEN as i64 + 1)
        .await?
        .into_iter()
        .filter(|row| row.status_at(now) == RequestStatus::Pending)
        .collect();
    let maker_id = maker.map(|member| member.person.id.clone());
    let row = match open.iter().find(|row| row.change == change && row.made_by == maker_id) {
        Some(known) => known.clone(),
        None if open.len() >= MOST_OPEN => {
            return Err(Error::Setting {
                message: format!("{MOST_OPEN} requests wait already. Confirm, decline or withdraw some of them first."),
            });
        }
        None => {
            let row = RequestRow {
                id: tx.ctx().runtime.id(),
                change,
                summary,
                made_by: maker_id,
                made_at: now,
                expires_at: now.plus(LIFE),
                status: RequestStatus::Pending,
                settled_by: None,
                settled_at: None,
                outcome: String::new(),
            };
            tx.insert_request(&row).await?;
            record(tx, Event::OperatorRequested, &row, Value::Null, None);
            row
        }
    };
    Ok(Asked {
        confirmers: confirmers(tx, maker).await?,
        id: row.id,
        expires_at: row.expires_at,
    })
}

/// Every operator who can confirm: all but the maker.
async fn confirmers(tx: &mut ReadTx, maker: Option<&Decider>) -> Result<Vec<String>, Error> {
    let operators = tx.operators().await?;
    let others = operators
        .iter()
        .filter(|one| maker.is_none_or(|maker| maker.human != one.human));
    Ok(others.map(named).collect())
}

/// `Olga Operator (operator@acme.example)`.
fn named(member: &Decider) -> String {
    text::visible(&format!("{} ({})", member.person.name, member.person.email))
}

/// Records an event of a request. The entry contains the hash of a policy instead of its text.
fn record(tx: &mut WriteTx, event: Event, row: &RequestRow, outcome: Value, note: Option<String>) {
    let change = match &row.change {
        OperatorChange::Policy {
            source,
            note,
            base,
            loosens,
        } => {
            json!({ "base": base, "sha256": canonical::sha256_hex(source.as_bytes()), "note": note, "loosens": loosens })
        }
        OperatorChange::LinkPeople {
            one,
            other,
            same,
            reason,
        } => json!({ "one": one, "other": other, "same": same, "reason": reason }),
        OperatorChange::RotateLogKey { reason } => json!({ "reason": reason }),
    };
    let mut content = audit_entries::content(tx.ctx());
    content.records = vec![row.id.to_string()];
    if let OperatorChange::LinkPeople { one, other, .. } = &row.change {
        content.records.extend([one.to_string(), other.to_string()]);
    }
    content.note = note.or_else(|| Some(row.summary.clone()));
    content.details = json!({
        "requestId": row.id, "kind": row.change.kind(), "change": change, "madeBy": row.made_by, "expiresAt": row.expires_at,
        "outcome": outcome,
    });
    tx.record(Entry {
        event,
        action_id: None,
        content,
    });
}

async fn expire(tx: &mut WriteTx, row: &RequestRow) -> Result<(), Error> {
    let settled = Settled {
        status: RequestStatus::Expired,
        by: None,
        outcome: "Nobody confirmed it in time.".to_owned(),
    };
    tx.settle_request(&row.id, &settled).await?;
    let mut content = audit_entries::content(tx.ctx());
    // The expiry is the system's event, not that of the person whose request detected it.
    content.actor = Actor::System;
    content.records = vec![row.id.to_string()];
    content.note = Some(row.summary.clone());
    content.details = json!({ "requestId": row.id, "kind": row.change.kind() });
    tx.record(Entry {
        event: Event::OperatorExpired,
        action_id: None,
        content,
    });
    Ok(())
}

fn refused(message: impl Into<String>) -> Error {
    Error::Refused {
        code: ReasonCode::AlreadyDecided,
        message: message.into(),
    }
}
