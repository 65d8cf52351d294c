use crate::import::tests::{identities, only, rules, sample};
use crate::import::{Format, ImportError, Scan, Severity, VexStatus, read, read_any};
use serde_json::{Value, json};

fn scan(file: &Value) -> Scan {
    only(Format::Spdx, &file.to_string())
}

fn v2(references: Value) -> Value {
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "shop",
        "creationInfo": { "created": "2026-11-20T10:00:00Z", "creators": ["Organization: Acme", "Tool: scanner-1.2"] },
        "packages": [
            { "SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1.0.0", "externalRefs": references },
            { "SPDXID": "SPDXRef-b", "name": "b" },
        ],
    })
}

fn reference(kind: &str, locator: &str) -> Value {
    json!({ "referenceCategory": "SECURITY", "referenceType": kind, "referenceLocator": locator })
}

#[test]
fn advisories_of_packages_are_findings() {
    let mut commented = reference("advisory", "https://example.org/advisories/7");
    commented["comment"] = json!("Reads too much\nmore");
    let scan = scan(&v2(json!([
        { "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/a" },
        reference("cpe23Type", "cpe:2.3:a:acme:a:1.0.0:*:*:*:*:*:*:*"),
        reference("advisory", "https://nvd.nist.gov/vuln/detail/CVE-2099-0001"),
        commented,
        reference("http://spdx.org/rdf/references/fix", "https://example.org/commit/1?fixes=CVE-2099-0002"),
        reference("fix", "https://example.org/commit/2"),
        reference("url", "https://example.org/vex"),
    ])));
    assert_eq!(
        (scan.provider.as_str(), scan.collected_at),
        ("scanner-1.2", Some(1_795_168_800_000_000))
    );
    assert_eq!(
        (rules(&scan), scan.results, scan.not_failures),
        (vec!["CVE-2099-0001", "https://example.org/advisories/7"], 4, 2)
    );
    assert_eq!(identities(&scan).len(), 2);
    let first = &scan.findings[0];
    assert_eq!(first.component.as_deref(), Some("pkg:npm/a@1.0.0"));
    assert_eq!(
        first.help_uri.as_deref(),
        Some("https://nvd.nist.gov/vuln/detail/CVE-2099-0001")
    );
    let vulnerability = first.vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(
        vulnerability.products,
        ["pkg:npm/a@1.0.0", "cpe:2.3:a:acme:a:1.0.0:*:*:*:*:*:*:*"]
    );
    assert_eq!(scan.findings[1].title, "Reads too much");
    let [fixed] = scan.statements.as_slice() else {
        panic!("one")
    };
    assert_eq!(
        (fixed.status, fixed.vulnerability.ids.as_slice(), fixed.finding),
        (VexStatus::Fixed, &["CVE-2099-0002".to_owned()][..], None)
    );
}

fn v3(more: Value) -> Value {
    let mut graph = vec![
        json!({ "type": "CreationInfo", "@id": "_:c", "created": "2026-11-20T10:00:00Z", "specVersion": "3.0.1" }),
        json!({ "type": "Tool", "spdxId": "urn:t", "name": "vexer" }),
        json!({ "type": "software_Package", "spdxId": "urn:a", "name": "a", "software_packageVersion": "1.0.0", "software_packageUrl": "pkg:npm/a@1.0.0" }),
        json!({ "type": "software_Package", "spdxId": "urn:b", "name": "b", "externalIdentifier": [{ "externalIdentifierType": "packageUrl", "identifier": "pkg:npm/b@2" }] }),
        json!({ "type": "security_Vulnerability", "spdxId": "urn:v1", "summary": "Reads", "description": "Long", "externalIdentifier": [
            { "externalIdentifierType": "cve", "identifier": "CVE-2099-0001" }, { "externalIdentifierType": "securityOther", "identifier": "GHSA-jfh8-c2jp-5v3q" },
        ] }),
    ];
    graph.extend(more.as_array().expect("a list").clone());
    json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph })
}

