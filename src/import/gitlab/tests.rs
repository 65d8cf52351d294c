use crate::import::tests::{identities, only, rules};
use crate::import::{Format, ImportError, KeySource, Scan, Severity, read};
use serde_json::{Value, json};

fn report(kind: &str, vulnerabilities: Value) -> Value {
    json!({
        "version": "15.0.7",
        "scan": {
            "analyzer": { "id": "a", "name": "Analyzer", "version": "1" }, "scanner": { "id": "s", "name": "Semgrep", "version": "1.50" },
            "type": kind, "start_time": "2026-11-20T09:00:00", "end_time": "2026-11-20T10:00:00", "status": "success",
        },
        "vulnerabilities": vulnerabilities,
    })
}

fn scan(file: &Value) -> Scan {
    only(Format::GitLab, &file.to_string())
}

fn in_code(line: u32, signature: Option<&str>) -> Value {
    let signatures = signature.map(
        |value| json!([{ "algorithm": "location", "value": "l" }, { "algorithm": "scope_offset", "value": value }]),
    );
    json!({
        "id": "8f4c", "name": "SQL injection", "description": "Built from input.", "severity": "High", "solution": "Bind it.",
        "location": { "file": "src/a%20b.py", "start_line": line, "class": "Login", "method": "query" },
        "identifiers": [{ "type": "semgrep_id", "name": "sqli", "value": "python.sqli", "url": "https://example.org/sqli" }, { "type": "cwe", "name": "CWE-89", "value": "89" }],
        "tracking": { "type": "source", "items": [{ "file": "src/a b.py", "signatures": signatures }] },
    })
}

#[test]
fn findings_in_code_are_known_by_their_signatures() {
    let file = report("sast", json!([in_code(7, Some("x|1")), in_code(9, Some("x|2"))]));
    let found = scan(&file);
    assert_eq!(
        (
            found.provider.as_str(),
            found.provider_version.as_deref(),
            found.complete
        ),
        ("Semgrep", Some("1.50"), true)
    );
    assert_eq!(found.collected_at, Some(1_795_168_800_000_000));
    assert_eq!((rules(&found), identities(&found).len()), (vec!["python.sqli"; 2], 2));
    let first = &found.findings[0];
    assert_eq!(
        (first.title.as_str(), first.severity, first.key_source),
        ("SQL injection", Severity::High, KeySource::PartialFingerprint)
    );
    assert_eq!(first.message, "Built from input.\n\nSolution: Bind it.");
    assert_eq!(first.help_uri.as_deref(), Some("https://example.org/sqli"));
    let place = first.location.as_ref().expect("a place");
    assert_eq!(
        (place.uri.as_deref(), place.line, place.logical.as_deref()),
        (Some("src/a b.py"), Some(7), Some("Login.query"))
    );
    let identity = |one: Value| scan(&report("sast", json!([one]))).findings[0].identity.clone();
    assert_eq!(identity(in_code(8, Some("x|1"))), first.identity, "a moved line");
    assert_ne!(
        identity(in_code(8, None)),
        identity(in_code(9, None)),
        "without signature the line counts"
    );
    let mut flagged = in_code(7, None);
    flagged["flags"] = json!([{ "type": "flagged-as-likely-false-positive", "origin": "vet", "description": "d" }]);
    let flagged = scan(&report("sast", json!([flagged]))).findings.remove(0);
    assert!(!flagged.suppressed && flagged.message.starts_with("Likely a false positive, says vet."));
}

#[test]
fn findings_in_packages_name_their_vulnerability() {
    let mut file = report(
        "dependency_scanning",
        json!([{
            "id": "1", "name": "Prototype pollution", "severity": "Critical",
            "location": { "file": "web/package-lock.json", "dependency": { "package": { "name": "@scope/a" }, "version": "1.0.0" } },
            "identifiers": [
                { "type": "gemnasium", "name": "Gemnasium-1", "value": "11" }, { "type": "cve", "name": "CVE-2021-44228", "value": "CVE-2021-44228" },
                { "type": "ghsa", "name": "GHSA-jfh8-c2jp-5v3q", "value": "GHSA-jfh8-c2jp-5v3q" },
            ],
            "links": [{ "url": "https://example.org/1" }],
        }]),
    );
    file["dependency_files"] =
        json!([{ "path": "web/package-lock.json", "package_manager": "npm", "dependencies": [] }]);
    let scan = scan(&file);
    let finding = &scan.findings[0];
    assert_eq!((finding.rule.as_str(), finding.severity), ("11", Severity::Critical));
    assert_eq!(finding.component.as_deref(), Some("pkg:npm/%40scope/a@1.0.0"));
    let vulnerability = finding.vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(vulnerability.ids, ["CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q"]);
    assert_eq!(vulnerability.purl(), Some("pkg:npm/%40scope/a@1.0.0"));
    assert!(
        finding
            .message
            .contains("Also known as CVE-2021-44228, GHSA-jfh8-c2jp-5v3q.")
    );
    // An image has packages as well.
    let image = report(
        "container_scanning",
        json!([{ "name": "n", "severity": "Unknown", "location": {
        "image": "alpine:3", "operating_system": "alpine", "dependency": { "package": { "name": "musl" }, "version": "1" },
    } }]),
    );
    let scan = only(Format::GitLab, &image.to_string());
    let place = scan.findings[0]
        .location
        .as_ref()
        .and_then(|place| place.logical.as_deref());
    assert_eq!(
        (scan.findings[0].component.as_deref(), place, scan.findings[0].severity),
        (Some("musl@1"), Some("alpine:3"), Severity::Medium)
    );
}

#[test]
fn what_could_lose_findings_is_refused() {
    let refused = |file: &Value| read(Format::GitLab, file.to_string().as_bytes()).expect_err("refused");
    let clean = report("sast", json!([]));
    assert_eq!(scan(&clean).results, 0);
    let changed = |pointer: &str, value: Value| {
        let mut file = clean.clone();
        *file.pointer_mut(pointer).expect(pointer) = value;
        file
    };
    assert!(!scan(&changed("/scan/status", json!("failure"))).complete);
    assert!(matches!(
        refused(&changed("/version", json!("13.1"))),
        ImportError::WrongVersion { .. }
    ));
    assert!(matches!(
        refused(&changed("/scan/type", json!("dast"))),
        ImportError::OtherDocument { .. }
    ));
    assert!(matches!(
        refused(&changed("/scan/scanner", json!({}))),
        ImportError::Missing { .. }
    ));
    assert!(matches!(
        refused(&changed("/vulnerabilities", Value::Null)),
        ImportError::Missing { .. }
    ));
    for vulnerabilities in [json!({}), json!(["a"])] {
        assert!(matches!(
            refused(&changed("/vulnerabilities", vulnerabilities)),
            ImportError::Malformed { .. }
        ));
    }
}
