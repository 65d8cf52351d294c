use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{ControlReport, ControlStatus, Format, ImportError, Scan, ScanKind, Severity, read, read_any};
use serde_json::{Value, json};

fn metadata() -> Value {
    json!({ "title": "Own", "oscal-version": "1.1.2", "version": "3", "last-modified": "2024-01-02T03:04:05Z" })
}

fn results(findings: Value, risks: Value) -> Value {
    json!({ "assessment-results": { "metadata": metadata(), "results": [
        { "start": "2024-01-01T00:00:00Z", "end": "2024-01-01T01:00:00Z", "findings": findings, "risks": risks },
    ] } })
}

fn finding(target: &str, state: &str) -> Value {
    json!({ "uuid": "a", "title": "Words", "target": { "type": "objective-id", "target-id": target, "status": { "state": state } } })
}

fn risk(uuid: &str, status: &str) -> Value {
    json!({ "uuid": uuid, "title": format!("Risk {uuid}"), "description": "Words", "status": status })
}

fn scan(file: &Value) -> Scan {
    only(Format::Oscal, &file.to_string())
}

fn refused(file: &Value) -> ImportError {
    read(Format::Oscal, file.to_string().as_bytes()).expect_err("refused")
}

/// 131 controls in 18 groups, and 18 enhancements of them. Counted with jq.
#[test]
fn a_catalog_declares_its_controls() {
    let Some(scan) = sample_scan(Format::Oscal, "oscal/nist-800-53r5-low-catalog.json") else {
        return;
    };
    assert_eq!(
        (scan.controls.len(), scan.results, scan.kind),
        (149, 0, ScanKind::Catalog)
    );
    assert_eq!(
        scan.provider,
        "NIST Special Publication 800-53 Revision 5.1.1 LOW IMPACT BASELINE"
    );
    assert_eq!(scan.provider_version.as_deref(), Some("5.1.1+u4"));
    assert_eq!(scan.collected_at, Some(1_707_846_220_746_430)); // 2024-02-13T17:43:40.74643Z
    let declared = |key: &str, title: &str| ControlReport::Declared {
        key: key.to_owned(),
        title: title.to_owned(),
    };
    assert_eq!(scan.controls[0], declared("AC-1", "Policy and Procedures"));
    assert!(scan.controls.contains(&declared(
        "IA-2.1",
        "Multi-factor Authentication to Privileged Accounts"
    )));
}

#[test]
fn an_assessment_gives_findings_and_the_status_of_controls() {
    let Some(scan) = sample_scan(Format::Oscal, "oscal/assessment-results.json") else {
        return;
    };
    assert_eq!((scan.results, scan.findings.len(), scan.not_failures), (2, 2, 0));
    assert_eq!(rules(&scan), ["ac-6.1_obj", "risk"]);
    assert_eq!(
        scan.findings[0].title,
        "GoodRead AwesomeCloud Account's System Engineer Role Permits High Risk Actions"
    );
    assert!(
        scan.findings[1]
            .message
            .starts_with("Status: investigating.\n\nA user in the GoodRead")
    );
    assert_eq!(
        scan.controls,
        [ControlReport::Assessed {
            key: "AC-6.1".to_owned(),
            status: ControlStatus::Failing
        }]
    );
    assert_eq!(scan.collected_at, Some(1_685_710_011_000_000)); // 2023-06-02T08:46:51-04:00
}

/// Two items, one of which names a missing risk. The document's other risk is a finding of its own.
#[test]
fn a_plan_of_action_gives_its_items() {
    let Some(scan) = sample_scan(Format::Oscal, "oscal/poam.json") else {
        return;
    };
    assert_eq!(rules(&scan), ["poam-item", "poam-item", "risk"]);
    let aside: Vec<bool> = scan.findings.iter().map(|one| one.suppressed).collect();
    assert_eq!(aside, [false, false, true], "only a deviation that was approved");
    let severities: Vec<Severity> = scan.findings.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Medium, Severity::High, Severity::High]);
    assert!(
        scan.findings[1]
            .message
            .starts_with("Deadline: 2023-06-23T17:00:00-04:00.")
    );
    assert!(
        scan.findings[2]
            .message
            .starts_with("Status: deviation-approved. Deadline: 2024-01-01T05:00:00-04:00.")
    );
}

