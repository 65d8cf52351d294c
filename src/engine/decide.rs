//! Deciding: approve, reject, revoke, withdraw. The row is claimed by a conditional update; policy and checks are judged behind
//! that claim, in the same transaction; everything commits with its audit entry, or nothing does.

use super::judging::{answered, judge, unchanged_since_opened};
use super::standing::{Committed, already, load, load_in_time, parse};
use super::{Engine, Error, entries};
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::view::Outcome;
use crate::domain::*;
use crate::store::{ActionRow, DecisionRow, Ending, WriteTx};
use serde_json::json;

/// The longest text of a rejection, in characters.
const MAX_TEXT: usize = 2_000;

impl Engine {
    /// Approves the action whose page showed this digest. Every warning must be acknowledged, by its mark (see [`Check::mark`]), or by
    /// its check's name where that check has only one.
    pub async fn approve(&self, ctx: &Ctx, id: &str, digest: &str, acknowledged: &[String]) -> Result<Outcome, Error> {
        self.authorize(ctx, Command::Approve).await?;
        let (id, digest, acknowledged) = (parse(id)?, digest.to_owned(), acknowledged.to_vec());
        let (action, policy) = (id.clone(), self.policy());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { approve(tx, &action, &digest, acknowledged, &policy).await })
            })
            .await;
        self.finish(ctx, Command::Approve, &id, outcome).await
    }

    /// Rejects an action, with reason codes and a text that the agent will read.
    pub async fn reject(
        &self,
        ctx: &Ctx,
        id: &str,
        digest: &str,
        codes: &[ReasonCode],
        text: &str,
    ) -> Result<Outcome, Error> {
        self.authorize(ctx, Command::Reject).await?;
        let (id, text) = (
            parse(id)?,
            said(text, "why you reject it, so that the agent can propose better")?,
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
        let (action, digest, policy) = (id.clone(), digest.to_owned(), self.policy());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { reject(tx, &action, &digest, codes, text, &policy).await })
            })
            .await;
        self.finish(ctx, Command::Reject, &id, outcome).await
    }

    /// Takes an approval back before the action has run.
    pub async fn revoke(&self, ctx: &Ctx, id: &str, text: &str) -> Result<Outcome, Error> {
        self.authorize(ctx, Command::Revoke).await?;
        let (id, text) = (parse(id)?, said(text, "why you take the approval back")?);
        let (action, policy) = (id.clone(), self.policy());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { revoke(tx, &action, text, &policy).await })
            })
            .await;
        self.finish(ctx, Command::Revoke, &id, outcome).await
    }

    /// Takes back an action that this caller proposed.
    pub(super) async fn withdraw(&self, ctx: &Ctx, id: &str, text: &str) -> Result<State, Error> {
        self.authorize(ctx, Command::Withdraw).await?;
        let (id, text) = (parse(id)?, text.trim().to_owned());
        let caller = ctx.principal.person().map(|person| person.id.clone());
        let withdrawn: Committed<State> = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move {
                    let action = load(tx, &id).await?;
                    if Some(&action.caller_id) != caller.as_ref() {
                        return Err(Error::NotFound {
                            kind: RecordKind::Action,
                            id: id.as_str().to_owned(),
                        });
                    }
                    let action = match load_in_time(tx, &id).await? {
                        Ok(action) => action,
                        Err(refused) => return Ok(Err(refused)),
                    };
                    if action.reason_codes.contains(&ReasonCode::Withdrawn) {
                        return Ok(Ok(action.state));
                    }
                    let Ok(to) = action.state.withdraw() else {
                        return Ok(Err(already(tx, &action).await?));
                    };
                    let words = format!("Withdrawn by its proposer: {text}");
                    tx.settle(&action, Ending::because(to, &[ReasonCode::Withdrawn], &words))
                        .await?;
                    let mut entry = entries::about(tx, &action, Event::Withdrawn, to, json!(null));
                    entry.content.note = Some(text);
                    tx.record(entry);
                    Ok::<_, Error>(Ok(to))
                })
            })
            .await?;
        withdrawn
    }

    /// Records a denial.
    pub(super) async fn finish(
        &self,
        ctx: &Ctx,
        command: Command,
        id: &ActionId,
        outcome: Result<Committed<Outcome>, Error>,
    ) -> Result<Outcome, Error> {
        let outcome = outcome.and_then(|committed| committed);
        if let Err(error @ Error::NotAuthorized { .. }) = &outcome {
            self.deny(ctx, command, Some(id), error).await?;
        }
        outcome
    }
}

