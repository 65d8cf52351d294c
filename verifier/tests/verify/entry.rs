//! Entries: a proved one, and every way in which one can fail.

use crate::log::{Log, key};
use loopiq_verifier::{EntryReport, Verdict, entry};
use serde_json::{Value, json};

fn verify(proof: &Value, shown: &Value) -> EntryReport {
    entry(&proof.to_string(), &shown.to_string())
}

/// The names of the steps that do not hold.
fn failed(report: &EntryReport) -> Vec<&'static str> {
    report
        .steps
        .iter()
        .filter(|step| !step.ok)
        .map(|step| step.name)
        .collect()
}

#[test]
fn every_entry_of_a_log_is_verified_step_by_step() {
    let log = Log::of(13);
    for seq in 1..=13 {
        let report = verify(&log.proof(seq, Some(13)), &log.shown(seq));
        assert_eq!(report.verdict, Verdict::Verified, "{report:#?}");
        assert_eq!(
            report.headline,
            "Verified in your browser: this entry is in the signed log of 13 entries."
        );
        let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
        assert_eq!(
            names,
            ["content", "leaf", "path", "root", "signature", "origin", "page"]
        );
        let path = &report.steps[2];
        assert_eq!(
            Some(path.levels.last().unwrap().result.to_string()),
            report.steps[3].value
        );
        assert_eq!(report.steps[4].value.as_deref(), Some(log.public()[0].as_str()));
    }
}

#[test]
fn the_only_entry_is_its_own_root() {
    let log = Log::of(1);
    let report = verify(&log.proof(1, Some(1)), &log.shown(1));
    assert_eq!((report.verdict, report.steps[2].levels.len()), (Verdict::Verified, 0));
}

#[test]
fn an_entry_that_no_checkpoint_covers_is_not_called_verified() {
    let log = Log::of(3);
    let report = verify(&log.proof(3, None), &log.shown(3));
    assert_eq!(report.verdict, Verdict::NotSignedYet);
    let mut changed = log.proof(3, None);
    changed["content"] = json!("{\"note\":\"another\"}");
    assert_eq!(failed(&verify(&changed, &log.shown(3))), ["content", "page"]);
}

#[test]
fn a_changed_part_of_the_proof_fails_in_its_step() {
    let log = Log::of(13);
    let other = Log {
        keys: vec![key(9)],
        ..Log::of(13)
    };
    let proof = || log.proof(7, Some(13));
    type Change<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>, &'a [&'a str]);
    let cases: [Change<'_>; 11] = [
        (
            "content",
            Box::new(|p| p["content"] = json!("{\"note\":\"entry 8\"}")),
            &["content", "page"],
        ),
        ("salt", Box::new(|p| p["salt"] = json!("ff")), &["content"]),
        (
            "another leaf",
            Box::new(|p| p["leaf"] = log.proof(8, None)["leaf"].clone()),
            &["content", "path", "page"],
        ),
        (
            "spaces in the leaf",
            Box::new(|p| p["leaf"] = json!(format!("{} ", p["leaf"].as_str().unwrap()))),
            &["root", "page"],
        ),
        ("not a leaf", Box::new(|p| p["leaf"] = json!("{}")), &["leaf"]),
        (
            "a hash less",
            Box::new(|p| drop(p["inclusion"]["hashes"].as_array_mut().unwrap().pop())),
            &["path"],
        ),
        (
            "another hash",
            Box::new(|p| p["inclusion"]["hashes"][0] = p["inclusion"]["hashes"][1].clone()),
            &["root"],
        ),
        (
            "an older checkpoint",
            Box::new(|p| p["checkpoint"] = json!(log.checkpoint(12))),
            &["root"],
        ),
        ("no checkpoint", Box::new(|p| p["checkpoint"] = json!(null)), &["path"]),
        (
            "text as checkpoint",
            Box::new(|p| p["checkpoint"] = json!("13 entries\n")),
            &["root"],
        ),
        (
            "another key",
            Box::new(|p| p["checkpoint"] = json!(other.checkpoint(13))),
            &["signature"],
        ),
    ];
    for (what, change, steps) in cases {
        let mut changed = proof();
        change(&mut changed);
        let report = verify(&changed, &log.shown(7));
        assert_eq!(failed(&report), steps, "{what}: {report:#?}");
        assert_eq!(report.verdict, Verdict::Failed);
        assert!(
            report.headline.starts_with("This entry is NOT in the signed log: "),
            "{what}: {}",
            report.headline
        );
    }
}

#[test]
fn a_page_that_shows_another_entry_fails() {
    let log = Log::of(5);
    let shown = |field: &str, value: Value| {
        let mut shown = log.shown(2);
        shown[field] = value;
        verify(&log.proof(2, Some(5)), &shown)
    };
    for report in [
        shown("seq", json!(3)),
        shown("tenant", json!("globex")),
        shown("event", json!("action.rejected")),
        shown("leafHash", log.shown(3)["leafHash"].clone()),
        shown("content", log.shown(3)["content"].clone()),
    ] {
        assert_eq!(failed(&report), ["page"]);
        assert!(
            report.headline.starts_with("This page does NOT show"),
            "{}",
            report.headline
        );
    }
}

#[test]
fn hidden_characters_are_compared_as_the_page_shows_them() {
    let mut log = Log::of(1);
    log.push("action.proposed", &json!({ "note": "pay\u{202E}tnem  two spaces" }));
    let mut shown = log.shown(2);
    shown["content"] = json!("{\n  \"note\": \"pay⟦U+202E⟧tnem  two spaces\"\n}");
    assert_eq!(verify(&log.proof(2, Some(2)), &shown).verdict, Verdict::Verified);
}
