//! Newer evidence revises older statements: findings are reopened, suppressed and missed in the order in which scans were made.

mod of_releases;
mod statements;

use super::operator;
use crate::world::{World, text};
use loopiq::domain::Timestamp;
use loopiq::engine::{Error, ImportFile, ImportReport};
use loopiq_testing::fixtures;
use serde_json::{Value, json};

/// A finding of high severity.
fn finding(rule: &str) -> Value {
    let mut result = fixtures::sarif_result(rule, "src/a.c", 3);
    result["level"] = json!("error");
    result
}

fn suppressed(rule: &str, status: &str) -> Value {
    let mut result = finding(rule);
    result["suppressions"] = json!([{ "kind": "external", "status": status }]);
    result
}

/// A complete scan of the tool `Scout`, made at this time.
fn scan(at: &str, results: &[Value]) -> Vec<u8> {
    json!({ "version": "2.1.0", "runs": [{
        "tool": { "driver": { "name": "Scout" } },
        "invocations": [{ "executionSuccessful": true, "endTimeUtc": at }],
        "results": results,
    }] })
    .to_string()
    .into_bytes()
}

async fn import(world: &World, release: &str, bytes: Vec<u8>) -> ImportReport {
    import_as(world, release, bytes, None, None).await.expect("an import")
}

async fn import_as(
    world: &World,
    release: &str,
    bytes: Vec<u8>,
    told: Option<&str>,
    component: Option<&str>,
) -> Result<ImportReport, Error> {
    let file = ImportFile {
        name: "scan.sarif".to_owned(),
        bytes,
        format: None,
        collected_at: told.and_then(Timestamp::parse),
        component: component.map(str::to_owned),
    };
    world.engine.import_file(&operator(world), release, file, |_| {}).await
}

async fn list(world: &World, tool: &str, arguments: Value) -> Vec<Value> {
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    let answer = answer.expect("a list").structured;
    answer["items"].as_array().cloned().expect("items")
}

/// The finding of a rule.
async fn found(world: &World, rule: &str) -> Value {
    list(world, "loopiq_list_findings", json!({ "text": rule }))
        .await
        .remove(0)
}

async fn release_id(world: &World, key: &str) -> Value {
    let releases = list(world, "loopiq_list_releases", json!({})).await;
    let release = releases.into_iter().find(|release| release["key"] == json!(key));
    release.expect("the release")["id"].clone()
}

/// The statuses of the finding's blockers in a release.
async fn blockers(world: &World, finding: &Value, release: &str) -> Vec<Value> {
    let arguments = json!({ "releaseId": release_id(world, release).await });
    let blockers = list(world, "loopiq_list_blockers", arguments).await;
    let own = blockers.into_iter().filter(|one| one["findingId"] == finding["id"]);
    own.map(|one| one["status"].clone()).collect()
}

/// Proposes, approves and executes.
async fn run(world: &World, tool: &str, arguments: Value) {
    let mut arguments = arguments;
    arguments["idempotencyKey"] = json!(format!("{tool}-{}", world.count("actions").await));
    arguments["reason"] = json!("FND-1 asks for it.");
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    let answer = answer.expect("a proposal").structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let outcome = world.execute(&world.person("reviewer"), &id).await.expect("an outcome");
    assert!(outcome.done, "{outcome:?}");
}

async fn set_status(world: &World, finding: &Value, status: &str, expires_at: Option<&str>) {
    let mut arguments = json!({ "findingId": finding["id"], "expectedVersion": finding["version"], "status": status,
        "justification": "Looked at it." });
    if let Some(expires_at) = expires_at {
        arguments["expiresAt"] = json!(expires_at);
    }
    run(world, "loopiq_update_finding_status", arguments).await;
}

async fn accept(world: &World, finding: &Value, release: &str, until: &str) {
    let arguments = json!({ "releaseId": release_id(world, release).await, "findingIds": [finding["id"]], "controlIds": [],
        "justification": "Behind the firewall.", "compensatingControls": [], "owner": "lead@acme.example", "expiresAt": until });
    run(world, "loopiq_accept_risk", arguments).await;
}

