//! What becomes of a request: another operator confirms or declines it, or the operator who made it withdraws it.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::command::Committed;
use crate::engine::actions::decision::require_current_roles;
use crate::engine::actions::decision::validate_text;
use crate::engine::admin::identity;
use crate::engine::admin::operator_requests::{expire, link, missing, record, refused, signed_in};
use crate::engine::audit_log;
use crate::engine::pages::policy;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error};
use crate::policy::Decider;
use crate::store::{ReadTx, RequestRow, Settled, WriteTx};
use crate::views::Outcome;
use serde_json::json;

impl Engine {
    /// Confirms a request and applies it. An operator cannot confirm their own request with any of their accounts. `view` is
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
        let policies = self.policies.clone();
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { settle(tx, &id, answer, &policies).await })
            })
            .await
            .and_then(Committed::into_result);
        if let Err(error @ Error::NotAuthorized { .. }) = &outcome {
            self.deny(ctx, Permission::Configure, None, error).await?;
        }
        outcome
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

async fn settle(
    tx: &mut WriteTx,
    id: &RequestId,
    answer: RequestCommand,
    policies: &PolicyCache,
) -> Result<Committed<Outcome>, Error> {
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
            return Ok(Committed::Done(Outcome::new(
                true,
                format!("You did this before; nothing was done twice. {}", row.outcome),
            )));
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
            require_current_roles(tx, policies, &me.person.id).await?;
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
    Ok(Committed::Done(Outcome::new(true, outcome)))
}

/// The value that the confirmation form contains. It is bound to the viewer's session and to the change, so that a form
/// on another site, or for another change, confirms nothing.
pub(super) fn form_value(ctx: &Ctx, row: &RequestRow) -> Result<Option<String>, Error> {
    let Principal::Person { session, person, .. } = &ctx.principal else {
        return Ok(None);
    };
    let parts = json!(["request", ctx.tenant(), person.id, session, row.id, row.change]);
    let text = canonical::to_string(&parts).map_err(Error::internal)?;
    Ok(Some(canonical::sha256_hex(text.as_bytes())[..32].to_owned()))
}

/// Whether the operator made the request, with any of their accounts.
pub(super) async fn made_by(tx: &mut ReadTx, row: &RequestRow, me: &Decider) -> Result<bool, Error> {
    let Some(maker) = &row.made_by else { return Ok(false) };
    let maker = tx.deciders_by_id(&[maker.as_str()]).await?.pop();
    Ok(maker.is_some_and(|maker| maker.human == me.human))
}

/// Whether the operator may be the second party: another human than the maker, with an identified account, who does not
/// testify about their own account.
pub(super) async fn may_confirm(tx: &mut ReadTx, me: &Decider, row: &RequestRow) -> Result<(), Error> {
    let denied = |why: String| Err(Error::NotAuthorized { why });
    if made_by(tx, row, me).await? {
        return denied(format!(
            "You made the request {}, so another operator has to confirm it. You can withdraw it.",
            row.id
        ));
    }
    let same_at_console = matches!(row.change, OperatorChange::LinkPeople { same: true, .. }) && row.made_by.is_none();
    // After a change of the identity provider all accounts are new, including those of operators. One of them may
    // confirm a request from the console that only links accounts, because a link grants no rights.
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
        OperatorChange::RotateLogKey { reason } => audit_log::rotation::rotate(tx, row, reason),
    }
}
