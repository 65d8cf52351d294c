//! What all decisions of reviewers have in common. Writes of a tenant follow one another, so what a decision reads stays true until it
//! commits; the conditional UPDATE of the action's row asserts it.

use crate::audit::Event;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::plan::decode_envelope;
use crate::engine::admin::identity;
use crate::engine::audit_entries::NamedRecords;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Error, audit_entries};
use crate::store::{Entry, ReadTx, ViewKey, WriteTx};
use crate::views::{Label, Outcome};
use serde_json::json;
use std::collections::BTreeMap;

/// The longest text that a reviewer may write with a decision, in characters.
const MAX_TEXT: usize = 2_000;

/// The text that a reviewer wrote, without spaces around it. `what` it should say goes into the refusal of an empty text.
///
/// # Errors
/// [`Error::Wording`]: the text is empty, too long, or holds characters that nobody can see.
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

/// An outcome of a command that was carried out.
pub(crate) fn done(state: State, message: impl Into<String>) -> Outcome {
    Outcome {
        state: Some(state),
        ..Outcome::new(true, message.into())
    }
}

/// The person who acts.
///
/// # Errors
/// A client or the system acts.
pub(crate) fn acting_person(tx: &WriteTx) -> Result<Person, Error> {
    match &tx.ctx().principal {
        Principal::Person { person, .. } => Ok(person.clone()),
        _ => Err(Error::NotAuthorized {
            why: "Only a person in a browser decides and executes.".to_owned(),
        }),
    }
}

/// The person who acts, if operators do not have to identify the account first, and if the identity provider has confirmed the roles lately.
/// Every decision begins with this.
pub(crate) async fn identified_decider(tx: &mut WriteTx, policies: &PolicyCache) -> Result<Person, Error> {
    let (person, now) = (acting_person(tx)?, tx.ctx().now());
    match why_not_identified(tx, policies, &person.id, now).await? {
        Some(why) => Err(Error::NotAuthorized { why }),
        None => Ok(person),
    }
}

/// Why a person cannot decide anything now: operators have to identify the account first, or the identity provider asserted the roles too long ago.
pub(crate) async fn why_not_identified(
    tx: &mut ReadTx,
    policies: &PolicyCache,
    person: &PersonId,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    if let Some(open) = tx.unresolved(person).await? {
        return Ok(Some(identity::not_resolved(&open)));
    }
    why_not_current(tx, policies, person, now).await
}

/// Refuses a person whose roles the identity provider asserted too long ago.
pub(crate) async fn require_current_roles(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    person: &PersonId,
) -> Result<(), Error> {
    let now = tx.ctx().now();
    match why_not_current(tx, policies, person, now).await? {
        Some(why) => Err(Error::NotAuthorized { why }),
        None => Ok(()),
    }
}

async fn why_not_current(
    tx: &mut ReadTx,
    policies: &PolicyCache,
    person: &PersonId,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let max_age = policies.roles_max_age();
    let account = tx.accounts(&[person.as_str()]).await?.pop();
    let asserted_at = account.map(|account| account.asserted_at);
    let too_old = asserted_at.filter(|asserted_at| !roles_are_current(*asserted_at, now, max_age));
    Ok(too_old.map(|asserted_at| identity::roles_too_old(asserted_at, max_age)))
}

/// The approvals of an action that this person may decide by both policies.
pub(crate) async fn approvals_if_allowed(
    tx: &mut WriteTx,
    policies: &PolicyCache,
    action: &Action,
    person: &Person,
) -> Result<Approvals, Error> {
    let approvals = Approvals::load(tx, policies, action, &[], Some(&person.id)).await?;
    // The policy cannot judge an action whose envelope is damaged: any decider may close it.
    let Ok(envelope) = decode_envelope(action) else {
        return Ok(approvals);
    };
    match approvals.refuses_me(&approvals.policy_input(action, &envelope)) {
        Some(why) => Err(Error::NotAuthorized { why }),
        None => Ok(approvals),
    }
}

