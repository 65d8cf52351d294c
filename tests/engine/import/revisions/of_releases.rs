//! Acceptances, suppressions and statuses in the releases that show a finding.

use super::{
    accept, blockers, finding, found, import, import_as, list, release_id, reopened, scan, set_status, suppressed,
};
use crate::world::World;
use loopiq::domain::Timestamp;
use loopiq::engine::Error;
use serde_json::{Value, json};

#[tokio::test]
async fn an_accepted_risk_holds_for_its_release_alone() {
    let world = World::new().await;
    import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[finding("RISK1")])).await;
    accept(&world, &found(&world, "RISK1").await, "SHOP-1", "2027-02-01T00:00:00Z").await;
    assert_eq!(found(&world, "RISK1").await["status"], "accepted");

    let report = import(&world, "SHOP-2", scan("2026-11-02T10:00:00Z", &[finding("RISK1")])).await;
    assert_eq!((report.known_findings, report.reopened, report.blockers), (1, 1, 1));
    let after = found(&world, "RISK1").await;
    assert_eq!(after["status"], "open");
    assert_eq!(blockers(&world, &after, "SHOP-1").await, ["accepted"]);
    assert_eq!(blockers(&world, &after, "SHOP-2").await, ["open"]);
    let until: Vec<&Value> = after["releases"]
        .as_array()
        .expect("releases")
        .iter()
        .map(|one| &one["acceptedUntil"])
        .collect();
    assert_eq!(until, [&json!("2027-02-01T00:00:00Z"), &Value::Null]);
    for (release, status, count) in [
        ("SHOP-1", "accepted", 1),
        ("SHOP-1", "open", 0),
        ("SHOP-2", "open", 1),
        ("SHOP-2", "accepted", 0),
    ] {
        let arguments = json!({ "releaseId": release_id(&world, release).await, "status": status, "text": "RISK1" });
        let listed = list(&world, "loopiq_list_findings", arguments).await;
        assert_eq!(listed.len(), count, "{status} in {release}");
        assert!(
            listed.iter().all(|one| one["status"] == status),
            "{status} in {release}"
        );
    }
    let again = import(&world, "SHOP-1", scan("2026-11-24T10:00:00Z", &[finding("RISK1")])).await;
    assert_eq!((again.reopened, again.blockers), (0, 0), "it is accepted there");

    // As soon as its risk is accepted everywhere, the finding is accepted.
    accept(&world, &after, "SHOP-2", "2027-01-01T00:00:00Z").await;
    let after = found(&world, "RISK1").await;
    assert_eq!(after["status"], "accepted");
    assert_eq!(blockers(&world, &after, "SHOP-2").await, ["accepted"]);
}

