//! Growth: a log that continues, a fork, a shorter log, and keys.

use crate::log::{Log, TENANT, key};
use loopiq_verifier::{GrowthReport, Verdict, growth};
use serde_json::{Value, json};

/// The request about `now`, of a browser that has seen the first `old` entries of `before`.
fn request(before: &Log, old: u64, now: &Log) -> Value {
    let size = now.size();
    json!({
        "tenant": TENANT,
        "seen": { "checkpoint": before.checkpoint(old), "key": before.public()[0] },
        "now": now.checkpoint(size),
        "keys": now.public(),
        "consistency": (old < size).then(|| now.consistency(old, size)),
    })
}

fn verify(request: &Value) -> GrowthReport {
    growth(&request.to_string())
}

/// The first step that does not hold.
fn failed(report: &GrowthReport) -> &'static str {
    assert_eq!(report.verdict, Verdict::Failed, "{report:#?}");
    let step = report.steps.iter().find(|step| !step.ok).expect("a failed step");
    assert_eq!(report.headline, step.says);
    step.name
}

#[test]
fn a_first_visit_remembers_the_key_and_the_size() {
    let log = Log::of(5);
    let mut first = request(&log, 5, &log);
    first["seen"] = json!(null);
    let report = verify(&first);
    assert_eq!(
        (report.verdict, report.size, report.seen_size, report.new_key),
        (Verdict::Verified, 5, None, false)
    );
    assert_eq!(report.key, Some(log.public()[0].clone()));
}

#[test]
fn a_log_that_grows_continues() {
    for (old, new) in [(1, 2), (4, 8), (5, 13), (13, 13), (16, 17)] {
        let log = Log::of(new);
        let report = verify(&request(&log, old, &log));
        assert_eq!(
            (report.verdict, report.seen_size),
            (Verdict::Verified, Some(old)),
            "{report:#?}"
        );
    }
}

#[test]
fn another_history_is_a_fork() {
    let (before, mut now) = (Log::of(5), Log::of(4));
    now.push("action.rejected", &json!({ "note": "entry 5" }));
    let same_size = verify(&request(&before, 5, &now));
    assert_eq!(failed(&same_size), "growth");
    assert!(
        same_size.headline.contains("two different signed logs of 5 entries"),
        "{}",
        same_size.headline
    );
    now.push("action.rejected", &json!({}));
    let larger = verify(&request(&before, 5, &now));
    assert_eq!(failed(&larger), "growth");
    assert!(larger.headline.contains("History was rewritten"), "{}", larger.headline);
}

#[test]
fn a_shorter_log_is_refused() {
    let (before, now) = (Log::of(5), Log::of(4));
    let report = verify(&request(&before, 5, &now));
    assert_eq!(failed(&report), "growth");
    assert_eq!(
        report.headline,
        "The log is shorter: it has 4 entries today, and had 5 entries. Entries were removed."
    );
}

#[test]
fn a_missing_or_other_proof_of_growth_is_refused() {
    let log = Log::of(13);
    for proof in [
        json!(null),
        json!("{}"),
        json!(log.consistency(4, 13)),
        json!(log.consistency(5, 12)),
    ] {
        let mut request = request(&log, 5, &log);
        request["consistency"] = proof;
        assert_eq!(failed(&verify(&request)), "growth");
    }
}

#[test]
fn a_new_key_needs_an_entry_that_announces_it() {
    let before = Log::of(5);
    let mut now = Log::of(5);
    let first = now.rotate(key(2));
    now.push("action.proposed", &json!({}));
    let second = now.rotate(key(3));
    let mut request = request(&before, 5, &now);

    let report = verify(&request);
    assert_eq!((failed(&report), report.new_key), ("key", true));

    let size = now.size();
    let proof = |seq: u64| now.proof(seq, Some(size)).to_string();
    request["rotations"] = json!([proof(second), proof(first)]);
    let report = verify(&request);
    assert_eq!(
        (report.verdict, report.announced_by),
        (Verdict::Verified, Some(second)),
        "{report:#?}"
    );

    // A link of the chain is missing, or it is not in the signed log, or it is another event.
    let mut unsigned = now.proof(first, Some(size));
    unsigned["inclusion"]["hashes"][0] = unsigned["inclusion"]["hashes"][1].clone();
    for rotations in [
        json!([proof(second)]),
        json!([proof(second), unsigned.to_string()]),
        json!([proof(second), now.proof(first, None).to_string()]),
        json!([proof(second), proof(1)]),
        json!(["", "{}"]),
    ] {
        request["rotations"] = rotations;
        assert_eq!(failed(&verify(&request)), "key");
    }
}

#[test]
fn what_this_browser_remembers_is_verified_too() {
    let log = Log::of(5);
    let seen = |checkpoint: Value, key: Value| {
        let mut request = request(&log, 5, &log);
        request["seen"] = json!({ "checkpoint": checkpoint, "key": key });
        verify(&request)
    };
    let key_of = |log: &Log| json!(log.public()[0]);
    let other = Log {
        keys: vec![key(9)],
        ..Log::of(5)
    };
    assert_eq!(failed(&seen(json!("text"), key_of(&log))), "seen");
    assert_eq!(failed(&seen(json!(log.checkpoint(5)), json!("text"))), "seen");
    assert_eq!(failed(&seen(json!(log.checkpoint(5)), key_of(&other))), "seen");
    assert_eq!(failed(&seen(json!(other.checkpoint(5)), key_of(&other))), "key");
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let log = Log::of(5);
    let mut other_tenant = request(&log, 5, &log);
    other_tenant["tenant"] = json!("globex");
    assert_eq!(failed(&verify(&other_tenant)), "origin");
    let mut no_keys = request(&log, 5, &log);
    no_keys["keys"] = json!([]);
    assert_eq!(failed(&verify(&no_keys)), "signature");
    assert_eq!(failed(&verify(&json!("text"))), "request");
    let mut text = request(&log, 5, &log);
    text["now"] = json!("text");
    assert_eq!(failed(&verify(&text)), "checkpoint");
}
