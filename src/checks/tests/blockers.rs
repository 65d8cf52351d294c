//! `blockers`: a certification of a release with open blockers.

use super::*;

#[test]
fn a_certification_is_not_requested_over_open_blockers() {
    let request = |open: u128| {
        package(|c| {
            c.tool = "loopiq_request_certification";
            c.payload = json!({ "certificationId": CertificationId::from_bits(1), "statement": "s", "reason": "BLK-1 is gone." });
            let blocker = c
                .facts
                .blockers()
                .find(|one| one.id == BlockerId::from_bits(1))
                .cloned()
                .unwrap();
            c.context.open_blockers = (1..=open)
                .map(|n| Blocker {
                    id: BlockerId::from_bits(n),
                    key: format!("BLK-{n}"),
                    ..blocker.clone()
                })
                .collect();
        })
    };
    check_all(vec![
        ("none is open", request(0), &[]),
        ("one is open", request(1), &["blockers.open block"]),
        ("many are open", request(70), &["blockers.open block"]),
        (
            "another tool",
            package(|c| c.context.open_blockers = request(1).context.open_blockers),
            &[],
        ),
    ]);
    let message = |open: u128| {
        let checks = request(open).checks();
        let found = checks.iter().find(|one| one.id == CheckId::Blockers).cloned().unwrap();
        (found.message.to_string(), found.facts.len(), found.unlisted.is_some())
    };
    assert_eq!(message(0).0, "Release SHOP-1 has no open blocker.");
    assert_eq!(
        message(1).0,
        "Release SHOP-1 has 1 open blocker, which certification SOC2-1 would pass over: BLK-1 \"SQL injection\". Resolve them, or accept \
         their risk first."
    );
    let (named, facts, is_cut) = message(70);
    assert!(
        named.contains("70 open blockers") && named.contains("and 65 more") && facts == 60 && is_cut,
        "{named}"
    );
}
