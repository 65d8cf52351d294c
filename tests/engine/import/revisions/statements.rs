//! Statements on vulnerabilities (VEX) judge the findings of scanners, whichever file is imported first.

use super::{blockers, import, list, release_id, set_status};
use crate::world::World;
use serde_json::{Value, json};

/// A CycloneDX document about package `a` of product `shop`.
fn bom(extra: Value) -> Vec<u8> {
    let mut bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79" });
    for (name, value) in extra.as_object().expect("an object") {
        bom[name] = value.clone();
    }
    bom.to_string().into_bytes()
}

/// A scan of the tool Libs that finds CVE-2099-1.
fn bom_scan(at: &str) -> Vec<u8> {
    bom(
        json!({ "metadata": { "timestamp": at, "tools": { "components": [{ "type": "application", "name": "Libs", "version": "1" }] },
            "component": { "type": "application", "bom-ref": "app", "name": "shop", "version": "1" } },
        "components": [{ "type": "library", "bom-ref": "a", "name": "a", "version": "1.0.0", "purl": "pkg:npm/a@1.0.0" }],
        "vulnerabilities": [{ "id": "CVE-2099-1", "ratings": [{ "severity": "critical" }], "affects": [{ "ref": "a" }] }] }),
    )
}

/// A statement on CVE-2099-1 by BOM-Link.
fn vex(at: &str, state: &str) -> Vec<u8> {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": { "timestamp": at },
        "vulnerabilities": [{ "id": "CVE-2099-1", "analysis": { "state": state, "justification": "code_not_reachable" },
            "ratings": [{ "severity": "critical" }],
            "affects": [{ "ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a" }] }] })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn a_statement_judges_the_finding_of_the_scanner() {
    let world = World::new().await;
    let vulnerable = async || list(&world, "loopiq_list_findings", json!({ "text": "CVE-2099-1" })).await;
    import(&world, "SHOP-1", bom_scan("2026-11-01T10:00:00Z")).await;
    assert_eq!(blockers(&world, &vulnerable().await[0], "SHOP-1").await, ["open"]);
    let report = import(&world, "SHOP-1", vex("2026-11-02T10:00:00Z", "not_affected")).await;
    assert_eq!((report.new_findings, report.judged), (0, 1));
    let judged = vulnerable().await;
    assert_eq!((judged.len(), &judged[0]["status"]), (1, &json!("suppressed")));
    let verdict = judged[0]["releases"][0]["verdict"].as_str().unwrap_or_default();
    assert!(
        verdict.starts_with("not_affected: code_not_reachable (EV-"),
        "{verdict}"
    );
    assert_eq!(blockers(&world, &judged[0], "SHOP-1").await, ["resolved"]);

    // The scanner does not know the statement: its next scan shows the finding as before.
    let next = import(&world, "SHOP-1", bom_scan("2026-11-05T10:00:00Z")).await;
    assert_eq!((next.known_findings, next.reopened, next.blockers), (1, 0, 0));
    // In another release, nothing was stated.
    let other = import(&world, "SHOP-2", bom_scan("2026-11-06T10:00:00Z")).await;
    assert_eq!((other.reopened, other.blockers), (1, 1));
    let open = vulnerable().await;
    assert_eq!(open[0]["status"], "open");
    assert_eq!(blockers(&world, &open[0], "SHOP-1").await, ["resolved"]);
    let here = json!({ "text": "CVE-2099-1", "releaseId": release_id(&world, "SHOP-1").await, "status": "suppressed" });
    assert_eq!(list(&world, "loopiq_list_findings", here).await.len(), 1);

    // A newer statement takes the older one back.
    let report = import(&world, "SHOP-1", vex("2026-11-07T10:00:00Z", "exploitable")).await;
    assert_eq!((report.new_findings, report.judged), (0, 1));
    assert_eq!(blockers(&world, &open[0], "SHOP-1").await, ["open"]);
}

#[tokio::test]
async fn a_statement_that_comes_first_judges_the_scan() {
    let world = World::new().await;
    let vulnerable = async || list(&world, "loopiq_list_findings", json!({ "text": "CVE-2099-1" })).await;
    import(&world, "SHOP-1", vex("2026-11-01T10:00:00Z", "not_affected")).await;
    let report = import(&world, "SHOP-1", bom_scan("2026-11-02T10:00:00Z")).await;
    assert_eq!((report.new_findings, report.blockers), (1, 0));
    assert!(vulnerable().await.iter().all(|one| one["status"] == "suppressed"));

    let world = World::new().await;
    let vulnerable = async || list(&world, "loopiq_list_findings", json!({ "text": "CVE-2099-1" })).await;
    let report = import(&world, "SHOP-1", vex("2026-11-01T10:00:00Z", "exploitable")).await;
    assert_eq!((report.new_findings, report.blockers), (1, 1));
    import(&world, "SHOP-1", bom_scan("2026-11-02T10:00:00Z")).await;
    let found = vulnerable().await;
    let statuses: Vec<&Value> = found.iter().map(|one| &one["status"]).collect();
    assert_eq!(
        statuses,
        ["suppressed", "open"],
        "the scan's finding takes the place of the stated one"
    );
    assert!(
        found[0]["releases"][0]["verdict"]
            .as_str()
            .is_some_and(|text| text.starts_with("superseded by FND-"))
    );
}

