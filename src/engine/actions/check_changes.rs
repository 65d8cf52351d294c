//! Records when the checks of an action give another result than the log has.
//!
//! Checks run again when a person opens the page of a pending action, decides it, or runs it. Nothing else runs them: neither a background task
//! nor an import.

use crate::audit::Event;
use crate::domain::{Action, Actor, Check, Verdict};
use crate::engine::{Error, audit_entries};
use crate::store::{AuditRecord, WriteTx};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whether two results differ: another problem, other records or places, or another verdict. Messages do not count.
pub(crate) fn differ(one: &[Check], other: &[Check]) -> bool {
    problems(one) != problems(other)
}

fn problems(checks: &[Check]) -> BTreeSet<String> {
    let problems = checks.iter().filter(|check| check.verdict != Verdict::Pass);
    problems.map(Check::mark).collect()
}

/// The result that the action's entries (oldest first) have last: of the proposal, of a decision, or of a change.
pub(crate) fn last_recorded(action: &Action, entries: &[AuditRecord]) -> Vec<Check> {
    let of_entry = |entry: &AuditRecord| {
        let details = &entry.content.details;
        let stored = details.get("checks").or_else(|| details.get("verdicts"))?.as_array()?;
        // A result that this version cannot read is left out, as on pages.
        let checks = stored.iter().filter_map(|one| serde_json::from_value(one.clone()).ok());
        Some(checks.collect::<Vec<Check>>()).filter(|checks| !checks.is_empty())
    };
    let last = entries.iter().rev().find_map(of_entry);
    last.unwrap_or_else(|| action.judgement.checks.clone())
}

/// Records an entry if `now` differs from what the log has last. The log is read only if `now` differs from `known`, a result that the log
/// had at some time.
pub(crate) async fn record(tx: &mut WriteTx, action: &Action, known: &[Check], now: &[Check]) -> Result<(), Error> {
    if differ(known, now) {
        compare_and_record(tx, action, now).await?;
    }
    Ok(())
}

/// Records an entry if `now` differs from what the log has last.
pub(crate) async fn compare_and_record(tx: &mut WriteTx, action: &Action, now: &[Check]) -> Result<(), Error> {
    let entries = tx.audit_of_action(&action.id).await?;
    let before = last_recorded(action, &entries);
    if !differ(&before, now) {
        return Ok(());
    }
    let details = json!({ "digest": action.proposal.digest, "before": verdicts(&before), "checks": now });
    let mut entry = audit_entries::about(tx, action, Event::ChecksChanged, action.state(), details);
    // Records or time have changed the result. The person whose request found the change did not cause it.
    entry.content.actor = Actor::System;
    tx.record(entry);
    Ok(())
}

/// The problems in short: check, code and verdict.
fn verdicts(checks: &[Check]) -> Vec<Value> {
    let problems = checks.iter().filter(|check| check.verdict != Verdict::Pass);
    problems
        .map(|check| json!({ "id": check.id, "code": check.code, "verdict": check.verdict }))
        .collect()
}
