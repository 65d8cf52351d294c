//! Cases that the sample files lack.

use super::*;
use crate::import::sarif::read_within;

#[test]
fn only_failures_of_this_run_are_findings() {
    let results = json!([
        {"ruleId": "a", "kind": "pass"}, {"ruleId": "b", "kind": "notApplicable"}, {"ruleId": "c", "kind": "review"},
        {"ruleId": "d", "kind": "open"}, {"ruleId": "e", "kind": "informational"}, {"ruleId": "f", "kind": "fail"},
        {"ruleId": "g"}, {"ruleId": "h", "baselineState": "absent"}, {"ruleId": "i", "kind": "unheard-of"},
    ]);
    let scan = own_scan(results, json!({}));
    let rules: Vec<&str> = scan.findings.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["f", "g", "i"]);
    assert_eq!((scan.results, scan.not_failures), (9, 6));
}

#[test]
fn a_run_that_failed_is_not_complete() {
    assert!(own_scan(json!([]), json!({})).complete);
    assert!(!own_scan(Value::Null, json!({})).complete);
    assert!(!own_scan(json!([]), json!({"invocations": [{"executionSuccessful": false}]})).complete);
}

#[test]
fn what_could_lose_findings_is_refused() {
    let references = json!({"externalPropertyFileReferences": {"results": [{"location": {"uri": "r.sarif"}}]}});
    let outside = read_value(&own(json!([]), references));
    assert!(matches!(outside, Err(ImportError::ExternalResults { .. })));
    let mut beside = own(json!([]), json!({}));
    beside["inlineExternalProperties"] = json!([{"results": [{"ruleId": "r"}]}]);
    assert!(matches!(read_value(&beside), Err(ImportError::ExternalResults { .. })));
    let nameless = json!({"tool": {"driver": {"name": "  "}}});
    assert!(matches!(
        read_value(&own(json!([]), nameless)),
        Err(ImportError::Missing { .. })
    ));
    assert!(matches!(
        read_value(&own(json!(["x"]), json!({}))),
        Err(ImportError::Malformed { .. })
    ));
    for runs in ["", r#", "runs": null"#] {
        let file = format!(r#"{{"version": "2.1.0"{runs}}}"#);
        assert_eq!(
            read(Format::Sarif, file.as_bytes()),
            Err(ImportError::Missing {
                what: "runs".to_owned()
            })
        );
    }
    let old = br#"{"version": "2.0.0", "$schema": "http://json.schemastore.org/sarif-2.0.0", "runs": {}}"#;
    assert_eq!(
        read_any(old),
        Err(ImportError::WrongVersion {
            found: "2.0.0".to_owned(),
            wanted: "SARIF 2.1.0",
        })
    );
    let twice = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [], "results": []}]}"#;
    assert!(matches!(read_any(twice), Err(ImportError::Malformed { line: 1, .. })));
}

#[test]
fn encodings_are_read_or_named() {
    let text = own(json!([{"ruleId": "a"}]), json!({})).to_string();
    let with_bom = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    assert_eq!(read_any(&with_bom).unwrap().1[0].results, 1);
    for bom in [&b"\xFF\xFE"[..], b""] {
        let wide: Vec<u8> = bom
            .iter()
            .copied()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(read_any(&wide).unwrap().1[0].results, 1);
    }
    assert_eq!(
        read_any(b"{\"a\": \"\xE9t\xE9\"}"),
        Err(ImportError::NotText {
            encoding: "UTF-8",
            offset: 7
        })
    );
    assert_eq!(
        read_any("{\n\"é".as_bytes().strip_suffix(b"\xA9").unwrap()),
        Err(ImportError::Truncated { line: 2, column: 1 })
    );
    for foreign in [
        "",
        "<other></other>",
        "[]",
        "{}",
        r#"{"format": "other", "version": 1}"#,
    ] {
        assert_eq!(
            read_any(foreign.as_bytes()),
            Err(ImportError::Unrecognised),
            "{foreign}"
        );
    }
    let large = vec![b' '; crate::import::MAX_BYTES + 1];
    assert!(matches!(read_any(&large), Err(ImportError::TooLarge { .. })));
}

#[test]
fn rules_are_found_by_index_id_parent_and_extension() {
    let tool = json!({"tool": {
        "driver": {"name": "own", "rules": [
            {"id": "first", "name": "First"},
            {"id": "CA1000", "name": "Parent", "defaultConfiguration": {"level": "error"}},
        ]},
        "extensions": [{"name": "more", "rules": [{"id": "x/y", "name": "Extended", "defaultConfiguration": {"level": "note"}}]}],
    }});
    let results = json!([
        {"ruleIndex": 0},
        {"rule": {"index": 0, "toolComponent": {"index": 0}}},
        {"rule": {"id": "x/y", "toolComponent": {"name": "more"}}},
        {"ruleId": "x/y"},
        {"ruleId": "CA1000/1/2"},
        {"ruleId": "CA1000", "ruleIndex": 0},
        {"ruleId": "unknown", "ruleIndex": 0, "message": {"text": "\n  said\nmore"}},
        {"ruleIndex": 99, "rule": {"toolComponent": {"index": 99}}},
    ]);
    let scan = own_scan(results, tool);
    let seen: Vec<_> = scan
        .findings
        .iter()
        .map(|one| (one.rule.as_str(), one.title.as_str(), one.severity))
        .collect();
    assert_eq!(
        seen,
        [
            ("first", "First", Severity::Medium),
            ("x/y", "Extended", Severity::Low),
            ("x/y", "Extended", Severity::Low),
            ("x/y", "Extended", Severity::Low),
            ("CA1000/1/2", "Parent", Severity::High),
            ("CA1000", "Parent", Severity::High),
            ("unknown", "said", Severity::Medium),
            ("(no rule)", "(no rule)", Severity::Medium),
        ]
    );
}

