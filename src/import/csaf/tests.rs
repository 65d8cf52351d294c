use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{Format, ImportError, Scan, Severity, VexStatus, read};
use serde_json::{Value, json};

/// Two products, a library that is a component of each, and a group of both.
fn document(vulnerabilities: Value) -> Value {
    let product = |id: &str, purl: Value| json!({ "product_id": id, "name": format!("Product {id}"), "product_identification_helper": purl });
    let inside = |id: &str, product: &str| {
        json!({
            "category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": product,
            "full_product_name": { "product_id": id, "name": format!("lib in {product}") },
        })
    };
    json!({
        "document": {
            "category": "csaf_vex", "csaf_version": "2.0", "title": "T", "publisher": { "name": "Shop" },
            "tracking": { "id": "1", "current_release_date": "2026-11-20T10:00:00Z" },
        },
        "product_tree": {
            "branches": [{ "category": "vendor", "branches": [
                { "category": "product_name", "product": product("a", json!({ "cpe": "cpe:2.3:a:shop:a:1" })) },
                { "category": "product_name", "product": product("b", json!(null)) },
            ] }],
            "full_product_names": [product("lib", json!({ "purl": "pkg:npm/lib@1.0" }))],
            "relationships": [inside("a:lib", "a"), inside("b:lib", "b")],
            "product_groups": [{ "group_id": "g", "product_ids": ["a:lib", "b:lib"] }],
        },
        "vulnerabilities": vulnerabilities,
    })
}

fn scan(vulnerabilities: Value) -> Scan {
    only(Format::Csaf, &document(vulnerabilities).to_string())
}

#[test]
fn each_product_has_a_statement() {
    let scan = scan(json!([
        {
            "cve": "CVE-1", "ids": [{ "system_name": "GitHub", "text": "GHSA-1" }], "title": "Reads too much",
            "notes": [{ "category": "description", "text": "Long words" }, { "category": "legal_disclaimer", "text": "no" }],
            "product_status": { "known_not_affected": ["a:lib", "b:lib"], "known_affected": ["a"], "fixed": ["lib"], "recommended": ["z"] },
            "flags": [{ "label": "component_not_present", "group_ids": ["g"] }],
            "threats": [{ "category": "impact", "details": "Not in b.", "product_ids": ["b:lib"] }, { "category": "exploit_status", "details": "none" }],
            "scores": [
                { "cvss_v3": { "baseScore": 9.8, "baseSeverity": "CRITICAL" }, "products": ["a"] },
                { "cvss_v3": { "baseScore": 3.0 }, "products": ["a:lib"] },
            ],
            "references": [{ "url": "https://example.org/1" }],
        },
        { "cve": "CVE-2", "product_status": { "under_investigation": ["elsewhere"] } },
        { "title": "Only a title" },
    ]));
    assert_eq!(
        (scan.provider.as_str(), scan.complete, scan.collected_at),
        ("Shop", false, Some(1_795_168_800_000_000))
    );
    assert_eq!((scan.results, scan.not_failures), (6, 1));
    assert_eq!(identities(&scan).len(), 5);
    let stated: Vec<_> = scan
        .statements
        .iter()
        .map(|one| {
            (
                one.vulnerability.ids[0].as_str(),
                one.vulnerability.products.join(" "),
                one.status,
                one.reason.as_str(),
            )
        })
        .collect();
    let lib = || "pkg:npm/lib@1.0".to_owned();
    assert_eq!(
        stated,
        [
            ("CVE-1", "cpe:2.3:a:shop:a:1".to_owned(), VexStatus::Affected, ""),
            ("CVE-1", lib(), VexStatus::NotAffected, "component_not_present"),
            (
                "CVE-1",
                lib(),
                VexStatus::NotAffected,
                "component_not_present\nNot in b."
            ),
            ("CVE-1", lib(), VexStatus::Fixed, ""),
            ("CVE-2", String::new(), VexStatus::UnderInvestigation, ""),
        ]
    );
    assert_eq!(rules(&scan), ["CVE-1", "CVE-1", "CVE-1", "CVE-2", "(no ID)"]);
    let seen: Vec<_> = scan
        .findings
        .iter()
        .map(|one| (one.component.as_deref(), one.severity, one.suppressed))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("cpe:2.3:a:shop:a:1"), Severity::Critical, false),
            (Some("pkg:npm/lib@1.0"), Severity::Low, true),
            (Some("pkg:npm/lib@1.0"), Severity::Critical, true),
            (Some("elsewhere"), Severity::Medium, false),
            (None, Severity::Medium, false),
        ]
    );
    let first = &scan.findings[1];
    assert_eq!(first.title, "Reads too much");
    assert_eq!(
        first.message,
        "Also known as GHSA-1.\n\nStatus: not_affected.\n\nProduct: lib in a.\n\ncomponent_not_present\n\nLong words"
    );
    assert_eq!(first.help_uri.as_deref(), Some("https://example.org/1"));
}

#[test]
fn contradicting_statuses_set_nothing_aside() {
    let scan = scan(
        json!([{ "cve": "CVE-1", "product_status": { "known_not_affected": ["lib"], "known_affected": ["lib"] } }]),
    );
    assert_eq!((scan.results, scan.findings[0].suppressed), (1, false));
}

#[test]
fn the_case_names_a_vulnerability_without_products() {
    let Some(scan) = sample_scan(Format::Csaf, "cases/other/csaf-vex.json") else {
        return;
    };
    assert_eq!((scan.provider.as_str(), rules(&scan)), ("Shop", vec!["CVE-2099-0001"]));
    assert!(scan.statements.is_empty());
}

#[test]
fn what_could_lose_statements_is_refused() {
    let refused = |file: &Value| read(Format::Csaf, file.to_string().as_bytes()).expect_err("refused");
    let mut file = document(json!([]));
    assert!(read(Format::Csaf, file.to_string().as_bytes()).is_ok());
    file["vulnerabilities"] = Value::Null;
    assert!(matches!(refused(&file), ImportError::Missing { .. }));
    let mut later = document(json!([]));
    later["document"]["csaf_version"] = json!("3.0");
    assert!(matches!(refused(&later), ImportError::WrongVersion { .. }));
    for vulnerabilities in [
        json!({}),
        json!(["CVE-1"]),
        json!([{ "product_status": "a" }]),
        json!([{ "product_status": { "fixed": "a" } }]),
    ] {
        assert!(
            matches!(
                refused(&document(vulnerabilities.clone())),
                ImportError::Malformed { .. }
            ),
            "{vulnerabilities}"
        );
    }
    // Relationships in a circle end.
    let mut circle = document(json!([{ "cve": "CVE-1", "product_status": { "fixed": ["x"] } }]));
    circle["product_tree"]["relationships"] =
        json!([{ "product_reference": "x", "full_product_name": { "product_id": "x" } }]);
    assert!(read(Format::Csaf, circle.to_string().as_bytes()).is_ok());
}
