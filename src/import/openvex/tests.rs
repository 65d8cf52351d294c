use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{Format, ImportError, Scan, VexStatements, VexStatus, Vulnerability, read};
use serde_json::{Value, json};

fn document(statements: Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1", "author": "Shop",
        "timestamp": "2026-11-20T10:00:00Z", "version": 1, "statements": statements,
    })
}

fn scan(statements: Value) -> Scan {
    only(Format::OpenVex, &document(statements).to_string())
}

#[test]
fn a_statement_is_about_each_of_its_products() {
    let scan = scan(json!([
        {
            "vulnerability": { "name": "CVE-1", "aliases": ["GHSA-1"], "description": "Reads\nmore" },
            "products": [{ "@id": "https://example.org/a", "identifiers": { "purl": "pkg:npm/a@1" } }, { "@id": "pkg:npm/b@1" }],
            "status": "not_affected", "justification": "component_not_present", "impact_statement": "It is not there.",
        },
        { "vulnerability": { "name": "CVE-2" }, "products": [{ "@id": "pkg:npm/a@1" }], "status": "fixed", "timestamp": "2026-11-21T10:00:00Z" },
        {
            "vulnerability": { "name": "CVE-3" }, "status": "affected", "action_statement": "Update.",
            "products": [{ "@id": "pkg:oci/shop@sha256%3Aa", "subcomponents": [{ "@id": "pkg:npm/c@1" }, { "@id": "pkg:npm/d@1" }] }],
        },
        { "vulnerability": "CVE-4", "products": ["pkg:npm/e@1"], "status": "under_investigation" },
        { "vulnerability": { "@id": "CVE-5" }, "status": "no idea" },
    ]));
    assert_eq!(
        (scan.provider.as_str(), scan.complete, scan.results, scan.not_failures),
        ("Shop", false, 7, 1)
    );
    assert_eq!(scan.collected_at, Some(1_795_168_800_000_000));
    assert_eq!(rules(&scan), ["CVE-1", "CVE-1", "CVE-3", "CVE-3", "CVE-4", "CVE-5"]);
    assert_eq!(identities(&scan).len(), 6);
    let suppressed: Vec<bool> = scan.findings.iter().map(|one| one.suppressed).collect();
    assert_eq!(suppressed, [true, true, false, false, false, false]);
    let components: Vec<&str> = scan
        .findings
        .iter()
        .map(|one| one.component.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        components,
        [
            "pkg:npm/a@1",
            "pkg:npm/b@1",
            "pkg:npm/c@1",
            "pkg:npm/d@1",
            "pkg:npm/e@1",
            ""
        ]
    );
    assert_eq!(scan.findings[0].title, "Reads");
    assert_eq!(
        scan.findings[0].message,
        "Also known as GHSA-1.\n\nStatus: not_affected.\n\ncomponent_not_present\nIt is not there.\n\nReads\nmore"
    );
    assert_eq!(
        scan.findings[2].message,
        "Status: affected.\n\nProduct: pkg:oci/shop@sha256%3Aa.\n\nUpdate."
    );
    let statuses: Vec<VexStatus> = scan.statements.iter().map(|one| one.status).collect();
    use VexStatus::*;
    assert_eq!(
        statuses,
        [NotAffected, NotAffected, Fixed, Affected, Affected, UnderInvestigation]
    );
    assert_eq!(
        (scan.statements[2].at, scan.statements[2].finding),
        (Some(1_795_255_200_000_000), None)
    );
    let found = Vulnerability {
        ids: vec!["GHSA-1".to_owned()],
        products: vec!["pkg:npm/a@1".to_owned()],
    };
    let about = VexStatements::new(&scan.statements).about(&found);
    assert_eq!(about.map(|one| (one.status, one.finding)), Some((NotAffected, Some(0))));
}

#[test]
fn the_case_is_about_its_package() {
    let Some(scan) = sample_scan(Format::OpenVex, "cases/other/openvex.json") else {
        return;
    };
    let [statement] = scan.statements.as_slice() else {
        panic!("one")
    };
    assert_eq!(statement.status, VexStatus::NotAffected);
    assert_eq!(statement.vulnerability.purl(), Some("pkg:npm/a@1.0.0"));
    // The scanner's own finding, of another file.
    let scanner = sample_scan(Format::CycloneDx, "cases/cyclonedx/scan.json").expect("the other was there");
    let found = scanner.findings[0].vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(VexStatements::new(&scan.statements).about(found), Some(statement));
}

#[test]
fn what_could_lose_statements_is_refused() {
    let refused = |file: &Value| read(Format::OpenVex, file.to_string().as_bytes()).expect_err("refused");
    let mut file = document(json!([]));
    assert!(
        read(Format::OpenVex, file.to_string().as_bytes()).is_ok(),
        "a document that states nothing"
    );
    file["statements"] = Value::Null;
    assert!(matches!(refused(&file), ImportError::Missing { .. }));
    assert!(matches!(
        refused(&document(json!([{ "status": "affected" }]))),
        ImportError::Missing { .. }
    ));
    for statements in [
        json!({}),
        json!(["CVE-1"]),
        json!([{ "products": "a" }]),
        json!([{ "products": [7] }]),
    ] {
        assert!(
            matches!(refused(&document(statements.clone())), ImportError::Malformed { .. }),
            "{statements}"
        );
    }
    let mut later = document(json!([]));
    later["@context"] = json!("https://openvex.dev/ns/v1.0.0");
    assert!(matches!(refused(&later), ImportError::WrongVersion { .. }));
}