/// The causes and records of the entries on reopened findings.
async fn reopened(world: &World) -> Vec<(Value, Value)> {
    let rows = crate::audit_entries::entries(world).await;
    let entries = rows.iter().filter(|(event, _)| event == "findings.reopened");
    entries
        .map(|(_, content)| (content["details"]["cause"].clone(), content["recordKeys"].clone()))
        .collect()
}

#[tokio::test]
async fn a_fixed_finding_that_a_later_scan_shows_is_open_again() {
    let world = World::new().await;
    let report = import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[finding("FIX1")])).await;
    assert_eq!((report.new_findings, report.blockers), (1, 1));
    let before = found(&world, "FIX1").await;
    set_status(&world, &before, "fixed", None).await;
    let fixed = found(&world, "FIX1").await;
    assert_eq!(blockers(&world, &fixed, "SHOP-1").await, ["resolved"]);

    let old = import(&world, "SHOP-1", scan("2026-11-20T10:00:00Z", &[finding("FIX1")])).await;
    assert_eq!(
        (old.known_findings, old.reopened),
        (1, 0),
        "a scan from before the decision"
    );
    let report = import(&world, "SHOP-1", scan("2026-11-24T10:00:00Z", &[finding("FIX1")])).await;
    assert_eq!((report.known_findings, report.reopened, report.blockers), (1, 1, 1));
    let after = found(&world, "FIX1").await;
    assert_eq!(
        (&after["status"], &after["justification"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(
        after["version"].as_i64(),
        fixed["version"].as_i64().map(|version| version + 1)
    );
    assert_eq!(blockers(&world, &after, "SHOP-1").await, ["open"]);
    assert_eq!(reopened(&world).await, [(json!("seen_again"), json!([after["key"]]))]);
    let again = import(&world, "SHOP-1", scan("2026-11-25T10:00:00Z", &[finding("FIX1")])).await;
    assert_eq!((again.reopened, again.blockers), (0, 0));
}

#[tokio::test]
async fn a_false_positive_stays_and_says_that_it_was_seen_again() {
    let world = World::new().await;
    import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[finding("FP1")])).await;
    set_status(&world, &found(&world, "FP1").await, "false_positive", None).await;
    let report = import(&world, "SHOP-1", scan("2026-11-24T10:00:00Z", &[finding("FP1")])).await;
    assert_eq!((report.reopened, report.seen_again, report.blockers), (0, 1, 0));
    let after = found(&world, "FP1").await;
    assert_eq!(
        (&after["status"], &after["seenAgain"]),
        (&json!("false_positive"), &json!(true))
    );
    assert_eq!(blockers(&world, &after, "SHOP-1").await, ["resolved"]);
}

#[tokio::test]
async fn the_newest_scan_suppresses_in_both_directions() {
    let world = World::new().await;
    let first = scan("2026-11-01T10:00:00Z", &[suppressed("SUP1", "accepted")]);
    assert_eq!(import(&world, "SHOP-1", first).await.blockers, 0);
    let lifted = scan("2026-11-10T10:00:00Z", &[suppressed("SUP1", "rejected")]);
    let report = import(&world, "SHOP-1", lifted).await;
    assert_eq!((report.reopened, report.blockers), (1, 1));
    let open = found(&world, "SUP1").await;
    assert_eq!((&open["status"], &open["version"]), (&json!("open"), &json!(2)));
    assert_eq!(reopened(&world).await.len(), 1);

    let older = import(
        &world,
        "SHOP-1",
        scan("2026-11-05T10:00:00Z", &[suppressed("SUP1", "accepted")]),
    )
    .await;
    assert_eq!(older.known_findings, 1);
    assert_eq!(
        found(&world, "SUP1").await["status"],
        "open",
        "an older scan changes nothing"
    );
    import(
        &world,
        "SHOP-1",
        scan("2026-11-15T10:00:00Z", &[suppressed("SUP1", "accepted")]),
    )
    .await;
    let hidden = found(&world, "SUP1").await;
    assert_eq!(hidden["status"], "suppressed");
    assert_eq!(blockers(&world, &hidden, "SHOP-1").await, ["resolved"]);

    set_status(&world, &hidden, "open", None).await;
    import(
        &world,
        "SHOP-1",
        scan("2026-11-25T10:00:00Z", &[suppressed("SUP1", "accepted")]),
    )
    .await;
    assert_eq!(
        found(&world, "SUP1").await["status"],
        "open",
        "a person has decided since"
    );
}

