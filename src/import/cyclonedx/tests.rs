use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{Format, ImportError, Scan, ScanFinding, Severity, VexStatements, VexStatus, read};
use serde_json::{Value, json};

/// A document on ABC 4.2, which contains a library.
fn bom(vulnerabilities: Value) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {
            "timestamp": "2024-05-06T07:08:09Z",
            "component": { "bom-ref": "abc", "name": "ABC", "version": "4.2" },
        },
        "components": [{
            "bom-ref": "outer", "name": "outer", "components": [
                { "bom-ref": "lib", "group": "org", "name": "lib", "version": "1.0", "purl": "pkg:maven/org/lib@1.0?type=jar" },
            ],
        }],
        "vulnerabilities": vulnerabilities,
    })
}

fn scan(vulnerabilities: Value) -> Scan {
    only(Format::CycloneDx, &bom(vulnerabilities).to_string())
}

fn judged(state: &str, affects: Value) -> Scan {
    scan(json!([{ "id": "CVE-1", "analysis": { "state": state }, "affects": affects }]))
}

fn components(scan: &Scan) -> Vec<&str> {
    scan.findings
        .iter()
        .filter_map(|one| one.component.as_deref())
        .collect()
}

fn suppressed(scan: &Scan) -> usize {
    scan.findings.iter().filter(|one| one.suppressed).count()
}

#[test]
fn a_scanners_document_gives_its_vulnerabilities() {
    let Some(scan) = sample_scan(Format::CycloneDx, "cyclonedx/jake2.json") else {
        return;
    };
    assert_eq!((scan.results, scan.findings.len(), scan.not_failures), (7, 7, 0));
    assert_eq!(scan.provider, "cyclonedx-python-lib");
    assert_eq!(scan.provider_version.as_deref(), Some("1.3.0"));
    assert_eq!(scan.collected_at, Some(1_643_353_516_397_158)); // 2022-01-28T07:05:16.397158Z
    assert_eq!(identities(&scan).len(), 7);
    let count = |severity| scan.findings.iter().filter(|one| one.severity == severity).count();
    assert_eq!((count(Severity::High), count(Severity::Medium)), (3, 4));
    assert!(
        scan.findings
            .iter()
            .all(|one| !one.suppressed && one.component.as_deref() == Some("pkg:pypi/django@2.0")),
        "{:?}",
        components(&scan)
    );
}

#[test]
fn a_verdict_sets_a_finding_aside() {
    let Some(scan) = sample_scan(Format::CycloneDx, "cyclonedx/vulnerability-1.4.json") else {
        return;
    };
    let [finding] = <[ScanFinding; 1]>::try_from(scan.findings).expect("one: its ranges are the advisory's words");
    assert!(finding.suppressed);
    assert_eq!(finding.rule, "SNYK-JAVA-COMFASTERXMLJACKSONCORE-32111");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(
        finding.component.as_deref(),
        Some("pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.9.4")
    );
    assert!(
        finding
            .message
            .starts_with("Also known as CVE-2018-7489.\n\nAnalysis: not_affected, code_not_reachable.\n\n")
    );

    let scan = sample_scan(Format::CycloneDx, "cyclonedx/vex-not-affected.json").expect("the other was there");
    assert_eq!(
        (scan.provider.as_str(), scan.component.as_deref()),
        ("cyclonedx", Some("ABC"))
    );
    assert_eq!((rules(&scan), suppressed(&scan)), (vec!["CVE-2021-44228"], 1));
    assert_eq!(components(&scan), ["ABC@4.2"]);
}

