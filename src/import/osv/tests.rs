use crate::import::tests::{identities, only, rules, sample, sample_scan};
use crate::import::{Format, ImportError, KeySource, Scan, Severity, read, read_any};
use serde_json::{Value, json};

/// The results of one package, in osv-scanner's format.
fn scanner(vulnerabilities: Value, groups: Value) -> Value {
    json!({ "results": [{
        "source": { "path": "/src/yarn.lock", "type": "lockfile" },
        "packages": [{
            "package": { "name": "left-pad", "version": "1.0.0", "ecosystem": "npm" },
            "vulnerabilities": vulnerabilities, "groups": groups,
        }],
    }] })
}

fn scan(file: &Value) -> Scan {
    only(Format::Osv, &file.to_string())
}

fn severity(record: Value) -> Severity {
    scan(&scanner(json!([record]), json!([]))).findings[0].severity
}

#[test]
fn every_vulnerability_of_the_samples_is_a_finding() {
    for (name, count) in [("osv/osv-scanner-some.json", 1), ("osv/osv-scanner-many.json", 66)] {
        let Some(scan) = sample_scan(Format::Osv, name) else {
            return;
        };
        assert_eq!(
            (scan.results, scan.findings.len(), scan.not_failures),
            (count, count, 0)
        );
        assert_eq!(identities(&scan).len(), count);
        assert_eq!(scan.provider, "osv-scanner");
        assert_eq!(
            (scan.collected_at, scan.complete),
            (None, true),
            "the file does not say when"
        );
        assert!(scan.findings.iter().all(|one| one.key_source == KeySource::Component));
    }
    let malware = sample_scan(Format::Osv, "osv/osv-scanner-some.json").expect("it was there");
    let malware = &malware.findings[0];
    assert_eq!(
        (malware.rule.as_str(), malware.severity),
        ("MAL-2023-1035", Severity::Critical)
    );
    assert_eq!(malware.component.as_deref(), Some("pkg:npm/flot-axis@0.0.0"));
    let vulnerability = malware.vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(vulnerability.ids, ["MAL-2023-1035", "GHSA-8348-2q94-ffjx"]);
    assert_eq!(vulnerability.purl(), Some("pkg:npm/flot-axis@0.0.0"));
    assert_eq!(malware.title, "Malicious code in flot-axis (npm)");
    assert!(malware.message.starts_with("Also known as GHSA-8348-2q94-ffjx.\n\n"));
    assert_eq!(
        malware.help_uri.as_deref(),
        Some("https://github.com/advisories/GHSA-8348-2q94-ffjx")
    );
    let place = malware.location.as_ref().expect("a lockfile");
    assert_eq!(place.uri.as_deref(), Some("/tmp/components/yarn.lock"));
}

#[test]
fn packages_of_the_large_sample_keep_their_names() {
    let Some(scan) = sample_scan(Format::Osv, "osv/osv-scanner-many.json") else {
        return;
    };
    let of = |component: &str| {
        scan.findings
            .iter()
            .filter(|one| one.component.as_deref() == Some(component))
            .count()
    };
    // Verified with jq; the severities with another CVSS calculator.
    let rated = |severity| scan.findings.iter().filter(|one| one.severity == severity).count();
    assert_eq!(
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].map(rated),
        [10, 30, 26, 0]
    );
    assert_eq!(of("pkg:composer/guzzlehttp/guzzle@6.3.3"), 5);
    assert_eq!(of("pkg:pypi/django@3.2.4"), 40);
    assert_eq!(of("commit f5f3c22f3ed5a6804a2a8d9ee9fa43044cfa24a6"), 1);
}

#[test]
fn a_finding_does_not_depend_on_the_order_and_not_on_the_words() {
    let Some(bytes) = sample("osv/osv-scanner-many.json") else {
        return;
    };
    let before = sample_scan(Format::Osv, "osv/osv-scanner-many.json").expect("it was there");
    let mut file: Value = serde_json::from_slice(&bytes).expect("JSON");
    let results = file["results"].as_array_mut().expect("a list");
    results.reverse();
    for package in results
        .iter_mut()
        .flat_map(|one| one["packages"].as_array_mut().expect("a list"))
    {
        let records = package["vulnerabilities"].as_array_mut().expect("a list");
        records.reverse();
        for record in records {
            record["summary"] = json!("Other words");
        }
    }
    assert_eq!(identities(&scan(&file)), identities(&before));
}

