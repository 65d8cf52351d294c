//! Imports of the formats other than SARIF, and of many findings at once.

use super::operator;
use crate::world::{World, result, sarif};
use loopiq::domain::Timestamp;
use loopiq::engine::ImportReport;
use serde_json::{Value, json};

async fn import(world: &World, release: &str, name: &str, file: &Value) -> ImportReport {
    import_bytes(world, release, name, file.to_string().into_bytes()).await
}

async fn import_bytes(world: &World, release: &str, name: &str, bytes: Vec<u8>) -> ImportReport {
    world
        .engine
        .import(&operator(world), release, name, bytes, None, None)
        .await
        .expect("an import")
}

async fn list(world: &World, tool: &str, arguments: Value) -> Vec<Value> {
    let found = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await
        .expect("a list");
    found.structured["items"].as_array().expect("items").clone()
}

/// The release's controls: (key, title, status).
async fn controls(world: &World) -> Vec<(String, String, String)> {
    let arguments = json!({ "releaseId": world.acme.release, "limit": 100 });
    let text = |item: &Value, field: &str| item[field].as_str().expect(field).to_owned();
    let items = list(world, "loopiq_list_controls", arguments).await;
    let mut controls: Vec<_> = items
        .iter()
        .map(|item| (text(item, "key"), text(item, "title"), text(item, "status")))
        .collect();
    controls.sort();
    controls
}

fn metadata() -> Value {
    json!({ "title": "Own", "oscal-version": "1.1.2", "last-modified": "2026-11-01T00:00:00Z" })
}

fn catalog() -> Value {
    json!({ "catalog": { "metadata": metadata(), "controls": [
        { "id": "ac-3", "title": "Another title" }, { "id": "ac-6", "title": "Least Privilege", "controls": [
            { "id": "ac-6.1", "title": "Access to Security Functions" },
        ] },
    ] } })
}

/// An assessment that ended on this day.
fn assessment(day: &str, findings: &[(&str, &str)]) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|(target, state)| {
            json!({ "title": format!("{target} {state}"), "target": { "target-id": target, "status": { "state": state } } })
        })
        .collect();
    json!({ "end": format!("{day}T00:00:00Z"), "findings": findings })
}

fn assessments(results: &[Value]) -> Value {
    json!({ "assessment-results": { "metadata": metadata(), "results": results } })
}

fn own(controls: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let owned = |(key, title, status): &(&str, &str, &str)| (key.to_string(), title.to_string(), status.to_string());
    controls.iter().map(owned).collect()
}

#[tokio::test]
async fn a_catalog_adds_controls_and_an_assessment_sets_them() {
    let world = World::new().await;
    let elsewhere = world.count("controls").await;
    let report = import(&world, "SHOP-1", "catalog.json", &catalog()).await;
    assert_eq!(
        (report.new_controls, report.changed_controls, report.new_findings),
        (2, 0, 0)
    );
    // The failing control of the release had no blocker yet.
    assert_eq!((report.evidence_ids.len(), report.blockers), (1, 0));
    let known = ("AC-3", "Access enforcement", "failing");
    assert_eq!(
        controls(&world).await,
        own(&[
            known,
            ("AC-6", "Least Privilege", "unknown"),
            ("AC-6.1", "Access to Security Functions", "unknown")
        ])
    );

    let file = assessments(&[assessment(
        "2026-11-10",
        &[
            ("ac-6.1_obj", "not-satisfied"),
            ("ac-6", "satisfied"),
            ("zz-9", "satisfied"),
        ],
    )]);
    let report = import(&world, "SHOP-1", "results.json", &file).await;
    assert_eq!((report.new_controls, report.changed_controls), (0, 2));
    assert_eq!((report.results, report.new_findings, report.not_failures), (3, 1, 2));
    assert_eq!(
        report.blockers, 1,
        "of the control that fails now; its finding is of medium severity"
    );
    assert!(
        report.to_string().contains("0 new controls, 2 with another status"),
        "{report}"
    );
    let after = own(&[
        known,
        ("AC-6", "Least Privilege", "passing"),
        ("AC-6.1", "Access to Security Functions", "failing"),
    ]);
    assert_eq!(controls(&world).await, after);

    // A newer edition of the catalog does not change the status of the controls.
    let mut newer = catalog();
    newer["catalog"]["metadata"]["version"] = json!("2");
    let report = import(&world, "SHOP-1", "catalog.json", &newer).await;
    assert_eq!(
        (report.new_controls, report.changed_controls, report.unchanged),
        (0, 0, false)
    );
    assert_eq!(controls(&world).await, after);
    assert_eq!(
        world.count("controls").await,
        elsewhere + 2,
        "nobody else has new controls"
    );
}