fn said(text: &str, what: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Wording {
            message: format!("write {what}."),
        });
    }
    if text.chars().count() > MAX_TEXT {
        return Err(Error::Wording {
            message: format!("what you wrote is longer than {MAX_TEXT} characters."),
        });
    }
    if let Some(error) = text::forbidden_in(&json!(text)).pop() {
        return Err(Error::Wording {
            message: format!("what you wrote {}.", error.message),
        });
    }
    Ok(text.to_owned())
}

fn done(state: State, message: impl Into<String>) -> Outcome {
    Outcome {
        done: true,
        message: message.into(),
        state: Some(state),
    }
}

/// Who decides, from the context: authorization has made sure that it is a person.
pub(super) fn decider(tx: &WriteTx) -> Result<Person, Error> {
    match &tx.ctx().principal {
        Principal::Person { person, .. } => Ok(person.clone()),
        _ => Err(Error::NotAuthorized {
            why: "Only a person in a browser decides and executes.".to_owned(),
        }),
    }
}

/// The same decision sent twice answers as the first did.
async fn same_before(
    tx: &mut WriteTx,
    action: &ActionRow,
    kind: &str,
    person: &Person,
) -> Result<Option<Outcome>, Error> {
    let before = tx.decisions(&action.id).await?;
    Ok(before
        .iter()
        .find(|decision| decision.kind == kind && decision.person_id == person.id)
        .map(|decision| {
            let at = decision.decided_at.minute();
            let what = match kind {
                "approve" => "approved",
                "reject" => "rejected",
                _ => "revoked",
            };
            done(
                action.state,
                format!(
                    "You {what} this on {at}; nothing was done twice. It is {} now.",
                    action.state.label().to_lowercase()
                ),
            )
        }))
}

fn may_decide(policy: &Policy, person: &Person, action: &ActionRow) -> Result<(), Error> {
    match policy.refuses(&person.id, &action.caller_id) {
        Some(why) => Err(Error::NotAuthorized { why: why.to_owned() }),
        None => Ok(()),
    }
}

async fn approve(
    tx: &mut WriteTx,
    id: &ActionId,
    digest: &str,
    acknowledged: Vec<String>,
    policy: &Policy,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx)?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let Ok(to) = action.state.approve() else {
        return Ok(match same_before(tx, &action, "approve", &person).await? {
            Some(first) if action.digest == digest => Ok(first),
            _ => Err(already(tx, &action).await?),
        });
    };
    if action.digest != digest {
        return Err(Error::DigestMismatch);
    }
    // The claim comes first: from here on nobody else can decide this action.
    tx.advance(&action, to).await?;
    may_decide(policy, &person, &action)?;
    let Shown { checks, facts } = judge(tx, &action, policy).await?;
    unchanged_since_opened(tx, &action, &checks).await?;
    let (acknowledged, open) = answered(&checks, &acknowledged);
    if let Some(block) = checks.iter().find(|check| check.verdict == Verdict::Block) {
        return Err(Error::Refused {
            code: ReasonCode::Check(block.id),
            message: format!(
                "Not approved: {} Reject it, so that the agent can propose better.",
                block.message
            ),
        });
    }
    if let Some(first) = open.first() {
        let mut names: Vec<&str> = open.iter().map(|check| check.id.as_str()).collect();
        names.dedup();
        return Err(Error::Refused {
            code: ReasonCode::Check(first.id),
            message: format!(
                "Not approved: acknowledge each warning first ({}). {}",
                names.join(", "),
                first.message
            ),
        });
    }
    let acknowledged = acknowledged.iter().map(|check| check.mark()).collect();
    let counted = VerdictCounts::of(&checks);
    decided(
        tx,
        &action,
        to,
        Event::Approved,
        "approve",
        policy,
        Words {
            checks,
            facts,
            acknowledged,
            ..Words::default()
        },
    )
    .await?;
    let warned = if counted.warn > 0 {
        " Its warnings were acknowledged."
    } else {
        ""
    };
    Ok(Ok(done(
        to,
        format!("You approved it.{warned} It has not been run yet."),
    )))
}

