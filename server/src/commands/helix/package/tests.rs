use super::super::plan::{Finding, groups};
use super::*;

fn release(components: Vec<Component>) -> Release {
    let team = |id: &str, key: &str| Team {
        id: id.to_owned(),
        key: key.to_owned(),
    };
    Release {
        id: "rel_1".to_owned(),
        key: "PAY-2026.11".to_owned(),
        teams: vec![team("team_2", "PLATFORM"), team("team_1", "PAYMENTS")],
        components,
        certifications: vec![
            Certification {
                id: "crt_0".to_owned(),
                status: "granted".to_owned(),
            },
            Certification {
                id: "crt_1".to_owned(),
                status: "open".to_owned(),
            },
        ],
    }
}

fn finding(id: &str, location: &str, line: i64) -> Finding {
    Finding {
        id: id.to_owned(),
        key: format!("F-{id}"),
        provider: "semgrep".to_owned(),
        rule: "rust.sqli".to_owned(),
        title: "SQL built from user input".to_owned(),
        message: "Use a parameter.\nNow.".to_owned(),
        severity: Severity::High,
        location: Some(location.to_owned()),
        line: Some(line),
        component: Some("payments-api".to_owned()),
        evidence_ids: vec![format!("evd_{id}"), "evd_old".to_owned()],
    }
}

fn only_group(findings: Vec<Finding>) -> Group {
    groups(findings, &BTreeSet::new()).pop().unwrap()
}

fn blocker(id: &str, finding: Option<&str>) -> Blocker {
    Blocker {
        id: id.to_owned(),
        key: id.to_uppercase(),
        finding_id: finding.map(str::to_owned),
    }
}

#[test]
fn a_package_names_rule_location_and_cited_records() {
    let group = only_group(vec![
        finding("1", "src/db/a.rs", 4),
        finding("2", "src/db/a.rs", 9),
        finding("3", "src/db/b.rs", 7),
    ]);
    let service = Component {
        id: "cmp_1".to_owned(),
        kind: ComponentKind::Service,
        key: "payments-api".to_owned(),
        name: "Payments API".to_owned(),
        team_id: "team_9".to_owned(),
    };
    let blockers = [
        blocker("blk_2", Some("3")),
        blocker("blk_1", Some("1")),
        blocker("blk_3", Some("9")),
        blocker("blk_4", None),
    ];
    let it = Value::Object(arguments(&group, &release(vec![service]), &blockers).unwrap());
    assert_eq!(
        (&it["releaseId"], &it["certificationId"], &it["teamId"]),
        (&json!("rel_1"), &json!("crt_1"), &json!("team_9"))
    );
    assert_eq!(it["service"], "payments-api");
    assert_eq!(it["parent"]["title"], "Fix in src/db: SQL built from user input");
    assert_eq!(
        it["children"][0]["title"],
        "Fix SQL built from user input in src/db/a.rs (2 locations)"
    );
    assert_eq!(it["children"][0]["findingIds"], json!(["1", "2"]));
    assert_eq!(it["children"][0]["evidenceIds"], json!(["evd_1", "evd_2", "evd_old"]));
    assert_eq!(
        it["children"][1]["title"],
        "Fix SQL built from user input in src/db/b.rs:7"
    );
    for described in [&it["parent"], &it["children"][0], &it["children"][1]] {
        assert!(
            described["description"].as_str().unwrap().contains("rust.sqli"),
            "{described}"
        );
    }
    assert_eq!(it["blockerIds"], json!(["blk_1", "blk_2"]));
    let reason = it["reason"].as_str().unwrap();
    assert!(
        ["rel_1", "blk_1", "evd_1", " 1 2 3"]
            .iter()
            .all(|cited| reason.contains(cited)),
        "{reason}"
    );
    assert!(!it["parent"]["description"].as_str().unwrap().contains("guess"));
}

#[test]
fn a_team_that_is_a_guess_is_called_one() {
    let group = only_group(vec![finding("1", "src/db/a.rs", 4)]);
    let it = Value::Object(arguments(&group, &release(Vec::new()), &[]).unwrap());
    assert_eq!(it["teamId"], "team_1", "the first by key");
    assert!(it["parent"]["description"].as_str().unwrap().contains("guess"));
    let without_team = Release {
        teams: Vec::new(),
        ..release(Vec::new())
    };
    assert!(arguments(&group, &without_team, &[]).is_none());
}

#[test]
fn the_key_follows_release_and_findings_alone() {
    let key_of = |findings: Vec<Finding>| {
        arguments(&only_group(findings), &release(Vec::new()), &[]).unwrap()["idempotencyKey"].clone()
    };
    let one = key_of(vec![finding("1", "src/db/a.rs", 4), finding("2", "src/db/b.rs", 4)]);
    assert_eq!(
        one,
        key_of(vec![finding("2", "src/db/c.rs", 1), finding("1", "src/db/a.rs", 5)])
    );
    assert_ne!(one, key_of(vec![finding("1", "src/db/a.rs", 4)]));
}

#[test]
fn arguments_stay_within_the_tool_s_limits_for_any_scanner_text() {
    let long = "x".repeat(3_000);
    let findings = (0..80).map(|n| Finding {
        rule: long.clone(),
        title: long.clone(),
        message: long.clone(),
        ..finding(&format!("fnd_{n:026}"), &format!("{long}/{long}/{long}/{n:03}"), n)
    });
    let group = only_group(findings.collect());
    let blockers: Vec<Blocker> = group
        .findings()
        .map(|finding| blocker(&format!("blk_{}", finding.id), Some(&finding.id)))
        .collect();
    let it = Value::Object(arguments(&group, &release(Vec::new()), &blockers).unwrap());
    let length = |value: &Value| value.as_str().unwrap().chars().count();
    assert!(length(&it["parent"]["title"]) <= 200 && length(&it["reason"]) <= 500);
    assert!(length(&it["parent"]["description"]) <= 10_000);
    for child in it["children"].as_array().unwrap() {
        assert!(length(&child["title"]) <= 200 && length(&child["description"]) <= 10_000);
    }
    assert!(length(&it["parent"]["acceptanceCriteria"][0]) <= 1_000);
    assert!(it.to_string().len() < 256 * 1024);
}