/// Two vulnerabilities, two products, 24 versions and ranges: 9 affected, 12 not affected, 3 fixed. Counted with jq.
#[test]
fn one_cve_has_a_verdict_for_each_version_of_a_product() {
    let Some(scan) = sample_scan(Format::CycloneDx, "cyclonedx/vex-same-cve-many-versions.json") else {
        return;
    };
    assert_eq!((scan.results, scan.findings.len(), scan.not_failures), (24, 21, 3));
    assert_eq!(suppressed(&scan), 12);
    assert_eq!(identities(&scan).len(), 21);
    let verdict = |rule: &str, version: &str| {
        let mut found = scan
            .findings
            .iter()
            .filter(|one| one.rule == rule && one.component.as_deref().is_some_and(|name| name.ends_with(version)));
        found.next().map(|one| one.suppressed)
    };
    assert_eq!(verdict("CVE-2021-44228", "#product-ABC@2.4"), Some(false));
    assert_eq!(verdict("CVE-2021-44228", "#product-ABC@2.5"), Some(true));
    assert_eq!(verdict("CVE-2021-44228", "#product-JKL@5.1"), None, "mended");
    assert_eq!(
        verdict("CVE-2021-45105", "#product-JKL@5.1"),
        Some(false),
        "not mended in the other one"
    );
}

#[test]
fn states_decide() {
    let affects = || json!([{ "ref": "lib" }]);
    for (state, findings, aside) in [
        ("exploitable", 1, 0),
        ("in_triage", 1, 0),
        ("unheard_of", 1, 0),
        ("", 1, 0),
        ("not_affected", 1, 1),
        ("false_positive", 1, 1),
        ("resolved", 0, 0),
        ("resolved_with_pedigree", 0, 0),
    ] {
        let scan = judged(state, affects());
        assert_eq!((scan.findings.len(), suppressed(&scan)), (findings, aside), "{state}");
        assert_eq!((scan.results, scan.not_failures), (1, 1 - findings), "{state}");
    }
}

#[test]
fn a_version_that_is_not_affected_is_no_failure_and_others_stay() {
    let versions = |list: Value| judged("exploitable", json!([{ "ref": "lib", "versions": list }]));
    let own = versions(json!([{ "version": "1.0", "status": "unaffected" }]));
    assert_eq!((own.findings.len(), own.not_failures), (0, 1));
    let other =
        versions(json!([{ "version": "0.9", "status": "affected" }, { "version": "1.0", "status": "unaffected" }]));
    assert_eq!(components(&other), ["pkg:maven/org/lib@0.9"]);
    // The library is affected; the product that contains it is not.
    let affected = judged(
        "not_affected",
        json!([{ "ref": "lib", "versions": [{ "version": "1.0", "status": "affected" }] }]),
    );
    assert_eq!(
        (components(&affected), suppressed(&affected)),
        (vec!["pkg:maven/org/lib@1.0?type=jar"], 1)
    );
    let unknown = judged(
        "exploitable",
        json!([{ "ref": "elsewhere", "versions": [{ "range": "vers:semver/<2" }, { "version": "3" }] }]),
    );
    assert_eq!(components(&unknown), ["elsewhere@vers:semver/<2", "elsewhere@3"]);
}

#[test]
fn a_finding_is_the_same_whatever_the_document_decides_on_it() {
    let identity = |version: &str, state: Value| {
        let mut file = bom(json!([{ "id": "CVE-1", "analysis": { "state": state }, "affects": [{ "ref": "lib" }] }]));
        file["metadata"]["component"]["version"] = json!(version);
        only(Format::CycloneDx, &file.to_string()).findings[0].identity.clone()
    };
    let plain = identity("4.2", Value::Null);
    for state in ["not_affected", "false_positive", "exploitable", "in_triage"] {
        assert_eq!(identity("4.2", json!(state)), plain, "{state}");
        assert_eq!(
            identity("4.3", json!(state)),
            plain,
            "{state} of the next version of the product"
        );
    }
}