#[tokio::test]
async fn the_same_bytes_of_a_later_run_are_newer_evidence() {
    let world = World::new().await;
    let bytes = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "Nightly" } }, "results": [finding("N1")] }] })
        .to_string()
        .into_bytes();
    let at = async |told: Option<&str>| {
        let report = import_as(&world, "SHOP-1", bytes.clone(), told, None)
            .await
            .expect("an import");
        (report.unchanged, report.known_findings, report.evidence_ids)
    };
    let (_, _, first) = at(Some("2026-10-01")).await;
    assert_eq!(at(Some("2026-10-01")).await, (true, 0, first.clone()), "the same run");
    assert_eq!(
        at(None).await,
        (true, 0, first),
        "nothing says that there was another run"
    );
    let (unchanged, known, second) = at(Some("2026-11-20")).await;
    assert_eq!((unchanged, known), (false, 1));
    assert_eq!(
        at(Some("2026-11-01")).await,
        (true, 0, second),
        "not newer than what is stored"
    );
    let evidence = list(&world, "loopiq_search_evidence", json!({ "text": "Nightly" })).await;
    let times: Vec<&str> = evidence
        .iter()
        .filter_map(|one| one["collectedAt"].as_str()?.get(..10))
        .collect();
    assert_eq!(times, ["2026-10-01", "2026-11-20"]);
    assert_eq!(evidence[0]["sha256"], evidence[1]["sha256"]);
    assert_eq!(
        found(&world, "N1").await["evidenceIds"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_finding_that_a_complete_newer_scan_misses_is_said_to_be_gone() {
    let world = World::new().await;
    let both = scan("2026-11-01T10:00:00Z", &[finding("GONE1"), finding("STAY1")]);
    let one = scan("2026-11-20T10:00:00Z", &[finding("STAY1")]);
    assert_eq!(import(&world, "SHOP-1", both.clone()).await.gone, 0);
    assert_eq!(import(&world, "SHOP-1", one.clone()).await.gone, 1);
    let gone = found(&world, "GONE1").await;
    assert_eq!(
        (&gone["status"], &gone["notSeenSince"]),
        (&json!("open"), &json!("2026-11-20T10:00:00Z"))
    );
    assert_eq!(
        blockers(&world, &gone, "SHOP-1").await,
        ["open"],
        "closing is a person's decision"
    );
    assert_eq!(found(&world, "STAY1").await["notSeenSince"], Value::Null);
    let release = release_id(&world, "SHOP-1").await;
    for (not_seen, keys) in [
        (true, vec![gone["key"].clone()]),
        (false, vec![found(&world, "STAY1").await["key"].clone()]),
    ] {
        for arguments in [
            json!({ "notSeen": not_seen, "text": "Scout" }),
            json!({ "notSeen": not_seen, "text": "Scout", "releaseId": release }),
        ] {
            let listed = list(&world, "loopiq_list_findings", arguments).await;
            assert_eq!(listed.iter().map(|one| one["key"].clone()).collect::<Vec<_>>(), keys);
        }
    }
    let mut package = world.package("gone");
    package["children"][0]["findingIds"] = json!([gone["id"]]);
    let answer = world.propose(package).await.expect("a proposal").structured;
    let checks = answer["checks"].as_array().expect("checks");
    let check = checks
        .iter()
        .find(|check| check["code"] == "unrelated.not_seen")
        .expect("the check");
    assert!(
        check["message"]
            .as_str()
            .is_some_and(|message| message.contains(&text(&gone, "key"))),
        "{check}"
    );

    let report = import(
        &world,
        "SHOP-1",
        scan("2026-11-21T10:00:00Z", &[finding("GONE1"), finding("STAY1")]),
    )
    .await;
    assert_eq!((report.gone, report.known_findings), (0, 2));
    assert_eq!(found(&world, "GONE1").await["notSeenSince"], Value::Null, "it is back");
}

#[tokio::test]
async fn the_order_of_imports_makes_no_difference_and_incomplete_scans_miss_nothing() {
    let world = World::new().await;
    let both = scan("2026-11-01T10:00:00Z", &[finding("GONE1"), finding("STAY1")]);
    let one = scan("2026-11-20T10:00:00Z", &[finding("STAY1")]);
    import(&world, "SHOP-1", one).await;
    assert_eq!(import(&world, "SHOP-1", both).await.gone, 1);
    assert_eq!(found(&world, "GONE1").await["notSeenSince"], "2026-11-20T10:00:00Z");

    let failed = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "Scout" } }, "results": [],
        "invocations": [{ "executionSuccessful": false, "endTimeUtc": "2026-11-21T10:00:00Z" }] }] });
    let report = import(&world, "SHOP-1", failed.to_string().into_bytes()).await;
    assert_eq!(report.gone, 0);
    let other = import_as(
        &world,
        "SHOP-1",
        scan("2026-11-21T11:00:00Z", &[]),
        None,
        Some("another module"),
    )
    .await;
    assert_eq!(other.expect("an import").gone, 0, "what was scanned differs");
    assert_eq!(found(&world, "STAY1").await["notSeenSince"], Value::Null);
}