/// The outcome of the same decision that this person made before, with any account: a decision sent twice is answered twice alike.
pub(crate) async fn replay(tx: &mut WriteTx, action: &Action, kind: DecisionKind) -> Result<Option<Outcome>, Error> {
    let person = acting_person(tx)?;
    let mut decisions = tx.decisions(&action.id).await?;
    decisions.retain(|decision| decision.kind == kind);
    let people = decisions.iter().map(|decision| &decision.person_id);
    let mine = first_same_human(tx, people, &person.id).await?;
    let mine = decisions.iter().find(|decision| Some(&decision.person_id) == mine);
    Ok(mine.map(|decision| {
        let message = format!(
            "You {} this on {}; nothing was done twice. It is {} now.",
            kind.label().to_lowercase(),
            decision.decided_at.minute(),
            action.state().label().to_lowercase()
        );
        done(action.state(), message)
    }))
}

/// The first of these accounts that belongs to the same human as `me`.
pub(crate) async fn first_same_human<'p>(
    tx: &mut WriteTx,
    mut people: impl Iterator<Item = &'p PersonId> + Clone,
    me: &'p PersonId,
) -> Result<Option<&'p PersonId>, Error> {
    let ids: Vec<&str> = people.clone().map(PersonId::as_str).chain([me.as_str()]).collect();
    let deciders = tx.deciders_by_id(&ids).await?;
    let human = |id: &PersonId| {
        let decider = deciders.iter().find(|decider| decider.person.id == *id);
        decider.map(|decider| &decider.human)
    };
    let mine = human(me);
    Ok(people.find(|id| mine.is_some() && human(id) == mine))
}

/// What a decision is based on.
#[derive(Default)]
pub(crate) struct DecisionBasis {
    pub checks: Vec<Check>,
    pub snapshot: Snapshot,
    pub record_versions: BTreeMap<String, String>,
    pub acknowledged: Vec<String>,
    pub codes: Vec<ReasonCode>,
    pub text: String,
    pub opened_sections: Vec<String>,
    pub confirmation_text: Option<String>,
    pub named: NamedRecords,
}

/// Stores the decision of the acting person. Returns its audit entry, which the caller records. `to`: the action's state afterwards.
pub(crate) async fn record_decision(
    tx: &mut WriteTx,
    action: &Action,
    to: State,
    event: Event,
    kind: DecisionKind,
    basis: DecisionBasis,
) -> Result<Entry, Error> {
    let (person, now) = (acting_person(tx)?, tx.ctx().now());
    let opened_at = match ViewKey::of(tx.ctx(), action) {
        Some(view) => tx.last_seen(&view).await?.map(|(_, at)| at),
        None => None,
    };
    let decision = Decision {
        id: tx.ctx().runtime.id(),
        action_id: action.id.clone(),
        kind,
        person_id: person.id,
        digest: action.proposal.digest.clone(),
        verdicts: basis.checks,
        snapshot: basis.snapshot,
        record_versions: basis.record_versions,
        acknowledged: basis.acknowledged,
        policy_version: action.judgement.current_policy_version,
        reason_codes: basis.codes,
        reason: basis.text,
        decided_at: now,
        opened_at,
        opened_sections: basis.opened_sections,
        confirmation_text: basis.confirmation_text,
    };
    tx.insert_decision(&decision).await?;
    let details = json!({
        "decisionId": decision.id,
        "decidedAt": decision.decided_at,
        "digest": decision.digest,
        "verdicts": decision.verdicts,
        "acknowledged": decision.acknowledged,
        "policyVersion": decision.policy_version,
        "policyAtProposal": action.judgement.policy_version,
        "reasonCodes": decision.reason_codes,
        "openedAt": decision.opened_at,
        "openedSections": decision.opened_sections,
        "typed": decision.confirmation_text,
    });
    let mut entry = audit_entries::about(tx, action, event, to, details);
    entry.content.note = (!decision.reason.is_empty()).then_some(decision.reason);
    entry.content.records = vec![decision.id.as_str().to_owned()];
    basis.named.add_to(&mut entry.content);
    Ok(entry)
}