#[tokio::test]
async fn the_latest_of_several_assessments_holds() {
    let world = World::new().await;
    let file = assessments(&[
        assessment("2026-11-10", &[("ac-3", "satisfied")]),
        assessment("2026-10-10", &[("ac-3", "not-satisfied")]),
    ]);
    let report = import(&world, "SHOP-1", "results.json", &file).await;
    assert_eq!((report.runs, report.evidence_ids.len()), (2, 2));
    assert_eq!(
        controls(&world).await,
        own(&[("AC-3", "Access enforcement", "passing")])
    );
}

#[tokio::test]
async fn tests_that_pass_are_evidence_and_ones_that_fail_block() {
    let world = World::new().await;
    let suite = |body: &str| {
        format!(
            "<testsuite name='pytest' timestamp='2026-11-20T10:00:00'><testcase classname='c' name='t'>{body}</testcase></testsuite>"
        )
    };
    let report = import_bytes(&world, "SHOP-1", "report.xml", suite("").into_bytes()).await;
    assert_eq!(
        (report.format.as_str(), report.results, report.not_failures),
        ("junit", 1, 1)
    );
    assert_eq!(
        (report.new_findings, report.blockers, report.evidence_ids.len()),
        (0, 0, 1)
    );
    let found = list(&world, "loopiq_search_evidence", json!({ "text": "report.xml" })).await;
    assert_eq!(
        (&found[0]["kind"], &found[0]["collectedFrom"]),
        (&json!("junit"), &json!("run"))
    );

    let report = import_bytes(
        &world,
        "SHOP-1",
        "report.xml",
        suite("<failure message='1'/>").into_bytes(),
    )
    .await;
    assert_eq!((report.new_findings, report.blockers), (1, 1));
    let report = import_bytes(
        &world,
        "SHOP-1",
        "report.xml",
        suite("<error message='2'/>").into_bytes(),
    )
    .await;
    assert_eq!((report.new_findings, report.known_findings, report.blockers), (0, 1, 0));
}

#[tokio::test]
async fn a_verdict_that_is_taken_back_blocks_and_shows_which_package() {
    let world = World::new().await;
    let bom = |state: &str| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": { "component": { "name": "shop", "version": "1" } },
            "components": [{ "bom-ref": "lib", "name": "lib", "version": "1.0", "purl": "pkg:npm/lib@1.0" }],
            "vulnerabilities": [{
                "id": "CVE-2026-1", "ratings": [{ "severity": "critical" }], "analysis": { "state": state },
                "affects": [{ "ref": "lib" }],
            }],
        })
    };
    let report = import(&world, "SHOP-1", "bom.json", &bom("not_affected")).await;
    assert_eq!((report.new_findings, report.suppressed, report.blockers), (1, 1, 0));
    let report = import(&world, "SHOP-1", "bom.json", &bom("exploitable")).await;
    assert_eq!((report.reopened, report.suppressed, report.blockers), (1, 0, 1));
    let found = list(
        &world,
        "loopiq_list_findings",
        json!({ "text": "CVE-2026-1", "status": "open" }),
    )
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["component"], "pkg:npm/lib@1.0");
}

