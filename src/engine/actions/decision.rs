//! Deciding. The row is claimed by a conditional update; policy, quorum and checks are judged behind that claim, in the same transaction;
//! everything commits with its audit entry, or nothing does.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::admin::identity;
use crate::engine::{Engine, Error, audit_entries};
use crate::store::{ActionRow, DecisionRow, ViewKey, WriteTx};
use crate::views::Outcome;
use serde_json::json;
use std::collections::BTreeMap;

/// The longest text of a rejection, in characters.
const MAX_TEXT: usize = 2_000;

impl Engine {
    /// Records a denial.
    pub(crate) async fn finish(
        &self,
        ctx: &Ctx,
        command: Permission,
        id: &ActionId,
        outcome: Result<crate::engine::actions::lifecycle::Committed<Outcome>, Error>,
    ) -> Result<Outcome, Error> {
        let outcome = outcome.and_then(|committed| committed);
        if let Err(error @ Error::NotAuthorized { .. }) = &outcome {
            self.deny(ctx, command, Some(id), error).await?;
        }
        outcome
    }
}

pub(crate) fn validate_text(text: &str, what: &str) -> Result<String, Error> {
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

pub(crate) fn done(state: State, message: impl Into<String>) -> Outcome {
    Outcome {
        done: true,
        message: message.into().into(),
        state: Some(state),
        successor: None,
    }
}

/// Who decides: a person whom operators need not identify first. Every decision begins with this.
pub(crate) async fn decider(tx: &mut WriteTx) -> Result<Person, Error> {
    let person = acting(tx)?;
    match tx.unresolved(&person.id).await? {
        None => Ok(person),
        Some(open) => Err(Error::NotAuthorized {
            why: identity::not_resolved(&open),
        }),
    }
}

/// Who acts, from the context: authorization has made sure that it is a person.
pub(crate) fn acting(tx: &WriteTx) -> Result<Person, Error> {
    match &tx.ctx().principal {
        Principal::Person { person, .. } => Ok(person.clone()),
        _ => Err(Error::NotAuthorized {
            why: "Only a person in a browser decides and executes.".to_owned(),
        }),
    }
}

/// The same decision sent twice answers as the first did.
pub(crate) async fn replay(
    tx: &mut WriteTx,
    action: &ActionRow,
    kind: &str,
    person: &Person,
) -> Result<Option<Outcome>, Error> {
    let mut before = tx.decisions(&action.id).await?;
    before.retain(|decision| decision.kind == kind);
    // With whichever account they made it.
    let ids = before.iter().map(|decision| decision.person_id.as_str());
    let deciders = tx
        .deciders_by_id(&ids.chain([person.id.as_str()]).collect::<Vec<_>>())
        .await?;
    let human = |id: &PersonId| deciders.iter().find(|one| one.person.id == *id).map(|one| &one.human);
    let mine = before
        .iter()
        .find(|decision| human(&decision.person_id).is_some_and(|who| Some(who) == human(&person.id)));
    Ok(mine.map(|decision| {
        let what = match kind {
            "approve" => "approved",
            "reject" => "rejected",
            _ => "revoked",
        };
        let message = format!(
            "You {what} this on {}; nothing was done twice. It is {} now.",
            decision.decided_at.minute(),
            action.state.label().to_lowercase()
        );
        done(action.state, message)
    }))
}

/// What a decision says and rests on.
#[derive(Default)]
pub(crate) struct Words {
    pub checks: Vec<Check>,
    pub facts: Snapshot,
    pub rests: BTreeMap<String, String>,
    pub acknowledged: Vec<String>,
    pub codes: Vec<ReasonCode>,
    pub text: String,
    pub opened: Vec<String>,
    pub typed: Option<String>,
}

pub(crate) async fn record_decision(
    tx: &mut WriteTx,
    action: &ActionRow,
    to: State,
    event: Event,
    kind: &str,
    words: Words,
) -> Result<(), Error> {
    let (person, now) = (acting(tx)?, tx.ctx().now());
    let opened_at = match ViewKey::of(tx.ctx(), action) {
        Some(view) => tx.last_seen(&view).await?.map(|(_, at)| at),
        None => None,
    };
    let decision = DecisionRow {
        id: tx.ctx().runtime.id(),
        action_id: action.id.clone(),
        kind: kind.to_owned(),
        person_id: person.id,
        digest: action.digest.clone(),
        verdicts: words.checks,
        facts: words.facts,
        rests: words.rests,
        acknowledged: words.acknowledged,
        policy_version: action.policy_today,
        reason_codes: words.codes,
        reason: words.text,
        decided_at: now,
        opened_at,
        opened: words.opened,
        typed: words.typed,
    };
    tx.insert_decision(&decision).await?;
    let details = json!({
        "decisionId": decision.id,
        "digest": decision.digest,
        "verdicts": decision.verdicts,
        "acknowledged": decision.acknowledged,
        "policyVersion": decision.policy_version,
        "policyAtProposal": action.policy_version,
        "reasonCodes": decision.reason_codes,
        "openedAt": decision.opened_at,
        "openedParts": decision.opened,
        "typed": decision.typed,
    });
    let mut entry = audit_entries::about(tx, action, event, to, details);
    entry.content.note = (!decision.reason.is_empty()).then_some(decision.reason);
    entry.content.records = vec![decision.id.as_str().to_owned()];
    tx.record(entry);
    Ok(())
}