#[tokio::test]
async fn acceptances_and_statuses_end_with_their_date() {
    let world = World::new().await;
    import(
        &world,
        "SHOP-1",
        scan("2026-11-01T10:00:00Z", &[finding("RISK1"), finding("FP1")]),
    )
    .await;
    accept(&world, &found(&world, "RISK1").await, "SHOP-1", "2026-12-01T00:00:00Z").await;
    set_status(
        &world,
        &found(&world, "FP1").await,
        "false_positive",
        Some("2026-12-02T00:00:00Z"),
    )
    .await;
    world.engine.sweep().await.expect("a sweep");
    assert_eq!(
        found(&world, "RISK1").await["status"],
        "accepted",
        "not before its date"
    );

    world.advance_clock(9 * Timestamp::DAY);
    world.engine.sweep().await.expect("a sweep");
    let (risk, judged) = (found(&world, "RISK1").await, found(&world, "FP1").await);
    assert_eq!(
        (&risk["status"], &judged["status"]),
        (&json!("open"), &json!("false_positive"))
    );
    assert_eq!(
        (&risk["statusExpiresAt"], &risk["releases"][0]["acceptedUntil"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(blockers(&world, &risk, "SHOP-1").await, ["open"]);

    world.advance_clock(Timestamp::DAY);
    world.engine.sweep().await.expect("a sweep");
    let judged = found(&world, "FP1").await;
    assert_eq!(judged["status"], "open");
    assert_eq!(blockers(&world, &judged, "SHOP-1").await, ["open"]);
    assert_eq!(
        reopened(&world).await,
        [
            (json!("acceptance_ended"), json!([risk["key"]])),
            (json!("status_ended"), json!([judged["key"]])),
        ]
    );
    let before = world.dump().await;
    world.engine.sweep().await.expect("a sweep");
    assert_eq!(before, world.dump().await, "a second sweep finds nothing");
}

#[tokio::test]
async fn a_status_of_a_finding_in_several_releases_names_them() {
    let world = World::new().await;
    for release in ["SHOP-1", "SHOP-2"] {
        import(&world, release, scan("2026-11-01T10:00:00Z", &[finding("WIDE1")])).await;
    }
    let wide = found(&world, "WIDE1").await;
    let arguments = json!({ "findingId": wide["id"], "expectedVersion": wide["version"], "status": "false_positive",
        "justification": "Looked at it.", "idempotencyKey": "wide", "reason": "It is test data." });
    let answer = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_update_finding_status", arguments)
        .await;
    let answer = answer.expect("a proposal").structured;
    let check = answer["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["code"] == "unrelated.other_releases");
    let message = check.expect("the check")["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(message.contains("SHOP-1 and SHOP-2"), "{message}");
}

#[tokio::test]
async fn a_suppression_holds_for_its_release_alone() {
    let world = World::new().await;
    import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[finding("ONE1")])).await;
    import(
        &world,
        "SHOP-2",
        scan("2026-11-02T10:00:00Z", &[suppressed("ONE1", "accepted")]),
    )
    .await;
    let open = found(&world, "ONE1").await;
    assert_eq!(open["status"], "open");
    assert_eq!(blockers(&world, &open, "SHOP-1").await, ["open"]);
    let there = json!({ "releaseId": release_id(&world, "SHOP-2").await, "status": "suppressed", "text": "ONE1" });
    assert_eq!(list(&world, "loopiq_list_findings", there).await.len(), 1);
    assert_eq!(blockers(&world, &open, "SHOP-2").await, Vec::<Value>::new());
    import(
        &world,
        "SHOP-1",
        scan("2026-11-03T10:00:00Z", &[suppressed("ONE1", "accepted")]),
    )
    .await;
    let hidden = found(&world, "ONE1").await;
    assert_eq!(
        hidden["status"], "suppressed",
        "every release that shows it suppresses it"
    );
    assert_eq!(blockers(&world, &hidden, "SHOP-1").await, ["resolved"]);
}

#[tokio::test]
async fn a_finding_that_became_worse_blocks_every_release_that_shows_it() {
    let world = World::new().await;
    let mild = |rule: &str| {
        let mut result = finding(rule);
        result["level"] = json!("note");
        result
    };
    assert_eq!(
        import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[mild("WORSE1")]))
            .await
            .blockers,
        0
    );
    let report = import(&world, "SHOP-2", scan("2026-11-02T10:00:00Z", &[finding("WORSE1")])).await;
    assert_eq!(report.blockers, 2);
    assert_eq!(
        blockers(&world, &found(&world, "WORSE1").await, "SHOP-1").await,
        ["open"]
    );
}

#[tokio::test]
async fn components_keep_two_repositories_apart() {
    let world = World::new().await;
    let bytes = scan("2026-11-01T10:00:00Z", &[finding("APART1")]);
    for component in ["web", "api"] {
        let report = import_as(&world, "SHOP-1", bytes.clone(), None, Some(component))
            .await
            .expect("an import");
        assert_eq!((report.new_findings, report.gone), (1, 0), "{component}");
    }
    let listed = list(&world, "loopiq_list_findings", json!({ "text": "APART1" })).await;
    let components: Vec<&Value> = listed.iter().map(|one| &one["component"]).collect();
    assert_eq!(components, [&json!("web"), &json!("api")]);
    for bad in ["", "  ", "a\u{202E}b", &"x".repeat(201)] {
        match import_as(&world, "SHOP-1", bytes.clone(), None, Some(bad)).await {
            Err(Error::Invalid { fields }) => assert_eq!(fields[0].pointer, "/component"),
            other => panic!("{bad:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_older_scan_of_another_release_is_not_hidden_by_a_suppression() {
    let world = World::new().await;
    import(
        &world,
        "SHOP-1",
        scan("2026-11-20T10:00:00Z", &[suppressed("OLD1", "accepted")]),
    )
    .await;
    let report = import(&world, "SHOP-2", scan("2026-11-01T10:00:00Z", &[finding("OLD1")])).await;
    assert_eq!((report.reopened, report.blockers), (1, 1));
    let open = found(&world, "OLD1").await;
    assert_eq!(blockers(&world, &open, "SHOP-2").await, ["open"]);
    assert_eq!(blockers(&world, &open, "SHOP-1").await, Vec::<Value>::new());
    assert_eq!(reopened(&world).await[0].0, "seen_in_other_release");
}
