//! Approving: one person's vote, and the last one that is needed.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::approvals::still_missing;
use crate::engine::actions::decision::{Words, decider, done, record_decision, replay};
use crate::engine::actions::lifecycle;
use crate::engine::actions::lifecycle::{Committed, already_decided_error, load_in_time, parse};
use crate::engine::actions::plan::decode_envelope;
use crate::engine::actions::revalidate::{
    recorded_view, revalidate_plan, split_by_acknowledged, unchanged_since_opened,
};
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::{Policies, PolicyInput};
use crate::store::{ActionRow, WriteTx};
use crate::views::Outcome;
use serde_json::json;

/// What somebody agrees to, and what they did before.
#[derive(Debug, Clone, Default)]
pub struct ApprovalRequest {
    /// The digest that the page showed.
    pub digest: String,
    /// The value that its forms carry ([`ActionView::view`](crate::views::ActionView::view)).
    pub view: String,
    /// The marks of the warnings that they have looked at (see [`Check::mark`]), or a check's name where it has only one.
    pub acknowledged: Vec<String>,
    /// The word that they typed, where one is asked for (see [`ActionRow::word`]).
    pub typed: String,
    /// The folded parts of the page that they opened.
    pub opened: Vec<String>,
}

impl Engine {
    /// Approves an action: exactly the envelope whose digest the page showed to this person in this session. Every warning must be
    /// acknowledged. The action is approved with the last approval that the policy asks for; until then it stays pending.
    pub async fn approve(&self, ctx: &Ctx, id: &str, consent: ApprovalRequest) -> Result<Outcome, Error> {
        self.authorize(ctx, Permission::Approve).await?;
        let id = parse(id)?;
        let (action, book) = (id.clone(), self.book.clone());
        let outcome = self
            .store
            .write(ctx, move |tx| {
                Box::pin(async move { approve(tx, &book, &action, consent).await })
            })
            .await;
        self.finish(ctx, Permission::Approve, &id, outcome).await
    }
}

async fn approve(
    tx: &mut WriteTx,
    book: &PolicyCache,
    id: &ActionId,
    consent: ApprovalRequest,
) -> Result<Committed<Outcome>, Error> {
    let person = decider(tx).await?;
    let action = match load_in_time(tx, id).await? {
        Ok(action) => action,
        Err(refused) => return Ok(Err(refused)),
    };
    let same_digest = action.digest == consent.digest;
    let Ok(approved) = action.state.approve() else {
        return Ok(match replay(tx, &action, "approve", &person).await? {
            Some(first) if same_digest => Ok(first),
            _ => Err(already_decided_error(tx, &action).await?),
        });
    };
    if !same_digest {
        return Err(Error::DigestMismatch);
    }
    let envelope = decode_envelope(&action)?;
    let decisions = tx.decisions(&action.id).await?;
    let approvals = Approvals::of(tx, book, &action, &decisions, Some(&person.id)).await?;
    let case = approvals.case(&action, &envelope);
    let voted = approvals.mine().is_some();
    if voted
        && !approvals.missing(&case).is_empty()
        && let Some(mut first) = replay(tx, &action, "approve", &person).await?
    {
        first.message = format!("{} {}", first.message, still_missing(&approvals.missing(&case))).into();
        return Ok(Ok(first));
    }
    let missing = approvals.missing_with_me(&case);
    let to = if missing.is_empty() { approved } else { action.state };
    // The claim comes first: from here on nobody else can decide this action.
    tx.advance(&action, to).await?;
    if let Some(why) = approvals.refuses_me(&case) {
        return Err(Error::NotAuthorized { why });
    }
    if let Some(why) = approvals.why_approval_does_not_count(&case) {
        return Err(Error::Refused {
            code: ReasonCode::PolicyRefused,
            message: format!("Nothing was decided. {why}"),
        });
    }
    let seen = recorded_view(tx, &action, &consent.view).await?;
    // What the page does not have was not opened.
    let (opened, folded): (Vec<_>, Vec<_>) = seen
        .parts
        .iter()
        .cloned()
        .partition(|part| consent.opened.contains(part));
    let typed = if approvals.policies.is_typed(&case.risk_input) {
        Some(require_confirmation(
            &folded,
            &approvals.policies,
            &case,
            &action,
            &consent.typed,
        )?)
    } else {
        None
    };
    let planned = revalidate_plan(tx, &action, &approvals.policies).await?;
    let PageSnapshot { checks, facts, .. } = planned.snapshot();
    unchanged_since_opened(&seen, &checks)?;
    let acknowledged = require_acknowledged(&checks, &consent.acknowledged)?;
    // A warning is acknowledged in a decision, and whoever has decided makes no other one.
    let known = |check: &&Check| approvals.given.iter().any(|one| one.acknowledges(check));
    if voted && let Some(new) = checks.iter().filter(|check| check.warns()).find(|check| !known(check)) {
        return Err(Error::Refused {
            code: ReasonCode::Check(new.id),
            message: format!(
                "Nothing was decided: this has come up since you approved it, so that somebody else has to look at it. {}",
                new.message
            ),
        });
    }
    let warned = if VerdictCounts::of(&checks).warn > 0 {
        " Its warnings were acknowledged."
    } else {
        ""
    };
    let event = if to == approved {
        Event::Approved
    } else {
        Event::Endorsed
    };
    let words = Words {
        checks,
        facts,
        rests: planned.record_versions(),
        acknowledged,
        opened,
        typed,
        ..Words::default()
    };
    if voted {
        // Nobody decides twice; that it is approved by now is said all the same.
        let details = json!({ "digest": action.digest, "policyVersion": action.policy_today, "acknowledged": words.acknowledged });
        tx.record(audit_entries::about(tx, &action, event, to, details));
    } else {
        record_decision(tx, &action, to, event, "approve", words).await?;
    }
    if action.repeats.is_some() && to == approved {
        tx.insert_targets(&action, &planned.targets).await?;
    }
    let next = if to == approved {
        lifecycle::end_repeats(tx, &action, &[ReasonCode::Superseded], "was approved").await?;
        "It has not been run yet.".to_owned()
    } else {
        still_missing(&missing)
    };
    Ok(Ok(done(to, format!("You approved it.{warned} {next}"))))
}

/// The marks of what was acknowledged, if nothing stands against an approval any more.
fn require_acknowledged(checks: &[Check], acknowledged: &[String]) -> Result<Vec<String>, Error> {
    let (acknowledged, open) = split_by_acknowledged(checks, acknowledged);
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
    Ok(acknowledged.iter().map(|check| check.mark()).collect())
}

/// The word that was typed, by somebody who has opened every part of the page. `folded`: those they have not.
fn require_confirmation(
    folded: &[String],
    policies: &Policies,
    case: &PolicyInput<'_>,
    action: &ActionRow,
    typed: &str,
) -> Result<String, Error> {
    let refused = |message: String| Error::Refused {
        code: ReasonCode::PolicyRefused,
        message,
    };
    if let Some((first, more)) = folded.split_first() {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return Err(refused(format!(
            "Not approved: these parts of its page are still folded: {first}{more}. Open them, and read them."
        )));
    }
    let (word, typed) = (action.word(), typed.trim());
    if typed.eq_ignore_ascii_case(&word) {
        return Ok(word);
    }
    let what = if typed.is_empty() {
        "nothing was typed"
    } else {
        "you typed something else"
    };
    let risk = policies.risk_class(&case.risk_input).as_str();
    Err(refused(format!(
        "Not approved: its risk is {risk}, so it is approved by typing {word}, and {what}."
    )))
}
