//! Ending an action without running it: reject, revoke, withdraw.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::decision::{Words, decider, done, record_decision, replay, validate_text};
use crate::engine::actions::lifecycle;
use crate::engine::actions::lifecycle::{Committed, already_decided_error, load, load_in_time, parse};
use crate::engine::actions::plan::decode_envelope;
use crate::engine::actions::revalidate::{require_same_view, revalidate_plan};
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{ActionRow, Ending, WriteTx};
use crate::views::Outcome;
use serde_json::json;

impl Engine {
    /// Rejects an action, with reason codes and a text that the agent will read. Rejecting needs no view of the page; a form that carries
    /// the value of one (`view`, else empty) must carry the right one.
    pub async fn reject(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        codes: &[ReasonCode],
        text: &str,
        view: &str,
    ) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Reject).await?;
        let (id, text) = (
            parse(id)?,
            validate_text(text, "why you reject it, so that the agent can propose better")?,
        );
        let codes = if codes.is_empty() {
            vec![ReasonCode::Declined]
        } else {
            codes.to_vec()
        };
        if let Some(code) = codes
            .iter()
            .find(|code| !ReasonCode::for_rejection().any(|known| known == **code))
        {
            return Err(Error::field(
                "/codes",
                format!("{} is not a reason to give here", code.as_str()),
            ));
        }
        let (action, digest, book) = (id.clone(), digest.to_owned(), self.book.clone());
        let view = view.to_owned();
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { reject(tx, &book, &action, &digest, codes, text, &view).await })
            })
            .await;
        self.finish(ctx, Permission::Reject, &id, outcome).await
    }

    /// Takes an approval back before the action has run. `view`: as for [`Engine::reject`].
    pub async fn revoke(&self, ctx: &Ctx, id: &str, text: &str, view: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Revoke).await?;
        let (id, text) = (parse(id)?, validate_text(text, "why you take the approval back")?);
        let (action, book, view) = (id.clone(), self.book.clone(), view.to_owned());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { revoke(tx, &book, &action, text, &view).await })
            })
            .await;
        self.finish(ctx, Permission::Revoke, &id, outcome).await
    }

    /// Takes back an action that this caller proposed.
    pub(crate) async fn withdraw(&self, ctx: &Ctx, id: &str, text: &str) -> Result<State, Error> {
        self.authorize(ctx, Permission::Withdraw).await?;
        let (id, text) = (parse(id)?, text.trim().to_owned());
        let withdrawn: Committed<State> = self
            .store
            .write(ctx, move |tx| Box::pin(async move { withdraw(tx, &id, text).await }))
            .await?;
        withdrawn
    }
}

async fn reject(
    tx: &mut WriteTx,
    book: &PolicyCache,
    id: &ActionId,
    digest: &str,
    codes: Vec<ReasonCode>,
    text: String,
    view: &str,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let Ok(to) = action.state.reject() else {
        return Ok(match replay(tx, &action, "reject", &person).await? {
            Some(first) => Ok(first),
            None => Err(already_decided_error(tx, &action).await?),
        });
    };
    if action.digest != digest {
        return Err(Error::DigestMismatch);
    }
    require_same_view(tx, &action, view).await?;
    tx.settle(&action, Ending::because(to, &codes, &text)).await?;
    let approvals = may_decide(tx, book, &action, &person).await?;
    // What the page showed: today's checks, or those of the proposal where it no longer plans.
    let words = match revalidate_plan(tx, &action, &approvals.policies).await {
        Ok(planned) => {
            let PageSnapshot { checks, facts, .. } = planned.snapshot();
            Words {
                checks,
                facts,
                rests: planned.record_versions(),
                ..Words::default()
            }
        }
        Err(Error::Refused { .. }) => Words {
            checks: action.checks.clone(),
            ..Words::default()
        },
        Err(broken) => return Err(broken),
    };
    let words = Words {
        codes: codes.clone(),
        text,
        ..words
    };
    record_decision(tx, &action, to, Event::Rejected, "reject", words).await?;
    lifecycle::end_repeats(tx, &action, &codes, "was rejected").await?;
    Ok(Ok(done(
        to,
        "You rejected it. Nothing was written, and the agent can read why.",
    )))
}

async fn revoke(
    tx: &mut WriteTx,
    book: &PolicyCache,
    id: &ActionId,
    text: String,
    view: &str,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let Ok(to) = action.state.revoke() else {
        return Ok(match replay(tx, &action, "revoke", &person).await? {
            Some(first) => Ok(first),
            None => Err(already_decided_error(tx, &action).await?),
        });
    };
    require_same_view(tx, &action, view).await?;
    tx.settle(&action, Ending::because(to, &[ReasonCode::Revoked], &text))
        .await?;
    may_decide(tx, book, &action, &person).await?;
    let words = Words {
        codes: vec![ReasonCode::Revoked],
        text,
        ..Words::default()
    };
    record_decision(tx, &action, to, Event::Revoked, "revoke", words).await?;
    Ok(Ok(done(to, "You took the approval back. Nothing was written.")))
}

/// Both policies must let this person decide it.
async fn may_decide(
    tx: &mut WriteTx,
    book: &PolicyCache,
    action: &ActionRow,
    person: &Person,
) -> Result<Approvals, Error> {
    let approvals = Approvals::of(tx, book, action, &[], Some(&person.id)).await?;
    // What is damaged can be ended by whoever decides anything.
    let Ok(envelope) = decode_envelope(action) else {
        return Ok(approvals);
    };
    match approvals.refuses_me(&approvals.case(action, &envelope)) {
        Some(why) => Err(Error::NotAuthorized { why }),
        None => Ok(approvals),
    }
}

async fn withdraw(tx: &mut WriteTx, id: &ActionId, text: String) -> Result<Committed<State>, Error> {
    let caller = tx.ctx().principal.person().map(|person| person.id.clone());
    let action = load(tx, id).await?;
    if Some(&action.caller_id) != caller.as_ref() {
        return Err(Error::NotFound {
            kind: RecordKind::Action,
            id: id.as_str().to_owned(),
        });
    }
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    if action.reason_codes.contains(&ReasonCode::Withdrawn) {
        return Ok(Ok(action.state));
    }
    let Ok(to) = action.state.withdraw() else {
        return Ok(Err(already_decided_error(tx, &action).await?));
    };
    let words = format!("Withdrawn by its proposer: {text}");
    tx.settle(&action, Ending::because(to, &[ReasonCode::Withdrawn], &words))
        .await?;
    let mut entry = audit_entries::about(tx, &action, Event::Withdrawn, to, json!(null));
    entry.content.note = Some(text);
    tx.record(entry);
    lifecycle::end_repeats(tx, &action, &[ReasonCode::Withdrawn], "was withdrawn").await?;
    Ok(Ok(to))
}