#[test]
fn statements_name_what_they_are_about() {
    let mut file = bom(json!([
        { "id": "CVE-1", "references": [{ "id": "GHSA-1" }], "affects": [{ "ref": "lib" }],
          "analysis": { "state": "not_affected", "justification": "code_not_reachable", "detail": "Never called." } },
        { "id": "CVE-2", "affects": [{ "ref": "lib" }], "analysis": { "state": "resolved" } },
        { "id": "CVE-3", "affects": [{ "ref": "lib" }] },
        { "id": "CVE-4", "affects": [{ "ref": "urn:cdx:other/1#x" }], "analysis": { "state": "in_triage" } },
        { "id": "CVE-5", "affects": [{ "ref": "pkg:npm/x", "versions": [
            { "version": "2", "status": "unaffected" }, { "range": "vers:npm/<2", "status": "affected" },
        ] }], "analysis": { "state": "exploitable" } },
    ]));
    file["serialNumber"] = json!("urn:uuid:3e671687");
    file["version"] = json!(7);
    let scan = only(Format::CycloneDx, &file.to_string());
    let seen: Vec<_> = scan
        .statements
        .iter()
        .map(|one| {
            (
                one.vulnerability.ids.join(" "),
                one.vulnerability.products.join(" "),
                one.status,
                one.finding,
            )
        })
        .collect();
    let lib = "pkg:maven/org/lib@1.0?type=jar urn:cdx:3e671687/7#lib";
    let expected = [
        ("CVE-1 GHSA-1", lib, VexStatus::NotAffected, Some(0)),
        ("CVE-2", lib, VexStatus::Fixed, None),
        ("CVE-4", "urn:cdx:other/1#x", VexStatus::UnderInvestigation, Some(2)),
        ("CVE-5", "pkg:npm/x@2", VexStatus::NotAffected, None),
        ("CVE-5", "", VexStatus::Affected, Some(3)),
    ];
    assert_eq!(
        seen,
        expected.map(|(ids, products, status, finding)| (ids.to_owned(), products.to_owned(), status, finding))
    );
    assert_eq!(scan.statements[0].reason, "code_not_reachable\nNever called.");
    let plain = scan.findings[1].vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(
        (plain.ids.as_slice(), plain.purl()),
        (&["CVE-3".to_owned()][..], Some("pkg:maven/org/lib@1.0?type=jar"))
    );
    for statement in &scan.statements {
        let own = statement.finding.map(|at| &scan.findings[at]);
        assert!(own.is_none_or(|own| own.vulnerability.as_ref() == Some(&statement.vulnerability)));
    }
}

/// A scanner's document, then the same tool's document with its decision, then a decision of others about the first.
#[test]
fn a_decision_is_about_the_scanners_own_finding() {
    let case = |name: &str| sample_scan(Format::CycloneDx, &format!("cases/cyclonedx/{name}.json"));
    let Some(found) = case("scan") else { return };
    let finding = &found.findings[0];
    let judged = case("scan-judged").expect("the other was there");
    assert_eq!(
        (&judged.findings[0].identity, judged.findings[0].suppressed),
        (&finding.identity, true)
    );
    for file in [&judged, &case("vex").expect("the other was there")] {
        let statements = VexStatements::new(&file.statements);
        let about = statements.about(finding.vulnerability.as_ref().expect("a vulnerability"));
        assert_eq!(
            about.map(|one| one.status),
            Some(VexStatus::NotAffected),
            "{}",
            file.provider
        );
    }
}

#[test]
fn nothing_affected_and_no_id_are_findings_all_the_same() {
    let scan = scan(json!([
        { "id": "CVE-1" }, { "id": "CVE-2", "affects": [] }, { "description": "Words\nmore" }, { "bom-ref": "x" },
        { "references": [{ "id": "CVE-3" }] }, { "affects": [{}] },
    ]));
    assert_eq!(rules(&scan), ["CVE-1", "CVE-2", "(no ID)", "x", "CVE-3", "(no ID)"]);
    assert_eq!(identities(&scan).len(), 6);
    assert_eq!(scan.findings[2].title, "Words");
}

