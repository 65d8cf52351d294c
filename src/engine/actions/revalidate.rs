//! What stands for and against an approval today: the checks, what the reviewer was shown of them, and what they acknowledged.

use crate::context::Ctx;
use crate::domain::*;
use crate::engine::Error;
use crate::engine::actions::plan;
use crate::engine::actions::plan::{Planned, decode_envelope};
use crate::policy::Policies;
use crate::store::{ActionRow, ReadTx, ViewKey, WriteTx};
use crate::tools;

/// The value that the decision forms of this action's page carry for whoever asks; see [`ViewKey::form_value`].
pub(crate) fn form_value(ctx: &Ctx, action: &ActionRow) -> Option<String> {
    ViewKey::of(ctx, action).map(|view| view.form_value(ctx.tenant()))
}

/// What this person was shown when they opened the action in this session, if `value` is the one that its page carries.
///
/// # Errors
/// [`ReasonCode::NotOpened`]: the person has not opened the action in this session, or the form belongs to another page.
pub(crate) async fn recorded_view(tx: &mut ReadTx, action: &ActionRow, value: &str) -> Result<PageSnapshot, Error> {
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

/// The same for commands that need no view: a form that carries a value must carry the right one.
///
/// # Errors
/// As [`recorded_view`].
pub(crate) async fn require_same_view(tx: &mut ReadTx, action: &ActionRow, value: &str) -> Result<(), Error> {
    if !value.is_empty() {
        recorded_view(tx, action, value).await?;
    }
    Ok(())
}

/// Nobody approves by a page that is out of date: a check that speaks against the action now and did not when this person opened it is
/// named first.
pub(crate) fn unchanged_since_opened(shown: &PageSnapshot, checks: &[Check]) -> Result<(), Error> {
    let known: Vec<String> = shown.checks.iter().map(Check::mark).collect();
    let new = checks
        .iter()
        .find(|check| check.verdict != Verdict::Pass && !known.contains(&check.mark()));
    match new {
        None => Ok(()),
        Some(check) => Err(Error::Refused {
            code: ReasonCode::Check(check.id),
            message: format!(
                "Not approved, because this has changed since you opened it: {} Look at the page again, and decide anew.",
                check.message
            ),
        }),
    }
}

/// The warnings that were acknowledged, and those that were not. Nobody acknowledges what is not there: a warning that comes later is
/// new.
pub(crate) fn split_by_acknowledged<'c>(
    checks: &'c [Check],
    acknowledged: &[String],
) -> (Vec<&'c Check>, Vec<&'c Check>) {
    let warnings = || checks.iter().filter(|check| check.warns());
    warnings().partition(|check| {
        let alone = warnings().filter(|other| other.id == check.id).count() == 1;
        acknowledged
            .iter()
            .any(|named| *named == check.mark() || (alone && named == check.id.as_str()))
    })
}

/// The checks as they are today. A payload that no longer fits the facts can't be approved.
pub(crate) async fn revalidate_plan(
    tx: &mut WriteTx,
    action: &ActionRow,
    policies: &Policies,
) -> Result<Planned, Error> {
    let envelope = decode_envelope(action)?;
    let Some(tool) = tools::find(&action.tool).filter(|tool| tool.version() == action.tool_version) else {
        return Err(Error::Refused {
            code: ReasonCode::PlanChanged,
            message: "Not approved: this version of the tool is gone. Reject it, so that the agent proposes anew."
                .to_owned(),
        });
    };
    match plan::replan(tx, tool, action, &envelope, policies).await? {
        Ok(planned) if planned.plan.change_set != envelope.change_set => Err(stale(ReasonCode::StaleTarget, "")),
        Ok(planned) if planned.evidence_digests() != envelope.evidence => Err(stale(ReasonCode::EvidenceChanged, "")),
        Ok(planned) => Ok(planned),
        Err(fields) => Err(stale(
            ReasonCode::StaleTarget,
            fields.first().map_or("", |f| f.message.as_str()),
        )),
    }
}

fn stale(code: ReasonCode, detail: &str) -> Error {
    let detail = if detail.is_empty() {
        String::new()
    } else {
        format!(" ({detail})")
    };
    Error::Refused {
        code,
        message: format!(
            "Not approved: {}{detail}, so it would do something else today. Reject it, so that the agent proposes anew.",
            code.words()
        ),
    }
}
