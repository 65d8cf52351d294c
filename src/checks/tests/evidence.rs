//! `evidence`: missing, changed, old and foreign evidence.

use super::*;

#[test]
fn missing_changed_old_and_foreign_evidence() {
    let cites = |n: u128| {
        package(|c| {
            for child in 0..2 {
                c.payload["children"][child]["evidenceIds"] = json!([EvidenceId::from_bits(n)]);
            }
        })
    };
    let aged = |days: i64, micros: i64| {
        package(|c| {
            let mut evidence = c.facts.evidence(&EvidenceId::from_bits(1)).unwrap().clone();
            evidence.collected_at = NOW.plus(-days * Timestamp::DAY - micros);
            c.facts.insert(evidence);
        })
    };
    let stored = |state: Option<FileState>| {
        package(|c| {
            let key = EvidenceId::from_bits(1).to_string();
            match state {
                Some(state) => drop(c.context.file_states.insert(key, state)),
                None => drop(c.context.file_states.remove(&key)),
            }
        })
    };
    check_all(vec![
        (
            "a package without any",
            package(|c| {
                for child in 0..2 {
                    c.payload["children"][child]["evidenceIds"] = json!([]);
                }
            }),
            &["evidence.missing block"],
        ),
        (
            "a single item without any",
            task(|c| c.payload["evidenceIds"] = json!([])),
            &["evidence.missing warn"],
        ),
        ("stale", cites(3), &["evidence.stale block"]),
        ("one moment too old", aged(14, 1), &["evidence.stale block"]),
        ("dated in the future", aged(-3, 0), &["evidence.future block"]),
        ("dated in the future", aged(-3, 0), &["evidence.future block"]),
        ("just young enough", aged(14, 0), &[]),
        ("another release's", cites(2), &["evidence.other_release block"]),
        (
            "another release's, of the same commit",
            cites(2).with(|c| {
                let mut changed = c.facts.evidence(&EvidenceId::from_bits(2)).unwrap().clone();
                changed.commit = Some("9f1c2e7".into());
                c.facts.insert(changed);
            }),
            &[],
        ),
        (
            "bytes that were changed",
            stored(Some(FileState::Changed)),
            &["evidence.changed block"],
        ),
        (
            "bytes that are not kept",
            stored(None),
            &["evidence.not_stored unknown"],
        ),
    ]);
    let newer = cites(3).with(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        c.context.newer_evidence.push(super::evidence(9, &shop, 1));
    });
    let stale = newer.result(CheckCode::EvidenceStale);
    let message = "EV-3 (probe) is 41 days old (limit 14). Cite EV-9 instead, which is newer.";
    assert_eq!(stale.message, message);
    let facts: Vec<&str> = stale
        .facts
        .iter()
        .filter_map(|fact| Some(fact.key.as_ref()?.as_str()))
        .collect();
    assert_eq!(facts, ["EV-3", "EV-9"]);
    assert_eq!(
        stale.pointers,
        ["/children/0/evidenceIds/0", "/children/1/evidenceIds/0"]
    );
}