#[test]
fn another_version_or_lockfile_is_another_finding_and_another_commit_is_not() {
    let one = scanner(json!([{ "id": "GHSA-1" }]), json!([]));
    let identity = |file: &Value| scan(file).findings[0].identity.clone();
    for (pointer, value) in [
        ("/results/0/source/path", "/src/web/yarn.lock"),
        ("/results/0/packages/0/package/version", "1.0.1"),
        ("/results/0/packages/0/package/name", "right-pad"),
        ("/results/0/packages/0/package/ecosystem", "PyPI"),
    ] {
        let mut other = one.clone();
        *other.pointer_mut(pointer).expect(pointer) = json!(value);
        assert_ne!(identity(&other), identity(&one), "{pointer}");
    }
    let mut other = one.clone();
    other["results"][0]["packages"][0]["package"]["commit"] = json!("f5f3c22f");
    assert_eq!(identity(&other), identity(&one));
}

#[test]
fn severity_is_the_worst_that_anybody_says() {
    let vector = |vector: &str| json!([{ "type": "CVSS_V3", "score": vector }]);
    let high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
    for (record, expected) in [
        (json!({ "id": "a" }), Severity::Medium),
        (json!({ "id": "a", "severity": vector(high) }), Severity::High),
        (json!({ "id": "a", "severity": vector("9.8") }), Severity::Critical),
        (
            json!({ "id": "a", "severity": vector(high), "database_specific": { "severity": "CRITICAL" } }),
            Severity::Critical,
        ),
        (
            json!({ "id": "a", "database_specific": { "severity": "LOW" } }),
            Severity::Low,
        ),
        (
            json!({ "id": "a", "database_specific": { "severity": ["odd"] }, "severity": "odd" }),
            Severity::Medium,
        ),
        (json!({ "id": "MAL-1" }), Severity::Critical),
        // The severity of this package, and of another.
        (
            json!({ "id": "a", "affected": [
                { "package": { "name": "left-pad", "ecosystem": "npm" }, "ecosystem_specific": { "severity": "low" } },
                { "package": { "name": "other", "ecosystem": "npm" }, "ecosystem_specific": { "severity": "critical" } },
            ] }),
            Severity::Low,
        ),
    ] {
        assert_eq!(severity(record.clone()), expected, "{record}");
    }
}

#[test]
fn groups_rate_what_is_not_rated_and_name_what_is_not_there() {
    let rated = json!({ "id": "GHSA-1", "database_specific": { "severity": "HIGH" } });
    let groups = json!([{ "ids": ["GHSA-1", "PYSEC-1"] }, { "ids": ["PYSEC-2", "GHSA-2"], "max_severity": "9.1" }]);
    let records = json!([rated, { "id": "PYSEC-1" }, { "id": "PYSEC-2" }]);
    let scan = scan(&scanner(records, groups));
    assert_eq!(rules(&scan), ["GHSA-1", "PYSEC-1", "PYSEC-2", "GHSA-2"]);
    let severities: Vec<Severity> = scan.findings.iter().map(|one| one.severity).collect();
    assert_eq!(
        severities,
        [Severity::High, Severity::High, Severity::Critical, Severity::Critical]
    );
}

#[test]
fn records_are_findings_for_each_package_and_withdrawn_ones_are_none() {
    let two = json!({
        "id": "CVE-1", "modified": "2024-01-01T00:00:00Z", "affected": [
            { "package": { "name": "a", "ecosystem": "npm", "purl": "pkg:npm/%40scope/a" } },
            { "package": { "name": "a", "ecosystem": "npm" } },
            { "package": { "name": "b", "ecosystem": "PyPI" } },
        ],
    });
    let bare = json!({ "id": "CVE-2", "modified": "2024-01-01T00:00:00Z" });
    let gone = json!({ "id": "CVE-3", "modified": "2024-01-01T00:00:00Z", "withdrawn": "2024-02-01T00:00:00Z" });
    let single = scan(&two);
    assert_eq!((single.provider.as_str(), single.findings.len()), ("osv", 2));
    let list = scan(&json!([two, bare, gone]));
    assert_eq!(rules(&list), ["CVE-1", "CVE-1", "CVE-2"]);
    assert_eq!((list.results, list.not_failures), (4, 1));
    let components: Vec<Option<&str>> = list.findings.iter().map(|one| one.component.as_deref()).collect();
    assert_eq!(components, [Some("pkg:npm/%40scope/a"), Some("b"), None]);
}

