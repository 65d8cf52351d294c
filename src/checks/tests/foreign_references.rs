//! `unrelated`: records of other releases, and records that are no longer open.

use super::*;

#[test]
fn foreign_and_closed_records() {
    check_all(vec![
        (
            "another release's blocker",
            package(|c| c.payload["blockerIds"][0] = json!(BlockerId::from_bits(2))),
            &["unrelated.other_release block"],
        ),
        (
            "another release's control",
            package(|c| c.payload["children"][0]["controlIds"][0] = json!(ControlId::from_bits(2))),
            &["unrelated.other_release block"],
        ),
        (
            "another release's finding",
            package(|c| c.payload["children"][0]["findingIds"][0] = json!(FindingId::from_bits(2))),
            &["unrelated.other_release block"],
        ),
        (
            "a finding seen in both",
            package(|c| {
                let mut finding = c.facts.finding(&FindingId::from_bits(2)).unwrap().clone();
                finding.release_ids.push(ReleaseId::from_bits(1));
                c.payload["children"][0]["findingIds"][0] = json!(finding.id);
                c.facts.insert(finding);
            }),
            &[],
        ),
        (
            "a finding that is fixed",
            package(|c| {
                let mut changed = c.facts.finding(&FindingId::from_bits(1)).unwrap().clone();
                changed.status = FindingStatus::Fixed;
                c.facts.insert(changed);
            }),
            &["unrelated.not_open warn"],
        ),
        (
            "a blocker that is resolved",
            package(|c| {
                let mut changed = c.facts.blocker(&BlockerId::from_bits(1)).unwrap().clone();
                changed.status = BlockerStatus::Resolved;
                c.facts.insert(changed);
            }),
            &["unrelated.not_open warn"],
        ),
    ]);
}
