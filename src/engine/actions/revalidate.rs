//! What must still hold before an action is approved and before it runs: the only place that says so.
//!
//! | | approve | execute |
//! |---|---|---|
//! | the acting person has opened the page in this session | x | x |
//! | the policies let the acting person decide, or run | x | x |
//! | the identity provider has confirmed the roles of the acting person lately | x | x |
//! | the same for the approvers whose approvals are needed | | x |
//! | the accounts of caller and pruner are identified | x | x |
//! | no problem has come up that the page did not show | x | |
//! | the envelope's bytes give the digest | x | x |
//! | an approval names this digest | | x |
//! | tables and audit entries agree ([`action_check`]) | | x |
//! | caller and approvers have the rights they need, and no approval is missing | | x |
//! | the tool has the version that planned the action | x | x |
//! | planning on the current records gives the same change set and the same evidence | x | x |
//! | no check blocks, and every warning is acknowledged | x | x |
//! | the bytes of the cited evidence have the recorded hash | by the stored result | hashed now |
//!
//! What the first five lines refuse leaves an approved action Approved; what a later line refuses at execution makes it Failed.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::engine::actions::check_changes;
use crate::engine::actions::plan::{self, EvidenceBytes, PlanError, Planned, decode_envelope};
use crate::engine::audit_log::action_check;
use crate::engine::evidence_files;
use crate::policy::{Policies, PolicyInput};
use crate::store::{ReadTx, ViewKey, WriteTx};
use crate::views::Label;
use crate::{checks, tools};

/// An action that may be approved or run: its plan, made again on the current records, is the one that its envelope binds.
pub(crate) struct Valid {
    pub envelope: Envelope,
    pub planned: Planned,
}

/// What no longer holds.
pub(crate) struct Violation {
    /// The reason code.
    pub code: ReasonCode,
    /// What happened, as a phrase without a full stop; empty where the code says it all.
    pub detail: String,
}

impl Violation {
    fn new(code: ReasonCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { code, detail }
    }

    fn with_words(code: ReasonCode) -> Self {
        Self::new(code, code.label())
    }
}

/// The result of a validation.
pub(crate) enum Validity {
    /// Everything holds.
    Valid(Box<Valid>),
    /// Something does not.
    Violated(Violation),
}

impl From<Violation> for Validity {
    fn from(violation: Violation) -> Self {
        Validity::Violated(violation)
    }
}

/// Plans the action again and compares the plan with the envelope.
async fn same_plan(
    tx: &mut ReadTx,
    action: &Action,
    envelope: Envelope,
    policies: &Policies,
    evidence: EvidenceBytes,
) -> Result<Validity, Error> {
    let Some(tool) = tools::find_version(&action.proposal.tool, action.proposal.tool_version) else {
        return Ok(Violation::new(ReasonCode::PlanChanged, "this version of the tool is gone").into());
    };
    let planned = match plan::replan(tx, tool, action, &envelope, policies, evidence).await {
        Ok(planned) => planned,
        Err(PlanError::DoesNotFit(fields)) => {
            let detail = fields
                .first()
                .map_or_else(String::new, |field| format!("{}: {}", field.pointer, field.message));
            return Ok(Violation::new(ReasonCode::StaleTarget, detail).into());
        }
        Err(PlanError::Broken(error)) => return Err(error),
    };
    if planned.plan.change_set != envelope.change_set {
        return Ok(Violation::with_words(ReasonCode::StaleTarget).into());
    }
    if planned.evidence_digests() != envelope.evidence {
        return Ok(Violation::with_words(ReasonCode::EvidenceChanged).into());
    }
    Ok(Validity::Valid(Box::new(Valid { envelope, planned })))
}

/// The plan of a pending action as it is now.
///
/// # Errors
/// [`Error::Refused`]: it would do something else than its envelope says, so that nobody may approve it.
pub(crate) async fn current_plan(tx: &mut ReadTx, action: &Action, policies: &Policies) -> Result<Planned, Error> {
    let envelope = decode_envelope(action)?;
    let violation = match same_plan(tx, action, envelope, policies, EvidenceBytes::StoredResult).await? {
        Validity::Valid(valid) => return Ok(valid.planned),
        Validity::Violated(violation) => violation,
    };
    let (code, words) = (violation.code, violation.code.label());
    let why = match (code, violation.detail.as_str()) {
        (ReasonCode::PlanChanged, detail) => detail.to_owned(),
        (_, detail) if detail.is_empty() || detail == words => {
            format!("{words}, so it would do something else today")
        }
        (_, detail) => format!("{words} ({detail}), so it would do something else today"),
    };
    Err(Error::Refused {
        code,
        message: format!("Not approved: {why}. Reject it, so that the agent can propose again."),
    })
}