#[test]
fn severity_is_the_worst_rating() {
    for (ratings, expected) in [
        (json!([]), Severity::Medium),
        (json!([{ "severity": "unknown" }]), Severity::Medium),
        (
            json!([{ "severity": "low" }, { "severity": "critical" }, { "severity": "none" }]),
            Severity::Critical,
        ),
        (json!([{ "score": 7.5 }]), Severity::High),
        (
            json!([{ "score": 7.5, "severity": "low", "method": "CVSSv3" }]),
            Severity::Low,
        ),
        (json!([{ "score": 9.9, "method": "OWASP" }]), Severity::Medium),
        (
            json!([{ "method": "CVSSv31", "vector": "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }]),
            Severity::Critical,
        ),
        (
            json!([{ "method": "CVSSv2", "vector": "AV:N/AC:L/Au:N/C:C/I:C/A:C" }]),
            Severity::Critical,
        ),
    ] {
        let scan = scan(json!([{ "id": "CVE-1", "ratings": ratings }]));
        assert_eq!(scan.findings[0].severity, expected, "{ratings}");
    }
}

#[test]
fn nothing_found_is_evidence_too() {
    let scan = scan(json!([]));
    assert_eq!((scan.results, scan.provider.as_str()), (0, "cyclonedx"));
    assert_eq!(scan.collected_at, Some(1_714_979_289_000_000));
}

#[test]
fn what_could_lose_findings_is_refused() {
    let refused = |file: &Value| read(Format::CycloneDx, file.to_string().as_bytes()).expect_err("refused");
    let mut parts = bom(json!([]));
    parts.as_object_mut().expect("an object").remove("vulnerabilities");
    assert_eq!(
        refused(&parts),
        ImportError::Missing {
            what: "vulnerabilities".to_owned()
        }
    );
    assert!(matches!(refused(&bom(Value::Null)), ImportError::Missing { .. }));
    for vulnerabilities in [
        json!({}),
        json!(["CVE-1"]),
        json!([{ "affects": {} }]),
        json!([{ "affects": ["lib"] }]),
        json!([{ "analysis": "not_affected" }]),
        json!([{ "affects": [{ "ref": "lib", "versions": "1.0" }] }]),
    ] {
        assert!(
            matches!(refused(&bom(vulnerabilities.clone())), ImportError::Malformed { .. }),
            "{vulnerabilities}"
        );
    }
    for version in [
        json!("1.3"),
        json!("1.1"),
        json!("2.0"),
        json!("1.x"),
        json!(1.3),
        Value::Null,
    ] {
        let mut file = bom(json!([]));
        file["specVersion"] = version.clone();
        assert!(matches!(refused(&file), ImportError::WrongVersion { .. }), "{version}");
    }
}

/// The same document in JSON and in XML.
#[test]
fn xml_is_read_like_json() {
    let xml = "<?xml version='1.0'?><x:bom xmlns:x='http://cyclonedx.org/schema/bom/1.5' serialNumber='urn:uuid:3e67' version='2'>\
        <x:metadata><x:timestamp>2024-05-06T07:08:09Z</x:timestamp><x:tools><x:components><x:component type='application'>\
        <x:name>Libs</x:name><x:version>1</x:version></x:component></x:components></x:tools>\
        <x:component bom-ref='app'><x:name>shop</x:name><x:version>4.2</x:version></x:component></x:metadata>\
        <x:components><x:component bom-ref='o'><x:name>o</x:name><x:licenses><x:license><x:name>MIT</x:name></x:license></x:licenses>\
        <x:components><x:component bom-ref='a'><x:group>g</x:group><x:name>a</x:name><x:version>1.0</x:version>\
        <x:purl>pkg:npm/g/a@1.0</x:purl></x:component></x:components></x:component></x:components>\
        <x:vulnerabilities><x:vulnerability bom-ref='v'><x:id>CVE-1</x:id><x:source><x:name>NVD</x:name>\
        <x:url>https://example.org/1</x:url></x:source><x:references><x:reference><x:id>GHSA-1</x:id></x:reference></x:references>\
        <x:ratings><x:rating><x:source><x:name>n</x:name></x:source><x:score>7.5</x:score><x:method>CVSSv31</x:method></x:rating></x:ratings>\
        <x:description>Reads &lt;more&gt;</x:description>\
        <x:analysis><x:state>in_triage</x:state><x:detail>Soon.</x:detail></x:analysis>\
        <x:affects><x:target><x:ref>a</x:ref><x:versions><x:version><x:version>0.9</x:version><x:status>affected</x:status></x:version>\
        </x:versions></x:target></x:affects></x:vulnerability></x:vulnerabilities></x:bom>";
    let same = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": "urn:uuid:3e67", "version": 2,
        "metadata": {
            "timestamp": "2024-05-06T07:08:09Z", "tools": { "components": [{ "name": "Libs", "version": "1" }] },
            "component": { "bom-ref": "app", "name": "shop", "version": "4.2" },
        },
        "components": [{ "bom-ref": "o", "name": "o", "components": [
            { "bom-ref": "a", "group": "g", "name": "a", "version": "1.0", "purl": "pkg:npm/g/a@1.0" },
        ] }],
        "vulnerabilities": [{
            "bom-ref": "v", "id": "CVE-1", "source": { "url": "https://example.org/1" }, "references": [{ "id": "GHSA-1" }],
            "ratings": [{ "score": 7.5, "method": "CVSSv31" }], "description": "Reads <more>",
            "analysis": { "state": "in_triage", "detail": "Soon." },
            "affects": [{ "ref": "a", "versions": [{ "version": "0.9", "status": "affected" }] }],
        }],
    });
    let read = only(Format::CycloneDx, xml);
    assert_eq!(read.findings.len(), 2);
    assert_eq!(read, only(Format::CycloneDx, &same.to_string()));
    let tools = xml
        .replace("<x:components><x:component type='application'>", "<x:tool>")
        .replacen("</x:component></x:components></x:tools>", "</x:tool></x:tools>", 1);
    assert_eq!(only(Format::CycloneDx, &tools), read, "tools of 1.4");

    let Some(scan) = sample_scan(Format::CycloneDx, "cases/cyclonedx/vulnerabilities.xml") else {
        return;
    };
    assert_eq!(
        (rules(&scan), scan.findings[0].severity),
        (vec!["CVE-2099-0002"], Severity::High)
    );
    assert_eq!(components(&scan), ["a@1.0.0"]);
}

#[test]
fn damaged_and_hostile_xml_is_refused() {
    let refused = |xml: &str| read(Format::CycloneDx, xml.as_bytes()).expect_err("refused");
    let bom =
        |version: &str, inside: &str| format!("<bom xmlns='http://cyclonedx.org/schema/bom/{version}'>{inside}</bom>");
    assert!(matches!(
        refused(&bom("1.3", "<vulnerabilities/>")),
        ImportError::WrongVersion { .. }
    ));
    assert!(matches!(
        refused("<bom><vulnerabilities/></bom>"),
        ImportError::WrongVersion { .. }
    ));
    assert!(matches!(
        refused(&bom("1.6", "<components/>")),
        ImportError::Missing { .. }
    ));
    assert!(matches!(
        refused(&bom("1.6", "<vulnerabilities>").replace("</bom>", "")),
        ImportError::Truncated { .. }
    ));
    let bomb = format!(
        "<!DOCTYPE bom [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>{}",
        bom("1.6", "<vulnerabilities/>")
    );
    assert!(matches!(refused(&bomb), ImportError::DocumentType { .. }));
    let deep = bom("1.6", &"<components><component>".repeat(100_000));
    assert!(matches!(refused(&deep), ImportError::Malformed { .. }));
    let many = bom(
        "1.6",
        &format!(
            "<vulnerabilities>{}</vulnerabilities>",
            "<vulnerability/>".repeat(100_001)
        ),
    );
    assert!(matches!(refused(&many), ImportError::TooMany { .. }));
    // Elements in places where they mean nothing.
    for inside in [
        "<vulnerabilities>words</vulnerabilities>",
        "<vulnerabilities><other/></vulnerabilities>",
        "<vulnerabilities/><metadata>x</metadata>",
    ] {
        assert_eq!(only(Format::CycloneDx, &bom("1.6", inside)).results, 0, "{inside}");
    }
    for odd in [
        "<analysis>words</analysis>",
        "<affects>words</affects>",
        "<ratings><rating>high</rating></ratings>",
        "<score>x</score>",
    ] {
        let file = bom(
            "1.6",
            &format!("<vulnerabilities><vulnerability>{odd}</vulnerability></vulnerabilities>"),
        );
        assert_eq!(only(Format::CycloneDx, &file).results, 1, "{odd}");
    }
}