#[test]
fn messages_are_filled_in_and_fall_back() {
    let tool = json!({"tool": {"driver": {"name": "own", "globalMessageStrings": {"g": {"text": "global"}}, "rules": [
        {"id": "r", "fullDescription": {"text": "Full."}, "shortDescription": "Short", "messageStrings": {
            "m": {"text": "{0} calls {1}, {{kept}} {7} }"},
        }},
        {"id": "s", "shortDescription": {"text": "Short."}},
    ]}}});
    let results = json!([
        {"ruleId": "r", "message": {"id": "m", "arguments": ["a{1}", "b"]}},
        {"ruleId": "r", "message": {"id": "g"}},
        {"ruleId": "r", "message": {"text": "own {0} {{x}}"}},
        {"ruleId": "r", "message": {"text": "own {0} {{x}}", "arguments": ["arg"]}},
        {"ruleId": "r", "message": {"id": "nowhere"}},
        {"ruleId": "s"},
        {"ruleId": "none", "message": {"text": "  "}},
        {"ruleId": "r", "message": "a plain string"},
        {"ruleId": "r", "message": {"markdown": "**bold**"}},
    ]);
    let scan = own_scan(results, tool);
    let seen: Vec<&str> = scan.findings.iter().map(|one| one.message.as_str()).collect();
    let expected = [
        "a{1} calls b, {kept} {7} }",
        "global",
        "own {0} {{x}}",
        "own arg {x}",
        "Full.",
        "Short.",
        "none",
    ];
    assert_eq!(seen[..7], expected);
    assert_eq!(seen[7..], ["a plain string", "**bold**"]);
    assert_eq!(scan.findings[0].title, "Short");
}

#[test]
fn scores_outrank_levels_and_nonsense_is_passed_over() {
    let severity = |level: Value, score: Value| {
        only(json!({"ruleId": "r", "level": level, "properties": {"security-severity": score}})).severity
    };
    for (score, expected) in [
        (json!("9.0"), Severity::Critical),
        (json!(10), Severity::Critical),
        (json!("8.9"), Severity::High),
        (json!("7"), Severity::High),
        (json!(6.9), Severity::Medium),
        (json!("4.0"), Severity::Medium),
        (json!("0.1"), Severity::Low),
        (json!("0.0"), Severity::None),
        (json!("High"), Severity::High),
        (json!("NaN"), Severity::Low),
        (json!("-1"), Severity::Low),
        (json!({}), Severity::Low),
        (json!(null), Severity::Low),
    ] {
        assert_eq!(severity(json!("note"), score.clone()), expected, "{score}");
    }
    assert_eq!(severity(json!("critical"), json!(null)), Severity::Medium);
    assert_eq!(severity(json!("none"), json!(null)), Severity::None);
    assert!(Severity::Critical > Severity::High && Severity::Low > Severity::None);
}

#[test]
fn one_accepted_suppression_suppresses() {
    for (suppressions, expected) in [
        (
            json!([{"kind": "external", "status": "accepted"}, {"kind": "external", "status": "rejected"}]),
            true,
        ),
        (
            json!([{"kind": "external"}, {"kind": "external", "status": "rejected"}]),
            true,
        ),
        (
            json!([{"kind": "external", "status": "underReview"}, {"kind": "external", "status": "rejected"}]),
            false,
        ),
        (json!([{"kind": "external", "status": "who knows"}]), false),
        (json!([]), false),
        (json!("yes"), false),
    ] {
        assert_eq!(
            only(json!({"ruleId": "r", "suppressions": suppressions})).suppressed,
            expected,
            "{suppressions}"
        );
    }
}

#[test]
fn hidden_characters_are_shown_and_long_texts_cut() {
    let finding = only(json!({"ruleId": "r", "message": {"text": "pay\u{202E}ment <b>\u{0007}\r\nnext\tline"}}));
    assert!(
        !finding.message.contains(['\u{202E}', '\u{0007}', '\r']),
        "{}",
        finding.message
    );
    assert!(finding.message.contains("<b>") && finding.message.ends_with("\nnext\tline"));
    assert!(!finding.title.contains('\n'));
    let long = only(json!({"ruleId": "r", "message": {"text": "é".repeat(20_000)}}));
    assert_eq!((long.message.chars().count(), long.title.chars().count()), (8_000, 200));
    assert!(long.title.ends_with('…'));
    for uri in [
        "javascript:alert(1)//",
        "data:text/html,x",
        "https://a b",
        "file:///etc/passwd",
    ] {
        let tool = json!({"tool": {"driver": {"name": "own", "rules": [{"id": "r", "helpUri": uri}]}}});
        assert_eq!(
            own_scan(json!([{"ruleId": "r"}]), tool).findings[0].help_uri,
            None,
            "{uri}"
        );
    }
}

#[test]
fn a_small_file_cannot_grow_without_bound() {
    let tool =
        json!({"tool": {"driver": {"name": "own", "rules": [{"id": "r", "fullDescription": "x".repeat(9_000)}]}}});
    let results: Vec<Value> = (0..30).map(|_| json!({"ruleIndex": 0})).collect();
    let file = own(json!(results), tool).to_string();
    assert_eq!(
        read_within(&file, 100_000),
        Err(ImportError::Expands { limit: 100_000 })
    );
    assert!(read_within(&file, 1_000_000).is_ok());
}