/// What a reviewer approves by.
pub(crate) struct Approvable {
    pub planned: Planned,
    /// Marks of the warnings that the reviewer acknowledged.
    pub acknowledged: Vec<String>,
}

/// Whether an approval of the acting person would count now. `view`: the value that the forms of the action's page carry. Returns what the
/// page showed.
///
/// # Errors
/// [`Error::NotAuthorized`]: a policy does not let this person decide. [`Error::Refused`]: the approval would not count, or the page was not
/// opened.
pub(crate) async fn require_approvable(
    tx: &mut ReadTx,
    action: &Action,
    approvals: &Approvals,
    input: &PolicyInput<'_>,
    view: &str,
) -> Result<PageSnapshot, Error> {
    if let Some(why) = approvals.refuses_me(input) {
        return Err(Error::NotAuthorized { why });
    }
    if let Some(why) = approvals.why_approval_does_not_count(input) {
        return Err(Error::Refused {
            code: ReasonCode::PolicyRefused,
            message: format!("Nothing was decided. {why}"),
        });
    }
    recorded_view(tx, action, view).await
}

/// Validates an approval: `planned` is the current plan, `seen` what the page showed, `acknowledged` what the reviewer ticked there.
///
/// # Errors
/// [`Error::Refused`] says what stands against it.
pub(crate) fn for_approval(
    planned: Planned,
    approvals: &Approvals,
    seen: &PageSnapshot,
    acknowledged: &[String],
) -> Result<Approvable, Error> {
    unchanged_since_opened(seen, &planned.checks)?;
    let acknowledged = require_acknowledged(&planned.checks, acknowledged)?;
    // A person who has approved makes no second decision, and so acknowledges nothing more.
    let new = planned
        .checks
        .iter()
        .find(|check| check.warns() && !approvals.acknowledge(check));
    if let (Some(_), Some(new)) = (approvals.mine(), new) {
        return Err(Error::Refused {
            code: ReasonCode::Check(new.id),
            message: format!(
                "Nothing was decided: this has come up since you approved it, so that another reviewer has to look at it. {}",
                new.message
            ),
        });
    }
    Ok(Approvable { planned, acknowledged })
}

/// Whether the acting person may run the action now. `view`: the value that the forms of its page carry. A refusal leaves the action
/// Approved.
///
/// # Errors
/// [`Error::NotAuthorized`]: a policy does not let this person run it. [`Error::Refused`]: the page was not opened, or an account has to be
/// identified first.
pub(crate) async fn require_runnable(
    tx: &mut ReadTx,
    action: &Action,
    approvals: &Approvals,
    view: &str,
) -> Result<(), Error> {
    // The next validation reports a damaged envelope: it fails the action.
    if let (Ok(envelope), Some(me)) = (decode_envelope(action), &approvals.me) {
        let input = approvals.policy_input(action, &envelope);
        if let Some(why) = approvals.policies.refuses_to_run(me, &approvals.approvers, &input) {
            return Err(Error::NotAuthorized { why });
        }
        if let Some(why) = approvals.lapsed_approval(&input) {
            return Err(Error::Refused {
                code: ReasonCode::PolicyRefused,
                message: format!("Nothing was done. {why}"),
            });
        }
    }
    recorded_view(tx, action, view).await?;
    match approvals.party_unresolved {
        None => Ok(()),
        Some(why) => Err(Error::Refused {
            code: ReasonCode::PolicyRefused,
            message: format!("Nothing was done. {why}"),
        }),
    }
}

/// Validates an approved action before it runs.
pub(crate) async fn for_execution(tx: &mut WriteTx, action: &Action, approvals: &Approvals) -> Result<Validity, Error> {
    let Ok(envelope) = decode_envelope(action) else {
        return Ok(Violation::with_words(ReasonCode::EnvelopeDamaged).into());
    };
    if approvals.given.is_empty() {
        return Ok(Violation::new(ReasonCode::DigestMismatch, "no approval names its digest").into());
    }
    if let Some(detail) = action_check::difference(tx, action, approvals).await? {
        return Ok(Violation::new(ReasonCode::EnvelopeDamaged, detail).into());
    }
    if let Some(lost) = lost_rights(tx, action, &envelope, approvals).await? {
        return Ok(lost.into());
    }
    let valid = match same_plan(tx, action, envelope, &approvals.policies, EvidenceBytes::HashNow).await? {
        Validity::Valid(valid) => valid,
        violated => return Ok(violated),
    };
    evidence_files::keep_of_execution(tx, &valid.planned).await?;
    if let Some(approval) = approvals.given.last() {
        check_changes::record(tx, action, &approval.verdicts, &valid.planned.checks).await?;
    }
    let acknowledged = |check: &Check| checks::is_of_open_actions(check) || approvals.acknowledge(check);
    let new = valid
        .planned
        .checks
        .iter()
        .find(|check| check.verdict == Verdict::Block || (check.warns() && !acknowledged(check)));
    match new {
        Some(check) => Ok(Violation::new(ReasonCode::Check(check.id), check.message.to_string()).into()),
        None => Ok(Validity::Valid(valid)),
    }
}