/// Two runs of one tool that share a category, and a judgement of the tool on its own finding.
#[tokio::test]
async fn results_of_two_runs_stay_apart_and_a_judged_one_is_the_same() {
    let world = World::new().await;
    let run = |of: &str| {
        json!({
            "tool": { "driver": { "name": "TwoRuns" } }, "automationDetails": { "id": format!("Two/Open Source/{of}") },
            "results": [{ "ruleId": "PKG-1", "message": { "text": "here" }, "level": "error", "locations": [
                { "physicalLocation": { "artifactLocation": { "uri": "package.json" }, "region": { "startLine": 1 } } },
            ] }],
        })
    };
    let runs = json!({ "version": "2.1.0", "runs": [run("shop-web"), run("shop-api")] });
    let report = import(&world, "SHOP-1", "two.sarif", &runs).await;
    assert_eq!((report.new_findings, report.known_findings), (2, 0));

    let bom = |version: u32, analysis: Value| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": version,
            "metadata": { "tools": { "components": [{ "name": "Libs" }] } },
            "components": [{ "bom-ref": "a", "name": "a", "version": "1.0.0", "purl": "pkg:npm/a@1.0.0" }],
            "vulnerabilities": [{ "id": "CVE-2099-0001", "affects": [{ "ref": "a" }], "analysis": analysis }],
        })
    };
    let first = import(&world, "SHOP-1", "bom.json", &bom(1, Value::Null)).await;
    let judged = import(
        &world,
        "SHOP-1",
        "bom.json",
        &bom(2, json!({ "state": "not_affected" })),
    )
    .await;
    assert_eq!(
        (first.new_findings, judged.new_findings, judged.known_findings),
        (1, 0, 1)
    );
    let arguments = json!({ "text": "CVE-2099-0001", "status": "suppressed" });
    assert_eq!(list(&world, "loopiq_list_findings", arguments).await.len(), 1);
}

/// More findings than one statement takes, half of which are known: keys follow the order of the file, and decisions of people are kept.
#[tokio::test]
async fn many_findings_come_in_the_order_of_the_file() {
    let world = World::new().await;
    let scan = |files: &mut dyn Iterator<Item = u32>, rule: &str| {
        sarif(Value::from_iter(
            files.map(|n| result(rule, &format!("src/{n:04}.ts"), 1)),
        ))
    };
    let before = world.count("findings").await;
    let report = import_bytes(
        &world,
        "SHOP-1",
        "one.sarif",
        scan(&mut (0..700).step_by(2), "sql-injection"),
    )
    .await;
    assert_eq!(
        (report.new_findings, report.known_findings, report.blockers),
        (350, 0, 350)
    );
    let report = import_bytes(&world, "SHOP-1", "two.sarif", scan(&mut (0..700), "sql-injection")).await;
    assert_eq!(
        (report.new_findings, report.known_findings, report.blockers),
        (350, 350, 350)
    );
    assert_eq!(world.count("findings").await, before + 700);
    assert_eq!(
        report.to_string().matches("350 new findings, 350 known").count(),
        1,
        "{report}"
    );

    let dump = world.dump().await;
    let rows = |table: &str| {
        dump.iter()
            .filter(|row| row.starts_with(&format!("{table}|")))
            .cloned()
            .collect::<Vec<_>>()
    };
    let field = |row: &str, name: &str| {
        let start = row.find(&format!("|{name}=")).expect(name) + name.len() + 2;
        row[start..].split('|').next().expect("a value").to_owned()
    };
    let mut numbered: Vec<(u32, String)> = rows("findings")
        .iter()
        .filter(|row| row.contains("|location=src/"))
        .map(|row| {
            (
                field(row, "key")[4..].parse().expect("a number"),
                field(row, "location"),
            )
        })
        .collect();
    numbered.sort();
    assert!(
        numbered.windows(2).all(|two| two[0].0 + 1 == two[1].0),
        "numbers have no gaps"
    );
    let files: Vec<String> = numbered.into_iter().map(|(_, file)| file).collect();
    let expected: Vec<String> = (0..700)
        .step_by(2)
        .chain((1..700).step_by(2))
        .map(|n| format!("src/{n:04}.ts"))
        .collect();
    assert_eq!(files, expected);
    // Each scan has one sighting of each of its findings.
    assert_eq!(
        rows("sightings")
            .iter()
            .filter(|row| row.contains(world.acme.release.as_str()))
            .count(),
        2 + 350 + 700
    );
    let mut blockers: Vec<String> = rows("blockers")
        .iter()
        .filter(|row| field(row, "tenant") == "acme")
        .map(|row| field(row, "key"))
        .collect();
    blockers.sort();
    assert!(blockers.len() > 700);
    assert!(
        blockers.windows(2).all(|two| two[0] != two[1]),
        "each has a number of its own"
    );
}