fn vex(kind: &str, to: Value) -> Value {
    json!({ "type": format!("security_Vex{kind}VulnAssessmentRelationship"), "spdxId": format!("urn:{kind}"), "from": "urn:v1", "to": to })
}

#[test]
fn statements_of_version_3_are_about_packages() {
    let mut aside = vex("NotAffected", json!(["urn:a"]));
    aside["security_justificationType"] = json!("vulnerableCodeNotPresent");
    aside["security_impactStatement"] = json!("Not there.");
    aside["security_publishedTime"] = json!("2026-11-19T10:00:00Z");
    let score = json!({
        "type": "security_CvssV3VulnAssessmentRelationship", "spdxId": "urn:s", "from": "urn:v1", "to": ["urn:a"],
        "security_score": 9.8, "security_severity": "critical", "relationshipType": "hasAssessmentFor",
    });
    let found = scan(&v3(json!([
        aside,
        vex("Affected", json!(["urn:b"])),
        vex("Fixed", json!(["urn:gone"])),
        score
    ])));
    assert_eq!(
        (found.provider.as_str(), found.collected_at),
        ("vexer", Some(1_795_168_800_000_000))
    );
    assert_eq!(
        (rules(&found), found.results, found.not_failures),
        (vec!["CVE-2099-0001"; 2], 3, 1)
    );
    let seen: Vec<_> = found
        .findings
        .iter()
        .map(|one| (one.component.as_deref(), one.severity, one.suppressed))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("pkg:npm/a@1.0.0"), Severity::Critical, true),
            (Some("pkg:npm/b@2"), Severity::Critical, false)
        ]
    );
    assert_eq!(
        found.findings[0].message,
        "Status: not_affected.\n\nvulnerableCodeNotPresent\nNot there.\n\nLong"
    );
    let first = &found.statements[0];
    assert_eq!(
        (first.status, first.at, first.finding),
        (VexStatus::NotAffected, Some(1_795_082_400_000_000), Some(0))
    );
    assert_eq!(first.vulnerability.ids, ["CVE-2099-0001", "GHSA-jfh8-c2jp-5v3q"]);
    assert_eq!(found.statements[2].status, VexStatus::Fixed);
}

#[test]
fn vulnerabilities_of_version_3_without_statement_are_findings() {
    let related = json!({ "type": "Relationship", "spdxId": "urn:r", "from": "urn:a", "to": ["urn:v1"], "relationshipType": "hasAssociatedVulnerability" });
    let with = scan(&v3(json!([related])));
    assert_eq!(
        (with.results, with.findings[0].component.as_deref()),
        (1, Some("pkg:npm/a@1.0.0"))
    );
    let alone = scan(&v3(json!([])));
    assert_eq!((alone.results, alone.findings[0].component.as_deref()), (1, None));
}

#[test]
fn a_list_of_packages_is_no_scan() {
    let refused = |file: &Value| read(Format::Spdx, file.to_string().as_bytes()).expect_err("refused");
    for file in [
        v2(json!([reference("cpe23Type", "cpe:2.3:a:b:c:1")])),
        json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [] }),
    ] {
        assert!(matches!(refused(&file), ImportError::OtherDocument { .. }), "{file}");
    }
    let later = json!({ "spdxVersion": "SPDX-2.9", "packages": [] });
    assert!(matches!(refused(&later), ImportError::WrongVersion { .. }));
    assert!(matches!(
        refused(&json!({ "@context": "https://spdx.org/rdf/3.0.1/x" })),
        ImportError::Missing { .. }
    ));
    for packages in [json!({}), json!([{ "externalRefs": {} }]), json!(["a"])] {
        let file = json!({ "spdxVersion": "SPDX-2.3", "packages": packages });
        assert!(matches!(refused(&file), ImportError::Malformed { .. }), "{file}");
    }
    let Some(case) = sample("cases/other/spdx.json") else {
        return;
    };
    let error = read_any(&case).expect_err("refused").to_string();
    assert!(
        error.contains("SPDX document that names no vulnerability") && error.contains("Grype"),
        "{error}"
    );
}