#[test]
fn nothing_found_is_evidence_too() {
    let clean = scan(&json!({ "results": [], "experimental_config": { "licenses": {} } }));
    assert_eq!((clean.results, clean.provider.as_str()), (0, "osv-scanner"));
    let packages = scan(&scanner(Value::Null, Value::Null));
    assert_eq!(packages.results, 0);
    // Version 1 writes this; no other tool that is known does.
    assert_eq!(scan(&json!({ "results": [] })).results, 0);
    for other in [
        json!({ "results": {} }),
        json!({ "results": [[]] }),
        json!({ "results": [], "errors": [] }),
        json!([{ "results": [] }]),
    ] {
        assert_eq!(
            read_any(other.to_string().as_bytes()),
            Err(ImportError::Unrecognised),
            "{other}"
        );
    }
    let Some(clean) = sample_scan(Format::Osv, "cases/osv/clean-v1.json") else {
        return;
    };
    assert_eq!(clean.results, 0);
}

#[test]
fn code_that_is_never_called_is_set_aside_and_said() {
    let records = || json!([{ "id": "GO-1", "details": "Reads." }, { "id": "GHSA-1" }]);
    for (name, analysis, suppressed) in [
        ("experimentalAnalysis", json!({ "GO-1": { "called": false } }), true),
        (
            "experimental_analysis",
            json!({ "GO-1": { "called": false }, "GHSA-1": { "called": false } }),
            true,
        ),
        (
            "experimentalAnalysis",
            json!({ "GO-1": { "called": false }, "GHSA-1": { "called": true } }),
            false,
        ),
        ("experimentalAnalysis", json!({ "GO-1": { "called": true } }), false),
        ("experimentalAnalysis", json!({ "GO-1": {} }), false),
        ("experimentalAnalysis", json!({}), false),
        ("experimentalAnalysis", json!("odd"), false),
    ] {
        let mut group = json!({ "ids": ["GO-1", "GHSA-1"] });
        group[name] = analysis.clone();
        let scan = scan(&scanner(records(), json!([group, { "ids": ["other"] }])));
        let seen: Vec<bool> = scan.findings.iter().map(|one| one.suppressed).collect();
        assert_eq!(seen, [suppressed, suppressed, false], "{analysis}");
        assert_eq!(scan.findings[0].message.contains("never called"), suppressed);
        assert!(scan.findings[0].message.ends_with("Reads."));
    }
    let Some(scan) = sample_scan(Format::Osv, "cases/osv/uncalled.json") else {
        return;
    };
    let finding = &scan.findings[0];
    assert!(finding.suppressed && finding.message.contains("never called"));
}

#[test]
fn what_could_lose_findings_is_refused() {
    let refused = |file: Value| read(Format::Osv, file.to_string().as_bytes()).expect_err("refused");
    for file in [
        json!({ "results": null }),
        json!({}),
        json!({ "experimental_config": {} }),
    ] {
        assert!(matches!(refused(file.clone()), ImportError::Missing { .. }), "{file}");
    }
    for file in [
        json!({ "results": {} }),
        json!({ "results": [{ "source": { "path": "a" } }] }),
        json!({ "results": [{ "packages": "a" }] }),
        scanner(json!({}), json!([])),
        scanner(json!(["GHSA-1"]), json!([])),
        scanner(json!([{ "summary": "no ID" }]), json!([])),
        json!([{ "id": 7 }]),
    ] {
        assert!(matches!(refused(file.clone()), ImportError::Malformed { .. }), "{file}");
    }
    let blank = scanner(json!([{ "id": " " }]), json!([]));
    assert!(matches!(refused(blank), ImportError::Missing { .. }));
    let later = json!({ "id": "a", "schema_version": "2.0.0", "modified": "2030-01-01T00:00:00Z" });
    assert!(matches!(refused(later), ImportError::WrongVersion { .. }));
}