#[tokio::test]
async fn a_changed_severity_is_a_new_version_and_an_older_scan_turns_no_time_back() {
    let world = World::new().await;
    let record = |severity: &str| json!([{ "id": "CVE-2026-2", "modified": "2026-01-01T00:00:00Z", "database_specific": { "severity": severity } }]);
    let at = async |day: &str, severity: &str| {
        let bytes = record(severity).to_string().into_bytes();
        let told = Timestamp::parse(day);
        let report = world
            .engine
            .import(&operator(&world), "SHOP-1", day, bytes, None, told)
            .await
            .expect("an import");
        assert!(!report.unchanged);
        list(&world, "loopiq_list_findings", json!({ "text": "CVE-2026-2" }))
            .await
            .remove(0)
    };
    let first = at("2026-11-10", "LOW").await;
    let later = at("2026-11-11", "MODERATE").await;
    assert_eq!(
        (&first["severity"], &later["severity"]),
        (&json!("low"), &json!("medium"))
    );
    assert_eq!((&first["version"], &later["version"]), (&json!(1), &json!(2)));
    let older = at("2026-11-01", "HIGH").await;
    assert_eq!(older["lastSeenAt"], later["lastSeenAt"]);
    assert_ne!(later["lastSeenAt"], first["lastSeenAt"]);
    assert_eq!(older["id"], first["id"]);
}

/// Real files of each format: the import finds the expected records, and a second import of the same bytes changes nothing.
#[tokio::test]
async fn real_files_become_findings_controls_and_evidence() {
    let folder = std::env::var("LOOPIQ_TEST_DATA").unwrap_or_else(|_| "../shared/data".into());
    let world = World::new().await;
    for (name, format, findings, suppressed, new_controls) in [
        ("osv/osv-scanner-many.json", "osv", 66, 0, 0),
        ("cyclonedx/vex-same-cve-many-versions.json", "cyclonedx", 21, 12, 0),
        ("cyclonedx/jake2.json", "cyclonedx", 7, 0, 0),
        ("junit/report.xml", "junit", 0, 0, 0),
        ("oscal/nist-800-53r5-low-catalog.json", "oscal", 0, 0, 149),
        ("oscal/assessment-results.json", "oscal", 2, 0, 0),
        ("oscal/poam.json", "oscal", 3, 1, 0),
        ("cases/cyclonedx/vulnerabilities.xml", "cyclonedx", 1, 0, 0),
        ("cases/other/openvex.json", "openvex", 1, 1, 0),
        ("cases/other/csaf-vex.json", "csaf", 1, 0, 0),
        ("cases/other/results.trx", "trx", 0, 0, 0),
        ("cases/junit/latin1.xml", "junit", 1, 0, 0),
        ("cases/junit/counted-not-shown.xml", "junit", 2, 0, 0),
        ("cases/osv/uncalled.json", "osv", 1, 1, 0),
    ] {
        let path = std::path::Path::new(&folder).join(name);
        let Ok(bytes) = std::fs::read(&path) else {
            assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
            eprintln!("skipped: {} is missing", path.display());
            return;
        };
        let report = import_bytes(&world, "SHOP-2", name, bytes.clone()).await;
        assert_eq!(report.format, format);
        assert_eq!(
            (report.new_findings, report.suppressed, report.new_controls),
            (findings, suppressed, new_controls),
            "{name}"
        );
        assert_eq!(report.evidence_ids.len(), 1, "{name}");
        assert!(import_bytes(&world, "SHOP-2", name, bytes).await.unchanged, "{name}");
    }
}