#[tokio::test]
async fn a_decision_outweighs_a_statement() {
    let world = World::new().await;
    import(&world, "SHOP-1", bom_scan("2026-11-01T10:00:00Z")).await;
    let vulnerable = async || {
        list(&world, "loopiq_list_findings", json!({ "text": "CVE-2099-1" }))
            .await
            .remove(0)
    };
    set_status(&world, &vulnerable().await, "false_positive", None).await;
    set_status(&world, &vulnerable().await, "open", None).await;
    import(&world, "SHOP-1", vex("2026-11-02T10:00:00Z", "not_affected")).await;
    let after = vulnerable().await;
    assert_eq!(after["status"], "open");
    assert_eq!(blockers(&world, &after, "SHOP-1").await, ["open"]);
}

/// An OpenVEX document with a statement for each of these vulnerabilities in package `a`.
fn openvex(at: &str, ids: &[String], status: &str) -> Vec<u8> {
    let statement = |id: &String| {
        json!({ "vulnerability": { "name": id }, "products": [{ "@id": "pkg:npm/a@1.0.0" }], "status": status,
        "justification": "vulnerable_code_not_in_execute_path" })
    };
    let mut document = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "@id": format!("https://example.org/{at}"), "author": "Shop",
        "timestamp": at, "version": 1, "statements": ids.iter().map(statement).collect::<Vec<_>>() });
    if status != "not_affected" {
        for statement in document["statements"].as_array_mut().into_iter().flatten() {
            statement.as_object_mut().map(|fields| fields.remove("justification"));
        }
    }
    document.to_string().into_bytes()
}

#[tokio::test]
async fn a_newer_document_of_the_author_makes_no_second_finding_either() {
    let world = World::new().await;
    let ids = ["CVE-2099-1".to_owned()];
    let open = async || {
        let found = list(
            &world,
            "loopiq_list_findings",
            json!({ "text": "CVE-2099-1", "status": "open" }),
        )
        .await;
        found.iter().map(|one| one["provider"].clone()).collect::<Vec<_>>()
    };
    import(&world, "SHOP-1", openvex("2026-11-01T10:00:00Z", &ids, "affected")).await;
    assert_eq!(open().await.len(), 1);
    import(&world, "SHOP-1", bom_scan("2026-11-02T10:00:00Z")).await;
    assert_eq!(open().await, ["Libs"]);
    import(&world, "SHOP-1", openvex("2026-11-03T10:00:00Z", &ids, "affected")).await;
    assert_eq!(open().await, ["Libs"], "the stated finding is not open again");
    import(&world, "SHOP-1", openvex("2026-11-04T10:00:00Z", &ids, "not_affected")).await;
    assert_eq!(open().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_large_document_is_applied_in_several_transactions() {
    let world = World::new().await;
    let ids: Vec<String> = (0..1_200).map(|n| format!("CVE-2099-{n}")).collect();
    let vulnerabilities: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "ratings": [{ "severity": "critical" }], "affects": [{ "ref": "a" }] }))
        .collect();
    let scan = bom(
        json!({ "metadata": { "timestamp": "2026-11-01T10:00:00Z", "tools": { "components": [{ "type": "application", "name": "Libs" }] } },
        "components": [{ "type": "library", "bom-ref": "a", "name": "a", "version": "1.0.0", "purl": "pkg:npm/a@1.0.0" }],
        "vulnerabilities": vulnerabilities }),
    );
    let report = import(&world, "SHOP-1", scan).await;
    assert_eq!((report.new_findings, report.blockers), (1_200, 1_200));
    let report = import(&world, "SHOP-1", openvex("2026-11-02T10:00:00Z", &ids, "not_affected")).await;
    assert_eq!((report.new_findings, report.judged, report.reopened), (0, 1_200, 0));
    let arguments =
        json!({ "releaseId": release_id(&world, "SHOP-1").await, "status": "open", "text": "a", "limit": 200 });
    let open = list(&world, "loopiq_list_findings", arguments).await;
    assert!(open.iter().all(|one| one["provider"] != "Libs"), "{open:?}");
    let report = import(&world, "SHOP-1", openvex("2026-11-03T10:00:00Z", &ids, "affected")).await;
    assert_eq!((report.judged, report.reopened, report.blockers), (1_200, 1_200, 1_200));
}

#[tokio::test]
async fn a_statement_on_one_id_counts_with_those_on_its_aliases() {
    let world = World::new().await;
    let of = |id: &str, at: &str, status: &str| openvex(at, &[id.to_owned()], status);
    let record = json!({ "results": [{ "source": { "path": "package-lock.json", "type": "lockfile" }, "packages": [{
        "package": { "name": "a", "version": "1.0.0", "ecosystem": "npm", "purl": "pkg:npm/a@1.0.0" },
        "vulnerabilities": [{ "id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2099-7"], "modified": "2026-01-01T00:00:00Z",
            "database_specific": { "severity": "CRITICAL" } }],
        "groups": [{ "ids": ["GHSA-aaaa-bbbb-cccc"] }] }] }] });
    import(&world, "SHOP-1", record.to_string().into_bytes()).await;
    let status =
        async || list(&world, "loopiq_list_findings", json!({ "text": "GHSA-aaaa" })).await[0]["status"].clone();
    import(
        &world,
        "SHOP-1",
        of("CVE-2099-7", "2026-11-05T10:00:00Z", "not_affected"),
    )
    .await;
    assert_eq!(status().await, "suppressed");
    import(
        &world,
        "SHOP-1",
        of("GHSA-aaaa-bbbb-cccc", "2026-11-01T10:00:00Z", "affected"),
    )
    .await;
    assert_eq!(status().await, "suppressed", "an older statement on the other ID");
    import(
        &world,
        "SHOP-1",
        of("GHSA-aaaa-bbbb-cccc", "2026-11-06T10:00:00Z", "affected"),
    )
    .await;
    assert_eq!(status().await, "open");
}
