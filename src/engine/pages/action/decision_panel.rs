//! The decision panel of an action's page: what the acting person can do with the action.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::prune;
use crate::policy::{StepUp, Unmet};
use crate::views::*;

/// What an approval depends on besides the action itself.
pub(crate) struct Conditions<'a> {
    /// The sign-in of the session at the identity provider.
    pub sign_in: Option<&'a ProviderSignIn>,
    /// The pause that covers the action.
    pub paused: Option<&'a Pause>,
}

/// What the acting person can do, and why not where nothing can be done.
pub(crate) fn panel(
    ctx: &Ctx,
    action: &Action,
    state: State,
    checks: &[Check],
    envelope: &Envelope,
    approvals: &Approvals,
    now: Conditions<'_>,
) -> Panel {
    let Conditions { sign_in, paused } = now;
    let paused = paused.filter(|_| !state.is_final());
    let input = approvals.policy_input(action, envelope);
    let why_not_decidable = why_not_decidable(ctx, state, || approvals.refuses_me(&input));
    let mine = why_not_decidable.is_none() && !state.is_final();
    // Executing needs the role, but not membership in a group of the rule.
    let runs = state == State::Approved && allows(&ctx.principal, Permission::Execute);
    let person = approvals.me.as_ref().filter(|_| runs);
    let refuses = |me| approvals.policies.refuses_to_run(me, &approvals.approvers, &input);
    let not_run = person.and_then(|me| approvals.unresolved.clone().or_else(|| refuses(me)));
    let mut blocks = checks.iter().filter(|check| check.verdict == Verdict::Block);
    let (block, more) = (blocks.next(), blocks.count());
    let pending = state == State::PendingApproval;
    let failed: Vec<CheckId> = checks
        .iter()
        .filter(|check| check.verdict >= Verdict::Warn)
        .map(|check| check.id)
        .collect();
    let counted = summary(&envelope.change_set, "");
    let idle = if mine && pending {
        approvals.why_approval_does_not_count(&input)
    } else {
        None
    };
    let is_paused = paused.map(|pause| {
        let can = if pending {
            "It can be rejected now."
        } else {
            "Its approval can be revoked now."
        };
        format!(
            "Can't be approved or run until an operator resumes. {} {can}",
            pause.sentence()
        )
    });
    let approve = mine && pending && block.is_none() && idle.is_none() && paused.is_none();
    let step_up = approvals.policies.step_up(&input.risk_input).filter(|_| approve);
    Panel {
        approve,
        step_up: step_up.map(|required| sign_in_note(&required, sign_in, ctx.now())),
        reject: mine && pending,
        execute: person.is_some() && not_run.is_none() && paused.is_none(),
        run: approvals.policies.lets_approvers_run(),
        revoke: mine && state == State::Approved,
        word: (pending && approvals.policies.is_typed(&input.risk_input)).then(|| action.confirmation_text()),
        ask: mine && pending,
        prune: if mine && pending {
            prune::parts(action, &envelope.payload)
        } else {
            Vec::new()
        },
        why_not: match (
            not_run.or(why_not_decidable.filter(|_| !runs)).or(is_paused).or(idle),
            block,
        ) {
            (Some(why), _) => Some(why.into()),
            (None, Some(block)) if pending => Some(match more {
                0 => format!("Can't be approved yet: {}", block.message).into(),
                _ => format!("Can't be approved yet: {} {more} more results block it.", block.message).into(),
            }),
            _ => None,
        },
        you_approve: format!(
            "{} Digest {}…",
            counted,
            action
                .proposal
                .digest
                .trim_start_matches("sha256:")
                .chars()
                .take(12)
                .collect::<String>()
        )
        .into(),
        reasons: ReasonCode::for_rejection()
            .map(|code| {
                let ticked = matches!(code, ReasonCode::Check(check) if failed.contains(&check));
                (code.as_str().to_owned(), code.label().into(), ticked)
            })
            .collect(),
    }
}

/// Why this person may not decide a pending action; `None` if the person may, or if nothing is left to decide.
fn why_not_decidable(ctx: &Ctx, state: State, refuses: impl Fn() -> Option<String>) -> Option<String> {
    ctx.principal.person()?;
    if state.is_final() {
        return None;
    }
    if !allows(&ctx.principal, Permission::Approve) {
        return Some("Only reviewers and leads can decide this.".to_owned());
    }
    refuses()
}

/// What the page of an action says about the sign-in before the person approves.
fn sign_in_note(required: &StepUp, sign_in: Option<&ProviderSignIn>, now: Timestamp) -> StepUpNote {
    let (again, message) = match required.unmet(sign_in, now) {
        Some(Unmet::SignInAgain(why)) => (
            true,
            format!(
                "Before your approval you will be asked to sign in again: {why}. What you enter here is kept, and you come back to this page."
            ),
        ),
        Some(Unmet::Impossible(why)) => (false, format!("Can't be approved: {why}.")),
        None => {
            let until = sign_in
                .and_then(ProviderSignIn::authentication)
                .map(|at| required.met_until(at));
            let until = until.map_or_else(String::new, |until| format!(" Yours counts until {}.", until.minute()));
            (false, format!("Your approval requires a recent sign-in.{until}"))
        }
    };
    StepUpNote {
        again,
        message: message.into(),
    }
}