async fn reject(
    tx: &mut WriteTx,
    id: &ActionId,
    digest: &str,
    codes: Vec<ReasonCode>,
    text: String,
    policy: &Policy,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx)?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let Ok(to) = action.state.reject() else {
        return Ok(match same_before(tx, &action, "reject", &person).await? {
            Some(first) => Ok(first),
            None => Err(already(tx, &action).await?),
        });
    };
    if action.digest != digest {
        return Err(Error::DigestMismatch);
    }
    tx.settle(&action, Ending::because(to, &codes, &text)).await?;
    may_decide(policy, &person, &action)?;
    // What the page showed: today's checks, or those of the proposal where it no longer plans.
    let Shown { checks, facts } = judge(tx, &action, policy).await.unwrap_or_else(|_| Shown {
        checks: action.checks.clone(),
        facts: Snapshot::default(),
    });
    let words = Words {
        codes,
        text,
        checks,
        facts,
        ..Words::default()
    };
    decided(tx, &action, to, Event::Rejected, "reject", policy, words).await?;
    Ok(Ok(done(
        to,
        "You rejected it. Nothing was written, and the agent can read why.",
    )))
}

async fn revoke(tx: &mut WriteTx, id: &ActionId, text: String, policy: &Policy) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx)?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let Ok(to) = action.state.revoke() else {
        return Ok(match same_before(tx, &action, "revoke", &person).await? {
            Some(first) => Ok(first),
            None => Err(already(tx, &action).await?),
        });
    };
    tx.settle(&action, Ending::because(to, &[ReasonCode::Revoked], &text))
        .await?;
    may_decide(policy, &person, &action)?;
    let words = Words {
        codes: vec![ReasonCode::Revoked],
        text,
        ..Words::default()
    };
    decided(tx, &action, to, Event::Revoked, "revoke", policy, words).await?;
    Ok(Ok(done(to, "You took the approval back. Nothing was written.")))
}

/// What a decision says and rests on.
#[derive(Default)]
struct Words {
    checks: Vec<Check>,
    facts: Snapshot,
    acknowledged: Vec<String>,
    codes: Vec<ReasonCode>,
    text: String,
}

async fn decided(
    tx: &mut WriteTx,
    action: &ActionRow,
    to: State,
    event: Event,
    kind: &str,
    policy: &Policy,
    words: Words,
) -> Result<(), Error> {
    let (person, now) = (decider(tx)?, tx.ctx().now());
    let decision = DecisionRow {
        id: tx.ctx().ports.id(),
        action_id: action.id.clone(),
        kind: kind.to_owned(),
        person_id: person.id,
        digest: action.digest.clone(),
        verdicts: words.checks,
        facts: words.facts,
        acknowledged: words.acknowledged,
        policy_version: policy.version,
        reason_codes: words.codes,
        reason: words.text,
        decided_at: now,
    };
    tx.insert_decision(&decision).await?;
    let details = json!({
        "decisionId": decision.id,
        "digest": decision.digest,
        "verdicts": decision.verdicts,
        "acknowledged": decision.acknowledged,
        "policyVersion": decision.policy_version,
        "reasonCodes": decision.reason_codes,
    });
    let mut entry = entries::about(tx, action, event, to, details);
    entry.content.note = (!decision.reason.is_empty()).then_some(decision.reason);
    entry.content.records = vec![decision.id.as_str().to_owned()];
    tx.record(entry);
    Ok(())
}