#[test]
fn one_part_that_is_not_satisfied_fails_the_control() {
    let file = results(
        json!([
            finding("ac-1_obj.a", "satisfied"),
            finding("AC-1_obj.b", "not-satisfied"),
            finding("ac-1_obj.c", "satisfied"),
            finding("ctl_2", "satisfied"),
            finding("ac-3_smt", "unheard-of"),
        ]),
        json!([]),
    );
    let scan = scan(&file);
    let assessed = |key: &str, status| ControlReport::Assessed {
        key: key.to_owned(),
        status,
    };
    assert_eq!(
        scan.controls,
        [
            assessed("AC-1", ControlStatus::Failing),
            assessed("CTL_2", ControlStatus::Passing)
        ]
    );
    assert_eq!(
        rules(&scan),
        ["AC-1_obj.b", "ac-3_smt"],
        "a state that nobody knows is no pass"
    );
    assert_eq!(scan.not_failures, 3);
}

#[test]
fn risks_are_findings_until_they_are_closed() {
    let risks = json!([
        risk("1", "open"),
        risk("2", "closed"),
        risk("3", "deviation-approved"),
        risk("4", "remediating")
    ]);
    let scan = scan(&results(json!([]), risks));
    let titles: Vec<(&str, bool)> = scan
        .findings
        .iter()
        .map(|one| (one.title.as_str(), one.suppressed))
        .collect();
    assert_eq!(titles, [("Risk 1", false), ("Risk 3", true), ("Risk 4", false)]);
    assert_eq!((scan.results, scan.not_failures), (4, 1));
}

#[test]
fn a_finding_is_as_bad_as_its_risk() {
    let mut bad = risk("r", "open");
    bad["characterizations"] = json!([{ "facets": [
        { "name": "likelihood", "value": "critical" }, { "name": "impact", "value": "moderate" },
        { "name": "cvss-base-score", "value": "8.1" },
    ] }]);
    let mut of_risk = finding("ac-1", "not-satisfied");
    of_risk["related-risks"] = json!([{ "risk-uuid": "r" }, { "risk-uuid": "elsewhere" }]);
    let scan = scan(&results(
        json!([of_risk, finding("ac-2", "not-satisfied")]),
        json!([bad]),
    ));
    let severities: Vec<Severity> = scan.findings.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::High, Severity::Medium, Severity::High]);
}

#[test]
fn an_item_is_settled_when_all_its_risks_are() {
    let item = |risks: &[&str]| {
        let related: Vec<Value> = risks.iter().map(|risk| json!({ "risk-uuid": risk })).collect();
        json!({ "title": risks.concat(), "description": "d", "related-risks": related })
    };
    let file = json!({ "plan-of-action-and-milestones": {
        "metadata": metadata(),
        "risks": [risk("open", "open"), risk("closed", "closed"), risk("borne", "deviation-approved")],
        "poam-items": [item(&["closed"]), item(&["closed", "borne"]), item(&["closed", "open"]), item(&["closed", "gone"]), item(&[])],
    } });
    let scan = scan(&file);
    let found: Vec<(&str, bool)> = scan
        .findings
        .iter()
        .map(|one| (one.title.as_str(), one.suppressed))
        .collect();
    assert_eq!(
        found,
        [
            ("closedborne", true),
            ("closedopen", false),
            ("closedgone", false),
            ("d", false)
        ]
    );
    assert_eq!(scan.not_failures, 1);
}

#[test]
fn identities_do_not_rest_on_uuids() {
    let file = results(json!([finding("ac-1", "not-satisfied")]), json!([risk("1", "open")]));
    let mut again = file.clone();
    again["assessment-results"]["results"][0]["findings"][0]["uuid"] = json!("b");
    again["assessment-results"]["results"][0]["risks"][0]["uuid"] = json!("2");
    let (one, other) = (scan(&file), scan(&again));
    assert_eq!(identities(&one), identities(&other));
    assert_eq!(identities(&one).len(), 2);
}

