//! What stands for and against an approval today: the checks, what the reviewer was shown of them, and what they acknowledged.

use super::Error;
use super::planning::{self, Planned, opened};
use crate::domain::*;
use crate::policy::Policies;
use crate::store::{ActionRow, ViewKey, WriteTx};
use crate::tools;

/// Nobody approves by a page that is out of date: what speaks against it now and did not when this person opened it is said first. Whoever
/// has not opened it in this session was shown nothing, and has acknowledged nothing either.
pub(super) async fn unchanged_since_opened(
    tx: &mut WriteTx,
    action: &ActionRow,
    checks: &[Check],
) -> Result<(), Error> {
    let Some(view) = ViewKey::of(tx.ctx(), action) else {
        return Ok(());
    };
    let Some((shown, _)) = tx.last_seen(&view).await? else {
        return Ok(());
    };
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
pub(super) fn answered<'c>(checks: &'c [Check], acknowledged: &[String]) -> (Vec<&'c Check>, Vec<&'c Check>) {
    let warnings = || checks.iter().filter(|check| check.warns());
    warnings().partition(|check| {
        let alone = warnings().filter(|other| other.id == check.id).count() == 1;
        acknowledged
            .iter()
            .any(|named| *named == check.mark() || (alone && named == check.id.as_str()))
    })
}

/// The checks as they are today. A payload that no longer fits the facts can't be approved.
pub(super) async fn judge(tx: &mut WriteTx, action: &ActionRow, policies: &Policies) -> Result<Planned, Error> {
    let envelope = opened(action)?;
    let Some(tool) = tools::find(&action.tool).filter(|tool| tool.version() == action.tool_version) else {
        return Err(Error::Refused {
            code: ReasonCode::PlanChanged,
            message: "Not approved: this version of the tool is gone. Reject it, so that the agent proposes anew."
                .to_owned(),
        });
    };
    match planning::again(tx, tool, action, &envelope, policies).await? {
        Ok(planned) if planned.plan.change_set != envelope.change_set => Err(stale(ReasonCode::StaleTarget, "")),
        Ok(planned) if planned.seals() != envelope.evidence => Err(stale(ReasonCode::EvidenceChanged, "")),
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
