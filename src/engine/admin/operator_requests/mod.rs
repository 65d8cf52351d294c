//! Operator requests: a change waits until a second operator confirms it, and is applied in the transaction of the
//! confirmation.
//!
//! The console counts as the first operator, and never as the second: only a signed-in person confirms. A new kind of
//! change needs a variant of [`OperatorChange`], a summary, and a case in [`carry_out`].

mod link;
mod page;

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::Committed;
use crate::engine::actions::decision::validate_text;
use crate::engine::admin::identity;
use crate::engine::pages::policy;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::Decider;
use crate::store::{Entry, ReadTx, RequestRow, Settled, WriteTx};
use crate::views::Outcome;
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
    /// Confirms a request and applies it. Nobody confirms a request of their own, with any of their accounts. `view` is
    /// the value in the page's form for this person, see [`RequestView::view`](crate::views::RequestView::view).
    pub async fn confirm_request(&self, ctx: &Ctx, id: &str, view: &str) -> Result<Outcome, Error> {
        self.settle_request(ctx, id, RequestCommand::Confirm(view.to_owned()))
            .await
    }

    /// Declines a request.
    pub async fn decline_request(&self, ctx: &Ctx, id: &str, text: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let text = validate_text(text, "why you decline it")?;
        self.settle_request(ctx, id, RequestCommand::Decline(text)).await
    }

    /// Withdraws a request of the operator's own.
    pub async fn withdraw_request(&self, ctx: &Ctx, id: &str) -> Result<Outcome, Error> {
        self.settle_request(ctx, id, RequestCommand::Withdraw).await
    }

    async fn settle_request(&self, ctx: &Ctx, id: &str, answer: RequestCommand) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Configure).await?;
        let id = RequestId::parse(id).map_err(|_| missing(id))?;
        let outcome = self
            .store
            .write(ctx, move |tx| Box::pin(async move { settle(tx, &id, answer).await }))
            .await
            .and_then(Committed::into_result);
        if let Err(error @ Error::NotAuthorized { .. }) = &outcome {
            self.deny(ctx, Permission::Configure, None, error).await?;
        }
        outcome
    }

    /// Expires overdue requests and records it.
    pub(crate) async fn expire_requests(&self, ctx: &Ctx) -> Result<(), Error> {
        let due = self
            .store
            .read(ctx, |tx| {
                Box::pin(async move { Ok::<_, Error>(!tx.overdue_requests(1).await?.is_empty()) })
            })
            .await?;
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

/// What an operator does with a request.
#[derive(Debug, Clone)]
enum RequestCommand {
    /// With the value from the page's form.
    Confirm(String),
    Decline(String),
    Withdraw,
}

fn missing(id: &str) -> Error {
    Error::NotFound {
        kind: RecordKind::OperatorRequest,
        id: id.to_owned(),
    }
}

/// The operator who changes settings, with today's roles, or `None` at the console. `authorize` has checked the roles
/// of the session; this checks today's roles in the transaction of the change.
pub(crate) async fn operator(tx: &mut ReadTx) -> Result<Option<Decider>, Error> {
    let Some(me) = signed_in(tx).await? else {
        return Ok(None);
    };
    match tx.unresolved(&me.person.id).await? {
        Some(open) => Err(Error::NotAuthorized {
            why: identity::not_resolved(&open),
        }),
        None => Ok(Some(me)),
    }
}

/// The signed-in operator, identified or not.
async fn signed_in(tx: &mut ReadTx) -> Result<Option<Decider>, Error> {
    let id = match &tx.ctx().principal {
        Principal::System { .. } => return Ok(None),
        Principal::Person { person, .. } => person.id.clone(),
        Principal::Client { .. } => {
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

fn done(message: impl Into<String>) -> Outcome {
    Outcome {
        done: true,
        message: message.into().into(),
        state: None,
        successor: None,
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::Refused {
        code: ReasonCode::AlreadyDecided,
        message: message.into(),
    }
}

async fn settle(tx: &mut WriteTx, id: &RequestId, answer: RequestCommand) -> Result<Committed<Outcome>, Error> {
    let row = tx.operator_request(id).await?.ok_or_else(|| missing(id.as_str()))?;
    let Some(me) = signed_in(tx).await? else {
        return Err(Error::NotAuthorized {
            why: "A request is confirmed, declined or withdrawn by a person in a browser, and not at the console."
                .to_owned(),
        });
    };
    if row.status != RequestStatus::Pending {
        let mine = row.settled_by.as_ref() == Some(&me.person.id);
        let same = match answer {
            RequestCommand::Confirm(_) => row.status == RequestStatus::Confirmed,
            RequestCommand::Decline(_) => row.status == RequestStatus::Declined,
            RequestCommand::Withdraw => row.status == RequestStatus::Withdrawn,
        };
        if mine && same {
            return Ok(Committed::Done(done(format!(
                "You did this before; nothing was done twice. {}",
                row.outcome
            ))));
        }
        return Ok(Committed::Refused(refused(format!(
            "Nothing was done: the request {id} is {} already. {}",
            row.status.as_str(),
            row.outcome
        ))));
    }
    if row.expires_at <= tx.ctx().now() {
        expire(tx, &row).await?;
        return Ok(Committed::Refused(refused(format!(
            "Nothing was done: the request {id} expired on {}. Make a new request if the change is still wanted.",
            row.expires_at.minute()
        ))));
    }
    let (status, event, outcome, note) = match answer {
        RequestCommand::Confirm(view) => {
            may_confirm(tx, &me, &row).await?;
            if form_value(tx.ctx(), &row)? != Some(view) {
                return Err(Error::Refused {
                    code: ReasonCode::NotOpened,
                    message: format!(
                        "Nothing was done: open /settings/requests in this session first, read the request {id}, and confirm it there."
                    ),
                });
            }
            let outcome = carry_out(tx, &row, &me).await?;
            (RequestStatus::Confirmed, Event::OperatorConfirmed, outcome, None)
        }
        RequestCommand::Decline(text) => {
            may_confirm(tx, &me, &row).await?;
            let outcome = format!("Declined: {text}");
            (RequestStatus::Declined, Event::OperatorDeclined, outcome, Some(text))
        }
        RequestCommand::Withdraw => {
            if !made_by(tx, &row, &me).await? {
                return Err(Error::NotAuthorized {
                    why: format!(
                        "The request {id} is not yours. Only the operator who made it can withdraw it; you can decline it."
                    ),
                });
            }
            let outcome = "Withdrawn by the operator who made it.".to_owned();
            (RequestStatus::Withdrawn, Event::OperatorWithdrew, outcome, None)
        }
    };
    let settled = Settled {
        status,
        by: Some(me.person.id),
        outcome: outcome.clone(),
    };
    tx.settle_request(id, &settled).await?;
    record(tx, event, &row, json!(outcome), note);
    Ok(Committed::Done(done(outcome)))
}

/// The value that the confirmation form contains. It is bound to the viewer's session and to the change, so that a form
/// on another site, or for another change, confirms nothing.
fn form_value(ctx: &Ctx, row: &RequestRow) -> Result<Option<String>, Error> {
    let Principal::Person { session, person, .. } = &ctx.principal else {
        return Ok(None);
    };
    let parts = json!(["request", ctx.tenant(), person.id, session, row.id, row.change]);
    let text = canonical::to_string(&parts).map_err(Error::internal)?;
    Ok(Some(canonical::sha256_hex(text.as_bytes())[..32].to_owned()))
}

/// Whether the operator made the request, with any of their accounts.
async fn made_by(tx: &mut ReadTx, row: &RequestRow, me: &Decider) -> Result<bool, Error> {
    let Some(maker) = &row.made_by else { return Ok(false) };
    let maker = tx.deciders_by_id(&[maker.as_str()]).await?.pop();
    Ok(maker.is_some_and(|maker| maker.human == me.human))
}

/// Whether the operator may be the second party: another human than the maker, with an identified account, who does not
/// testify about their own account.
async fn may_confirm(tx: &mut ReadTx, me: &Decider, row: &RequestRow) -> Result<(), Error> {
    let denied = |why: String| Err(Error::NotAuthorized { why });
    if made_by(tx, row, me).await? {
        return denied(format!(
            "You made the request {}, so another operator has to confirm it. You can withdraw it.",
            row.id
        ));
    }
    let same_at_console = matches!(row.change, OperatorChange::LinkPeople { same: true, .. }) && row.made_by.is_none();
    // After a change of the identity provider all accounts are new, including those of operators. One of them may
    // confirm a request from the console that only links accounts, because a link gives nobody a right.
    if !same_at_console && let Some(open) = tx.unresolved(&me.person.id).await? {
        return denied(identity::not_resolved(&open));
    }
    if let OperatorChange::LinkPeople {
        one,
        other,
        same: false,
        ..
    } = &row.change
    {
        let accounts = tx.accounts(&[one.as_str(), other.as_str()]).await?;
        if accounts.iter().any(|account| account.human == me.human) {
            return denied(
                "You are one of these two people, so another operator has to say that they are different.".to_owned(),
            );
        }
    }
    Ok(())
}

/// Applies the change of a request, if it is still applicable. Returns the outcome as a sentence.
async fn carry_out(tx: &mut WriteTx, row: &RequestRow, me: &Decider) -> Result<String, Error> {
    match &row.change {
        OperatorChange::Policy { source, note, base, .. } => {
            let proof = json!({ "requestId": row.id, "requestedBy": row.made_by });
            let version = policy::put_in_force(tx, source, note, *base, Some(&me.person.id), proof).await?;
            Ok(format!("Policy version {version} is now active."))
        }
        OperatorChange::LinkPeople { one, other, same, .. } => link::resolve(tx, row, one, other, *same).await,
    }
}
