//! `grounding`: what is cited was read, and the reason cites something.

use crate::checks::CheckInput;
use crate::checks::report::{CheckReport, listed};
use crate::domain::{CheckId, FactRef, RecordKind, Verdict, ids};
use serde_json::Value;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Grounding);
    let facts = input.facts;
    if !input.unread.is_empty() {
        let names: Vec<String> = input.unread.iter().map(|id| input.name(id)).collect();
        let records = input.unread.iter().map(|id| {
            facts.reference(id).or_else(|| {
                // What does not exist can be cited in prose all the same.
                let kind = RecordKind::of(id)?;
                Some(FactRef {
                    kind,
                    id: id.clone(),
                    key: None,
                })
            })
        });
        found.add(
            Verdict::Warn,
            format!(
                "Cited, but not read before it was proposed: {}. Look at what is cited yourself, or let the agent read it and propose \
                 again.",
                listed(&names)
            ),
            records.flatten(),
            places(input.payload, input.unread),
        );
    }
    let reason = input.payload.get("reason").and_then(Value::as_str).unwrap_or_default();
    if !cites(input, reason) {
        found.add(
            Verdict::Warn,
            "The reason names no record that it rests on. Judge the proposal by its checks and evidence, not by its reason.",
            None,
            ["/reason".to_owned()],
        );
    }
    found.or_pass(
        "Every record that it cites was read before, and the reason names what it rests on.",
        None,
    )
}

/// The series that keys are numbered in: `FND-12`.
const SERIES: [&str; 4] = ["FND", "BLK", "EV", "WI"];

/// Whether a reason names a record, by its ID or by the key people use for it. Keys are not looked up: what is named is for people to
/// look at.
fn cites(input: &CheckInput<'_>, reason: &str) -> bool {
    let numbered = |word: &str| {
        word.split_once('-')
            .is_some_and(|(series, number)| SERIES.contains(&series) && number.parse::<u64>().is_ok())
    };
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !ids::scan(reason).is_empty() || reason.split(|c| !is_part(c)).any(numbered) {
        return true;
    }
    let facts = input.facts;
    let controls = facts.controls().map(|record| &record.key);
    let keys = controls.chain(facts.certifications().map(|record| &record.key));
    keys.into_iter().any(|key| {
        reason.match_indices(key.as_str()).any(|(at, _)| {
            let before = reason[..at].chars().next_back();
            let after = reason[at + key.len()..].chars().next();
            !key.is_empty() && !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    })
}

/// Where in the payload any of these IDs stand.
fn places(payload: &Value, wanted: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    crate::domain::each_text(payload, &mut |pointer, text| {
        if ids::scan(text).iter().any(|id| wanted.iter().any(|one| one == id)) {
            places.push(pointer.to_owned());
        }
    });
    places
}