/// An action never has more rights than its caller and its approvers have now, and both policies must still be content with the
/// approvals that count.
async fn lost_rights(
    tx: &mut WriteTx,
    action: &Action,
    envelope: &Envelope,
    approvals: &Approvals,
) -> Result<Option<Violation>, Error> {
    let caller = tx.people(&[action.origin.caller_id.as_str()]).await?.pop();
    if !caller.is_some_and(|caller| caller.has_any(&[Role::Developer, Role::Reviewer, Role::Lead])) {
        let detail = "the person it was proposed for may not propose any more";
        return Ok(Some(Violation::new(ReasonCode::NotAuthorized, detail)));
    }
    let missing = approvals.missing(&approvals.policy_input(action, envelope));
    if missing.is_empty() {
        return Ok(None);
    }
    let deciders = [Role::Reviewer, Role::Lead];
    if approvals.approvers.iter().any(|one| !one.person.has_any(&deciders)) {
        let detail = "a person who approved it may not approve any more";
        return Ok(Some(Violation::new(ReasonCode::NotAuthorized, detail)));
    }
    let groups: Vec<String> = missing.into_iter().map(|one| one.group).collect();
    let detail = format!("by the policy it lacks an approval of {}", groups.join(" and "));
    Ok(Some(Violation::new(ReasonCode::PolicyRefused, detail)))
}

/// The value that the decision forms of this action's page carry for the acting person; see [`ViewKey::form_value`].
pub(crate) fn form_value(ctx: &Ctx, action: &Action) -> Option<String> {
    ViewKey::of(ctx, action).map(|view| view.form_value(ctx.tenant()))
}

/// What the page showed to the acting person in this session, if `value` is the one that its forms carry.
///
/// # Errors
/// [`ReasonCode::NotOpened`]: the person has not opened the page in this session, or the form belongs to another page.
pub(crate) async fn recorded_view(tx: &mut ReadTx, action: &Action, value: &str) -> Result<PageSnapshot, Error> {
    let fits = form_value(tx.ctx(), action).is_some_and(|known| known == value);
    let shown = match ViewKey::of(tx.ctx(), action).filter(|_| fits) {
        Some(view) => tx.last_seen(&view).await?,
        None => None,
    };
    shown.map(|(shown, _)| shown).ok_or_else(|| Error::Refused {
        code: ReasonCode::NotOpened,
        message: "Nothing was done: open the action's page in this session first, read it, and decide there."
            .to_owned(),
    })
}

/// The same for commands that need no view of the page: a form that carries a value must carry the right one.
///
/// # Errors
/// As [`recorded_view`].
pub(crate) async fn require_same_view(tx: &mut ReadTx, action: &Action, value: &str) -> Result<(), Error> {
    if !value.is_empty() {
        recorded_view(tx, action, value).await?;
    }
    Ok(())
}

/// A reviewer must not approve by a page that is out of date: trouble that the page did not show is named first.
fn unchanged_since_opened(seen: &PageSnapshot, checks: &[Check]) -> Result<(), Error> {
    let known: Vec<String> = seen.checks.iter().map(Check::mark).collect();
    let new = checks
        .iter()
        .find(|check| check.verdict != Verdict::Pass && !known.contains(&check.mark()));
    match new {
        None => Ok(()),
        Some(check) => Err(Error::Refused {
            code: ReasonCode::Check(check.id),
            message: format!(
                "Not approved, because this has changed since you opened it: {} Look at the page again, then decide.",
                check.message
            ),
        }),
    }
}

/// The marks of the acknowledged warnings.
///
/// # Errors
/// [`Error::Refused`]: a check blocks, or a warning is not acknowledged.
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

/// The warnings that were acknowledged, and those that were not. A check's name means its only warning. Only warnings that are
/// there can be acknowledged: one that comes up later is new.
fn split_by_acknowledged<'c>(checks: &'c [Check], acknowledged: &[String]) -> (Vec<&'c Check>, Vec<&'c Check>) {
    let warnings = || checks.iter().filter(|check| check.warns());
    warnings().partition(|check| {
        let alone = warnings().filter(|other| other.id == check.id).count() == 1;
        acknowledged
            .iter()
            .any(|named| *named == check.mark() || (alone && named == check.id.as_str()))
    })
}