#[test]
fn each_assessment_is_a_scan_and_an_empty_one_is_evidence() {
    let mut file = results(json!([]), Value::Null);
    let second = json!({ "start": "2024-02-01T00:00:00Z" });
    file["assessment-results"]["results"]
        .as_array_mut()
        .expect("a list")
        .push(second);
    let (_, scans) = read_any(file.to_string().as_bytes()).expect("a sound file");
    let times: Vec<Option<i64>> = scans.iter().map(|one| one.collected_at).collect();
    assert_eq!(times, [Some(1_704_070_800_000_000), Some(1_706_745_600_000_000)]);
    assert!(scans.iter().all(|one| one.results == 0));
}

#[test]
fn withdrawn_controls_are_not_declared_and_deep_ones_are() {
    let file = json!({ "catalog": { "metadata": metadata(), "groups": [{ "groups": [{ "controls": [
        { "id": "a-1", "title": "One", "controls": [{ "id": "a-1.1", "title": "\n Two  words " }] },
        { "id": "a-2", "title": "Gone", "props": [{ "name": "status", "value": "withdrawn" }] },
        { "id": "A-1", "title": "Again" },
    ] }] }], "controls": [{ "id": "z" }] } });
    let found: Vec<(String, String)> = scan(&file)
        .controls
        .into_iter()
        .map(|one| match one {
            ControlReport::Declared { key, title } => (key, title),
            ControlReport::Assessed { .. } => panic!("a catalog assesses nothing"),
        })
        .collect();
    let expected = [("Z", "Z"), ("A-1", "One"), ("A-1.1", "Two words")];
    assert_eq!(found, expected.map(|(key, title)| (key.to_owned(), title.to_owned())));
}

#[test]
fn what_could_lose_findings_is_refused() {
    let missing = [
        json!({ "catalog": { "metadata": metadata() } }),
        json!({ "catalog": { "metadata": metadata(), "controls": [{ "id": " " }] } }),
        json!({ "catalog": { "metadata": { "oscal-version": "1.0.0" }, "controls": [] } }),
        json!({ "$schema": "x" }),
    ];
    for file in &missing {
        assert!(matches!(refused(file), ImportError::Missing { .. }), "{file}");
    }
    let malformed = [
        json!({ "assessment-results": { "metadata": metadata() } }),
        json!({ "assessment-results": { "metadata": metadata(), "results": null } }),
        results(json!([{ "title": "no target" }]), json!([])),
        results(json!([]), json!([{ "uuid": "no status" }])),
        results(json!({}), json!([])),
        json!({ "plan-of-action-and-milestones": { "metadata": metadata() } }),
        json!({ "catalog": { "metadata": metadata(), "controls": [{ "title": "no ID" }] } }),
    ];
    for file in &malformed {
        assert!(
            matches!(refused(file), ImportError::Malformed { .. }),
            "{file}: {:?}",
            refused(file)
        );
    }
    for version in [json!("2.0.0"), json!("0.9"), json!("10.0"), Value::Null] {
        let mut file = results(json!([]), json!([]));
        file["assessment-results"]["metadata"]["oscal-version"] = version.clone();
        // Another version may have any structure.
        file["assessment-results"]["results"] = json!("other");
        assert!(matches!(refused(&file), ImportError::WrongVersion { .. }), "{version}");
    }
}

#[test]
fn other_documents_are_named() {
    for name in [
        "profile",
        "component-definition",
        "system-security-plan",
        "assessment-plan",
        "mapping-collection",
    ] {
        let file = json!({ name: { "metadata": metadata() } }).to_string();
        let error = read_any(file.as_bytes()).expect_err("refused");
        assert!(matches!(error, ImportError::OtherDocument { .. }), "{name}");
        assert!(error.to_string().contains("OSCAL"), "{error}");
    }
}
