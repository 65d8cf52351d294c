//! Approving: one reviewer's approval, and the last one that the policy asks for.

use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::{Approvals, still_missing};
use crate::engine::actions::check_changes;
use crate::engine::actions::command::{ActionCommand, Committed, Sender};
use crate::engine::actions::decision::{DecisionBasis, acting_person, done, record_decision, replay};
use crate::engine::actions::lifecycle;
use crate::engine::actions::plan::decode_envelope;
use crate::engine::actions::revalidate::{self, Approvable};
use crate::engine::actions::step_up;
use crate::engine::policy_cache::PolicyCache;
use crate::engine::{Engine, Error, audit_entries};
use crate::policy::{Policies, PolicyInput};
use crate::store::WriteTx;
use crate::views::Outcome;
use serde_json::json;

/// What a reviewer approves, and what the reviewer did before.
#[derive(Debug, Clone, Default)]
pub struct ApprovalRequest {
    /// The digest that the page showed.
    pub digest: String,
    /// The value that the page's forms carry ([`ActionView::view`](crate::views::ActionView::view)).
    pub view: String,
    /// The marks of the acknowledged warnings (see [`Check::mark`]), or the name of a check that has only one.
    pub acknowledged: Vec<String>,
    /// The text that the reviewer typed, where the policy asks for one (see [`Action::confirmation_text`]).
    pub typed: String,
    /// The IDs of the page's sections that the reviewer opened (see [`Section::id`]).
    pub opened: Vec<String>,
}

impl Engine {
    /// Approves an action: exactly the envelope whose digest the page showed to this person in this session, with every warning
    /// acknowledged. The last approval that the policy asks for makes the action Approved; until then it stays pending.
    pub async fn approve(&self, ctx: &Ctx, id: &str, request: ApprovalRequest) -> Result<Outcome, Error> {
        self.on_action(ctx, id, Approve(request)).await
    }

    /// Approves an action, and runs it if that was the last approval: two transactions, one after the other. If the action is not run,
    /// the approval is kept, and the outcome says so.
    pub async fn approve_and_execute(&self, ctx: &Ctx, id: &str, request: ApprovalRequest) -> Result<Outcome, Error> {
        let view = request.view.clone();
        let approved = self.approve(ctx, id, request).await?;
        if !approved.done || approved.state == Some(State::PendingApproval) {
            return Ok(approved);
        }
        match self.execute(ctx, id, &view).await {
            Ok(failed) if !failed.done => Ok(Outcome {
                message: format!(
                    "Your approval was recorded, but the action was not executed. {}",
                    failed.message
                )
                .into(),
                ..failed
            }),
            Err(error) => Err(Error::NotExecuted { cause: Box::new(error) }),
            executed => executed,
        }
    }
}

struct Approve(ApprovalRequest);

impl ActionCommand for Approve {
    type Output = Outcome;
    const PERMISSION: Permission = Permission::Approve;
    const SENDER: Sender = Sender::Decider;
    const STOPS_IN_PAUSE: bool = true;

