//! No input makes the verifier panic, and a damaged one is not verified.

use crate::log::{Log, TENANT};
use loopiq_audit_log::PublicKey;
use loopiq_verifier::{Verdict, entry, growth, verify_entry, verify_growth};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Replaces the characters from `at` on with `noise`. Returns `None` if that leaves the text as it was.
fn damaged(text: &str, at: usize, cut: usize, noise: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = at % chars.len();
    let end = (at + cut).min(chars.len());
    let new: String = chars[..at]
        .iter()
        .copied()
        .chain(noise.chars())
        .chain(chars[end..].iter().copied())
        .collect();
    (new != text).then_some(new)
}

/// The value of a JSON text with its keys in their one form: a key may be written in several.
fn value(text: &str) -> Option<Value> {
    fn unify(value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(unify),
            Value::Array(values) => values.iter_mut().for_each(unify),
            Value::String(text) => {
                if let Ok(key) = text.parse::<PublicKey>() {
                    *text = key.to_string();
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::from_str(text).ok()?;
    unify(&mut value);
    Some(value)
}

proptest! {
    #[test]
    fn any_text_is_answered(one in ".{0,200}", other in ".{0,200}") {
        prop_assert_eq!(entry(&one, &other).verdict, Verdict::Failed);
        prop_assert_eq!(growth(&one).verdict, Verdict::Failed);
        for report in [verify_entry(&one, &other), verify_growth(&one)] {
            let report: Value = serde_json::from_str(&report).unwrap();
            prop_assert_eq!(&report["verdict"], "failed");
        }
    }

    #[test]
    fn a_damaged_proof_is_not_verified(seq in 1..9_u64, at: usize, cut in 0..40_usize, noise in "[ -~]{0,3}") {
        let log = Log::of(9);
        let (proof, shown) = (log.proof(seq, Some(9)), log.shown(seq));
        let Some(damaged) = damaged(&proof.to_string(), at, cut, &noise) else { return Ok(()) };
        let report = entry(&damaged, &shown.to_string());
        if report.verdict == Verdict::Verified {
            prop_assert_eq!(value(&damaged), value(&proof.to_string()));
        }
    }

    #[test]
    fn a_damaged_request_is_not_verified(at: usize, cut in 0..40_usize, noise in "[ -~]{0,3}") {
        let log = Log::of(9);
        let request = json!({
            "tenant": TENANT, "seen": { "checkpoint": log.checkpoint(5), "key": log.public()[0] }, "now": log.checkpoint(9),
            "keys": log.public(), "consistency": log.consistency(5, 9),
        }).to_string();
        let Some(damaged) = damaged(&request, at, cut, &noise) else { return Ok(()) };
        let report = growth(&damaged);
        if report.verdict == Verdict::Verified && report.seen_size.is_some() {
            prop_assert_eq!(value(&damaged), value(&request));
        }
    }

    #[test]
    fn any_numbers_are_answered(seq: u64, size: u64, old: u64, hashes in 0..70_usize) {
        let log = Log::of(3);
        let hash = log.shown(1)["leafHash"].clone();
        let mut proof = log.proof(1, Some(3));
        proof["inclusion"] = json!({ "seq": seq, "size": size, "hashes": vec![hash.clone(); hashes] });
        prop_assert_eq!(entry(&proof.to_string(), &log.shown(1).to_string()).verdict, Verdict::Failed);
        let consistency = json!({ "oldSize": old, "size": size, "hashes": vec![hash; hashes] }).to_string();
        let request = json!({
            "tenant": TENANT, "seen": { "checkpoint": log.checkpoint(2), "key": log.public()[0] }, "now": log.checkpoint(3),
            "keys": log.public(), "consistency": consistency,
        });
        prop_assert_eq!(growth(&request.to_string()).verdict, Verdict::Failed);
    }
}
