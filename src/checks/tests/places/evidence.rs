//! What `evidence` names.

use super::*;

#[test]
fn evidence() {
    let places = ["/children/0/evidenceIds/0", "/children/1/evidenceIds/0"];
    let id = |n: u128| EvidenceId::from_bits(n).to_string();
    let cites = |n: u128| {
        package(|c| {
            for child in 0..2 {
                c.payload["children"][child]["evidenceIds"] = json!([EvidenceId::from_bits(n)]);
            }
        })
    };
    names(&cites(2), CheckId::Evidence, &[id(2)], &places, &["EV-2", "SHOP-1"]);
    // Neither a commit that is another one nor one that nobody knows makes it evidence of this release.
    for (of_evidence, of_release) in [(Some("0000000"), Some("9f1c2e7")), (None, None)] {
        let case = cites(2).with(|c| {
            let mut evidence = c.facts.evidence(&id(2)).unwrap().clone();
            evidence.commit = of_evidence.map(str::to_owned);
            c.facts.insert(evidence);
            let mut release = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
            release.commit = of_release.map(str::to_owned);
            c.facts.insert(release);
        });
        names(
            &case,
            CheckId::Evidence,
            &[id(2)],
            &places,
            &["another release and commit"],
        );
    }
    let changed = package(|c| *c.context.file_states.get_mut(&id(1)).unwrap() = FileState::Changed);
    names(&changed, CheckId::Evidence, &[id(1)], &places, &["The bytes of EV-1"]);
    let tomorrow = |micros: i64| {
        package(|c| {
            let mut evidence = c.facts.evidence(&id(1)).unwrap().clone();
            evidence.collected_at = NOW.plus(Timestamp::DAY + micros);
            c.facts.insert(evidence);
        })
    };
    names(
        &tomorrow(1),
        CheckId::Evidence,
        &[id(1)],
        &places,
        &["EV-1 is dated in the future"],
    );
    passes(&tomorrow(0), CheckId::Evidence, "at most 14 days old");
    names(
        &cites(3),
        CheckId::Evidence,
        &[id(3)],
        &places,
        &["EV-3 (probe) is 41 days old (limit 14). Scan again"],
    );
    // Of what is newer, the newest of the same release, provider and kind is named.
    let newer = cites(3).with(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        let other = c.facts.release(&ReleaseId::from_bits(2)).unwrap().clone();
        let mut foreign = [
            super::evidence(11, &other, 0),
            super::evidence(12, &shop, 0),
            super::evidence(13, &shop, 0),
        ];
        foreign[1].provider = "another".into();
        foreign[2].kind = "junit".into();
        c.context.newer_evidence = vec![
            super::evidence(10, &shop, 3),
            super::evidence(9, &shop, 1),
            super::evidence(14, &shop, 50),
        ];
        c.context.newer_evidence.extend(foreign);
    });
    names(
        &newer,
        CheckId::Evidence,
        &[id(3), id(9)],
        &places,
        &["Cite EV-9 instead"],
    );
    let facts = found(&newer, CheckId::Evidence).facts;
    let keys: Vec<_> = facts.into_iter().filter_map(|fact| fact.key).collect();
    assert_eq!(keys, ["EV-3", "EV-9"]);
    let older = cites(3).with(|c| {
        let shop = c.facts.release(&ReleaseId::from_bits(1)).unwrap().clone();
        c.context.newer_evidence = vec![super::evidence(9, &shop, 41)];
    });
    names(&older, CheckId::Evidence, &[id(3)], &places, &["Scan again"]);
    let two = package(|c| {
        c.payload["children"][0]["evidenceIds"] = json!([EvidenceId::from_bits(1), EvidenceId::from_bits(2)]);
        let mut evidence = c.facts.evidence(&id(2)).unwrap().clone();
        evidence.release_id = ReleaseId::from_bits(1);
        c.facts.insert(evidence);
    });
    passes(&two, CheckId::Evidence, "All 2 pieces of evidence");
    let story = Case::task().with(|c| {
        c.payload["evidenceIds"] = json!([]);
        c.payload["kind"] = json!("story");
        c.payload.as_object_mut().unwrap().remove("parentId");
    });
    let warning = found(&story, CheckId::Evidence);
    assert_eq!(warning.verdict, Verdict::Warn, "a story by itself is no package");
    assert!(
        Case::update()
            .checks()
            .iter()
            .all(|one| one.id != CheckId::Evidence || one.verdict == Verdict::Pass)
    );
}