    async fn run(self, tx: &mut WriteTx, policies: &PolicyCache, action: Action) -> Result<Committed<Outcome>, Error> {
        let Approve(request) = self;
        let same_digest = action.proposal.digest == request.digest;
        let Ok(approved) = action.state().approve() else {
            return Ok(match replay(tx, &action, DecisionKind::Approve).await? {
                Some(first) if same_digest => Committed::Done(first),
                _ => Committed::Refused(lifecycle::already_decided(tx, &action).await?),
            });
        };
        if !same_digest {
            return Err(Error::DigestMismatch);
        }
        let person = acting_person(tx)?;
        let envelope = decode_envelope(&action)?;
        let decisions = tx.decisions(&action.id).await?;
        let approvals = Approvals::load(tx, policies, &action, &decisions, Some(&person.id)).await?;
        let input = approvals.policy_input(&action, &envelope);
        let has_approved = approvals.mine().is_some();
        if has_approved
            && !approvals.missing(&input).is_empty()
            && let Some(mut first) = replay(tx, &action, DecisionKind::Approve).await?
        {
            first.message = format!("{} {}", first.message, still_missing(&approvals.missing(&input))).into();
            return Ok(Committed::Done(first));
        }
        let seen = revalidate::require_approvable(tx, &action, &approvals, &input, &request.view).await?;
        // Sections that the page does not have were not opened.
        let (opened, closed): (Vec<_>, Vec<_>) = seen
            .sections
            .iter()
            .partition(|section| request.opened.contains(&section.id));
        let confirmation_text = if approvals.policies.is_typed(&input.risk_input) {
            let typed = require_confirmation(&closed, &approvals.policies, &input, &action, &request.typed)?;
            Some(typed)
        } else {
            None
        };
        let planned = revalidate::current_plan(tx, &action, &approvals.policies).await?;
        check_changes::record(tx, &action, &seen.checks, &planned.checks).await?;
        let Approvable { planned, acknowledged } =
            match revalidate::for_approval(planned, &approvals, &seen, &request.acknowledged) {
                Ok(approvable) => approvable,
                // Committed, because a change of the checks may have been recorded.
                Err(error) => return Ok(Committed::Refused(error)),
            };
        // The last condition, so that a person who signs in again is not refused for another reason afterwards.
        let sign_in = match step_up::require(tx, &approvals, &input).await? {
            Ok(sign_in) => sign_in,
            Err(error) => return Ok(Committed::Refused(error)),
        };
        let missing = approvals.missing_with_me(&input);
        let (to, event) = if missing.is_empty() {
            (approved, Event::Approved)
        } else {
            (action.state(), Event::Endorsed)
        };
        tx.claim(&action, to).await?;
        let named = planned.named_records(action.proposal.payload());
        let PageSnapshot {
            checks,
            facts: snapshot,
            ..
        } = planned.snapshot();
        let warned = if VerdictCounts::of(&checks).warn > 0 {
            " Its warnings were acknowledged."
        } else {
            ""
        };
        let mut entry = if has_approved {
            // The first approval counts; that the action is Approved now is recorded all the same.
            let details = json!({
                "digest": action.proposal.digest,
                "policyVersion": action.judgement.current_policy_version,
                "acknowledged": acknowledged,
            });
            let mut entry = audit_entries::about(tx, &action, event, to, details);
            named.add_to(&mut entry.content);
            entry
        } else {
            let basis = DecisionBasis {
                checks,
                snapshot,
                record_versions: planned.record_versions(),
                acknowledged,
                opened_sections: opened.into_iter().map(|section| section.id.clone()).collect(),
                confirmation_text,
                named,
                ..DecisionBasis::default()
            };
            record_decision(tx, &action, to, event, DecisionKind::Approve, basis).await?
        };
        if let Some(sign_in) = sign_in {
            entry.content.details["stepUp"] = sign_in.details();
        }
        tx.record(entry);
        let next = if to == approved {
            if action.lifecycle.repeats.is_some() {
                tx.insert_targets(&action, &planned.targets).await?;
            }
            lifecycle::close_repeats_of_approved(tx, &action).await?;
            "It has not been run yet.".to_owned()
        } else {
            still_missing(&missing)
        };
        Ok(Committed::Done(done(to, format!("You approved it.{warned} {next}"))))
    }
}

/// The text that confirms an approval of high risk. `closed`: the sections of the page that the reviewer has not opened.
///
/// # Errors
/// [`Error::Refused`]: a section was not opened, or another text was typed.
fn require_confirmation(
    closed: &[&Section],
    policies: &Policies,
    input: &PolicyInput<'_>,
    action: &Action,
    typed: &str,
) -> Result<String, Error> {
    let refused = |message: String| Error::Refused {
        code: ReasonCode::PolicyRefused,
        message,
    };
    if let Some((first, more)) = closed.split_first() {
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return Err(refused(format!(
            "Not approved: these sections of the page are still closed: {}{more}. Open and read them.",
            first.title
        )));
    }
    let (text, typed) = (action.confirmation_text(), typed.trim());
    if typed.eq_ignore_ascii_case(&text) {
        return Ok(text);
    }
    let what = if typed.is_empty() {
        "nothing was typed"
    } else {
        "you typed something else"
    };
    let risk = policies.risk_class(&input.risk_input).as_str();
    Err(refused(format!(
        "Not approved: its risk is {risk}, so it is approved by typing {text}, and {what}."
    )))
}
