//! `grounding`: the agent has read the records that it cites, and its reason names a record.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::text::prose::listed;
use crate::domain::{CheckCode, FactRef, RecordKind, Verdict, ids};
use serde_json::Value;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let facts = input.facts;
    if !input.unread.is_empty() {
        let names: Vec<String> = input.unread.iter().map(|id| input.name(id)).collect();
        let records = input.unread.iter().map(|id| {
            facts.reference(id).or_else(|| {
                // The text may cite a record that does not exist.
                let kind = RecordKind::of(id)?;
                Some(FactRef {
                    kind,
                    id: id.clone(),
                    key: None,
                })
            })
        });
        let them = if names.len() == 1 { "it" } else { "them" };
        report.add(
            CheckCode::CitedUnread,
            Verdict::Warn,
            format!(
                "The agent cites {} without having read {them}. Check {them} yourself, or reject.",
                listed(&names)
            ),
            records.flatten(),
            pointers_of(input.payload, input.unread),
        );
    }
    let reason = input.payload.get("reason").and_then(Value::as_str).unwrap_or_default();
    if !names_record(input, reason) {
        report.add(
            CheckCode::ReasonWithoutRecord,
            Verdict::Warn,
            "The reason names no record. Rely on the checks and evidence instead.",
            None,
            ["/reason".to_owned()],
        );
    }
    report.or_pass(
        CheckCode::GroundingPassed,
        "The agent read every record that it cites, and the reason names a record.",
        None,
    )
}

/// The prefixes of numbered keys: `FND-12`.
const KEY_PREFIXES: [&str; 4] = ["FND", "BLK", "EV", "WI"];

/// Whether a reason names a record by ID or key. Numbered keys are not looked up, because the reviewer reads the reason anyway.
fn names_record(input: &CheckInput<'_>, reason: &str) -> bool {
    let is_numbered_key = |word: &str| {
        word.split_once('-')
            .is_some_and(|(prefix, number)| KEY_PREFIXES.contains(&prefix) && number.parse::<u64>().is_ok())
    };
    let is_key_character = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !ids::scan(reason).is_empty() || reason.split(|c| !is_key_character(c)).any(is_numbered_key) {
        return true;
    }
    let facts = input.facts;
    let controls = facts.controls().map(|record| &record.key);
    let keys = controls.chain(facts.certifications().map(|record| &record.key));
    keys.into_iter().any(|key| {
        reason.match_indices(key.as_str()).any(|(at, _)| {
            let before = reason[..at].chars().next_back();
            let after = reason[at + key.len()..].chars().next();
            !key.is_empty() && !before.is_some_and(is_key_character) && !after.is_some_and(is_key_character)
        })
    })
}

/// The pointers of all texts of the payload that have one of these IDs.
fn pointers_of(payload: &Value, wanted: &[String]) -> Vec<String> {
    let mut pointers = Vec::new();
    crate::domain::each_text(payload, &mut |pointer, text| {
        if ids::scan(text).iter().any(|id| wanted.iter().any(|one| one == id)) {
            pointers.push(pointer.to_owned());
        }
    });
    pointers
}
