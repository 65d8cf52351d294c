use crate::import::tests::{identities, only, rules};
use crate::import::{Format, ImportError, Scan, Severity, read, read_any};
use serde_json::{Value, json};

fn code_scanning(number: u64, state: &str) -> Value {
    json!({
        "number": number, "state": state, "html_url": format!("https://github.com/acme/shop/security/code-scanning/{number}"),
        "rule": { "id": "js/sql-injection", "severity": "error", "security_severity_level": "critical", "description": "Query built from user input" },
        "tool": { "name": "CodeQL", "version": "2.20.0" },
        "most_recent_instance": {
            "ref": "refs/heads/main", "state": state, "message": { "text": "This query depends on a value." },
            "location": { "path": "routes/login.ts", "start_line": 34, "start_column": 5 },
        },
    })
}

fn dependabot(number: u64, state: &str) -> Value {
    json!({
        "number": number, "state": state, "html_url": format!("https://github.com/acme/shop/security/dependabot/{number}"),
        "dependency": { "package": { "ecosystem": "pip", "name": "Django" }, "manifest_path": "api/requirements.txt", "scope": "runtime" },
        "security_advisory": {
            "ghsa_id": "GHSA-rf4j-j272-fj86", "cve_id": "CVE-2018-6188", "summary": "Information exposure", "description": "It tells.",
            "severity": "high", "identifiers": [{ "type": "GHSA", "value": "GHSA-rf4j-j272-fj86" }, { "type": "CVE", "value": "CVE-2018-6188" }],
        },
        "security_vulnerability": { "severity": "low", "vulnerable_version_range": "< 2.0.2" },
    })
}

fn scan(alerts: &Value) -> Scan {
    only(Format::GitHub, &alerts.to_string())
}

#[test]
fn alerts_of_code_scanning_are_findings_until_they_are_fixed() {
    let mut dismissed = code_scanning(2, "dismissed");
    dismissed["dismissed_reason"] = json!("false positive");
    dismissed["dismissed_comment"] = json!("Only in tests.");
    let scan = scan(&json!([
        code_scanning(1, "open"),
        dismissed,
        code_scanning(3, "fixed"),
        code_scanning(4, "unheard of")
    ]));
    assert_eq!(
        (scan.provider.as_str(), scan.component.as_deref()),
        ("CodeQL", Some("https://github.com/acme/shop"))
    );
    assert_eq!((scan.results, scan.not_failures, scan.complete), (4, 1, false));
    assert_eq!(rules(&scan), ["js/sql-injection"; 3]);
    assert_eq!(identities(&scan).len(), 3);
    let suppressed: Vec<bool> = scan.findings.iter().map(|one| one.suppressed).collect();
    assert_eq!(suppressed, [false, true, false]);
    let first = &scan.findings[0];
    assert_eq!(
        (first.title.as_str(), first.severity),
        ("Query built from user input", Severity::Critical)
    );
    assert_eq!(first.message, "This query depends on a value.");
    let place = first.location.as_ref().expect("a place");
    assert_eq!(
        (place.uri.as_deref(), place.line, place.column),
        (Some("routes/login.ts"), Some(34), Some(5))
    );
    assert_eq!(
        first.help_uri.as_deref(),
        Some("https://github.com/acme/shop/security/code-scanning/1")
    );
    assert!(
        scan.findings[1]
            .message
            .starts_with("Dismissed on GitHub: false positive: Only in tests.\n\n")
    );
}

#[test]
fn alerts_of_dependabot_name_their_vulnerability() {
    let scan = scan(&json!([
        dependabot(1, "open"),
        dependabot(2, "auto_dismissed"),
        dependabot(3, "fixed")
    ]));
    assert_eq!(
        (scan.provider.as_str(), scan.results, scan.not_failures),
        ("Dependabot", 3, 1)
    );
    let [open, dismissed] = scan.findings.as_slice() else {
        panic!("two")
    };
    assert_eq!(
        (open.rule.as_str(), open.severity, open.suppressed),
        ("GHSA-rf4j-j272-fj86", Severity::Low, false)
    );
    assert_eq!(
        (open.title.as_str(), open.component.as_deref()),
        ("Information exposure", Some("pkg:pypi/django"))
    );
    let vulnerability = open.vulnerability.as_ref().expect("a vulnerability");
    assert_eq!(vulnerability.ids, ["GHSA-rf4j-j272-fj86", "CVE-2018-6188"]);
    assert_eq!(
        open.location.as_ref().and_then(|place| place.uri.as_deref()),
        Some("api/requirements.txt")
    );
    assert!(dismissed.suppressed && dismissed.message.starts_with("Dismissed on GitHub."));
}

#[test]
fn an_alert_is_the_same_when_its_code_moves() {
    let identity = |alert: Value| scan(&json!([alert])).findings[0].identity.clone();
    let mut moved = code_scanning(1, "open");
    moved["most_recent_instance"]["location"]["start_line"] = json!(90);
    assert_eq!(identity(moved), identity(code_scanning(1, "open")));
    assert_ne!(identity(code_scanning(2, "open")), identity(code_scanning(1, "open")));
    let mut elsewhere = code_scanning(1, "open");
    elsewhere["html_url"] = json!("https://github.com/acme/other/security/code-scanning/1");
    assert_ne!(identity(elsewhere), identity(code_scanning(1, "open")));
}

#[test]
fn pages_single_alerts_and_several_tools_are_read() {
    let pages = json!([[code_scanning(1, "open")], [code_scanning(2, "open")], []]);
    assert_eq!(scan(&pages).results, 2);
    assert_eq!(scan(&code_scanning(1, "open")).results, 1);
    let both = json!([code_scanning(1, "open"), dependabot(1, "open")]).to_string();
    let (format, scans) = read_any(both.as_bytes()).expect("a sound file");
    let tools: Vec<&str> = scans.iter().map(|scan| scan.provider.as_str()).collect();
    assert_eq!((format, tools), (Format::GitHub, vec!["CodeQL", "Dependabot"]));
    // Nothing tells an empty list; only a user who names the format can import it.
    assert_eq!(read_any(b"[]"), Err(ImportError::Unrecognised));
    assert_eq!(read(Format::GitHub, b"[]").map(|scans| scans[0].results), Ok(0));
}

#[test]
fn what_could_lose_alerts_is_refused() {
    let refused = |file: Value| read(Format::GitHub, file.to_string().as_bytes()).expect_err("refused");
    for (field, value) in [("number", Value::Null), ("tool", json!({})), ("rule", Value::Null)] {
        let mut alert = code_scanning(1, "open");
        alert[field] = value;
        assert!(
            matches!(refused(json!([alert])), ImportError::Missing { .. }),
            "{field}"
        );
    }
    for (field, value) in [("number", json!("1")), ("state", json!(1)), ("rule", json!("r"))] {
        let mut alert = code_scanning(1, "open");
        alert[field] = value;
        assert!(
            matches!(refused(json!([alert])), ImportError::Malformed { line: 1, .. }),
            "{field}"
        );
    }
    // What the API answers without a permission.
    assert!(matches!(
        refused(json!({ "message": "Not Found", "status": "404" })),
        ImportError::Malformed { .. } | ImportError::Missing { .. }
    ));
}