/// An assessment that gives one control this status.
fn assessment(at: &str, control: &str, state: &str) -> Vec<u8> {
    json!({ "assessment-results": { "uuid": "11111111-1111-4111-8111-111111111111",
        "metadata": { "title": "A", "last-modified": at, "version": "1", "oscal-version": "1.1.2" },
        "import-ap": { "href": "#ap" },
        "results": [{ "uuid": "22222222-2222-4222-8222-222222222222", "title": "R", "description": "d", "start": at, "end": at,
            "reviewed-controls": { "control-selections": [{}] },
            "findings": [{ "uuid": "33333333-3333-4333-8333-333333333333", "title": "F", "description": "d",
                "target": { "type": "objective-id", "target-id": format!("{control}_obj"), "status": { "state": state } } }] }] } })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn only_an_assessment_that_is_not_older_gives_a_control_its_status() {
    let world = World::new().await;
    let catalog = json!({ "catalog": { "uuid": "44444444-4444-4444-8444-444444444444",
        "metadata": { "title": "C", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.1.2" },
        "controls": [{ "id": "zz-9", "title": "Nine" }] } });
    import(&world, "SHOP-1", catalog.to_string().into_bytes()).await;
    let status = async || {
        let controls = list(&world, "loopiq_list_controls", json!({ "text": "ZZ-9" })).await;
        let blockers = list(&world, "loopiq_list_blockers", json!({ "text": "Nine" })).await;
        (
            controls[0]["status"].clone(),
            blockers.iter().map(|one| one["status"].clone()).collect::<Vec<_>>(),
        )
    };
    for (at, state, control, blocker) in [
        ("2026-11-10T00:00:00Z", "not-satisfied", "failing", "open"),
        ("2026-11-01T00:00:00Z", "satisfied", "failing", "open"),
        ("2026-11-11T00:00:00Z", "satisfied", "passing", "resolved"),
        ("2026-11-12T00:00:00Z", "not-satisfied", "failing", "open"),
    ] {
        import(&world, "SHOP-1", assessment(at, "zz-9", state)).await;
        assert_eq!(
            status().await,
            (json!(control), vec![json!(blocker)]),
            "{state} on {at}"
        );
    }
}

#[tokio::test]
async fn a_scan_from_the_future_outweighs_no_later_one() {
    let world = World::new().await;
    import(&world, "SHOP-1", scan("2026-11-01T10:00:00Z", &[finding("FUT1")])).await;
    import(
        &world,
        "SHOP-1",
        scan("2097-01-01T00:00:00Z", &[suppressed("FUT1", "accepted")]),
    )
    .await;
    assert_eq!(
        import(&world, "SHOP-1", scan("2098-01-01T00:00:00Z", &[])).await.gone,
        1
    );
    world.advance_clock(Timestamp::DAY);
    let report = import(&world, "SHOP-1", scan("2026-11-23T09:00:00Z", &[finding("FUT1")])).await;
    assert_eq!((report.reopened, report.blockers), (1, 1));
    assert!(!report.dated_in_future);
    let after = found(&world, "FUT1").await;
    assert_eq!(
        (&after["status"], &after["notSeenSince"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(blockers(&world, &after, "SHOP-1").await, ["open"]);
}
