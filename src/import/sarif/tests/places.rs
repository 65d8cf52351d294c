//! Files in several spellings and under bases, and rules by GUID and with configured levels.

use super::*;

/// The name of the only result's file, in a run with these fields.
fn named_file(location: Value, run: Value) -> Option<String> {
    let result = json!({"ruleId": "r", "locations": [{"physicalLocation": {"artifactLocation": location}}]});
    let finding = own_scan(json!([result]), run).findings.remove(0);
    finding.location.and_then(|place| place.uri)
}

fn case(name: &str) -> Option<Scan> {
    let bytes = crate::import::tests::sample(&format!("cases/sarif/{name}.sarif"))?;
    let [scan] = <[Scan; 1]>::try_from(read(Format::Sarif, &bytes).expect(name)).expect("one run");
    Some(scan)
}

fn uris(scan: &Scan) -> Vec<&str> {
    let places = scan
        .findings
        .iter()
        .filter_map(|one| one.location.as_ref()?.uri.as_deref());
    places.collect()
}

#[test]
fn a_file_is_one_file_however_it_is_spelled() {
    let spelled = |uri: &str| {
        let location = json!([{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 3}}}]);
        only(json!({"ruleId": "r", "locations": location}))
    };
    for [one, other] in [
        ["src/my%20file.c", "src/my file.c"],
        ["src\\win\\main.c", "src/win/main.c"],
        ["file:///C:/a/b.c", "C:\\a\\b.c"],
        ["file:///srv/a.c", "/srv/a.c"],
    ] {
        assert_eq!(spelled(one), spelled(other), "{one}");
    }
    assert_ne!(spelled("src/a.c").identity, spelled("src/A.c").identity);

    for (one, other, expected) in [
        ("spelled-encoded", "spelled-plain", &["src/my file.c", "src/über.c"][..]),
        ("spelled-windows", "spelled-unix", &["src/win/main.c"]),
    ] {
        let (Some(one), Some(other)) = (case(one), case(other)) else {
            return;
        };
        assert_eq!(uris(&one), expected);
        assert_eq!(one.findings, other.findings);
    }
}

#[test]
fn relative_bases_are_part_of_a_files_name_and_the_absolute_one_is_not() {
    let bases = json!({"originalUriBaseIds": {
        "ROOT": {"uri": "file:///C:/agent/my%20work/"},
        "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
        "DEEP": {"uri": "a%20b", "uriBaseId": "SRC"},
        "UNKNOWN": {"description": {"text": "no URI"}},
        "OVER": {"uriBaseId": "SRC"},
        "LOOP": {"uri": "x/", "uriBaseId": "LOOP"},
    }, "artifacts": [{"location": {"uri": "z.c", "uriBaseId": "SRC"}}]});
    for (location, expected) in [
        (json!({"uri": "z.c", "uriBaseId": "ROOT"}), "z.c"),
        (json!({"uri": "z.c", "uriBaseId": "SRC"}), "src/z.c"),
        (json!({"uri": "z.c", "uriBaseId": "DEEP"}), "src/a b/z.c"),
        (json!({"uri": "../z.c", "uriBaseId": "DEEP"}), "src/z.c"),
        (json!({"uri": "z.c", "uriBaseId": "UNKNOWN"}), "z.c"),
        (json!({"uri": "z.c", "uriBaseId": "OVER"}), "src/z.c"),
        (json!({"uri": "z.c", "uriBaseId": "NOWHERE"}), "z.c"),
        (json!({"uri": "z.c"}), "z.c"),
        (json!({"index": 0}), "src/z.c"),
        (json!({"uri": "file:///c:/agent/my work/src/z.c"}), "src/z.c"),
        (
            json!({"uri": "file:///C:/agent/my%20work/src/z.c", "uriBaseId": "SRC"}),
            "src/z.c",
        ),
        (json!({"uri": "file:///C:/other/z.c"}), "C:/other/z.c"),
    ] {
        assert_eq!(
            named_file(location.clone(), bases.clone()).as_deref(),
            Some(expected),
            "{location}"
        );
    }
    let endless = named_file(json!({"uri": "z.c", "uriBaseId": "LOOP"}), bases).expect("a name");
    assert!(endless.ends_with("x/z.c") && endless.len() < 100, "{endless}");

    let Some(scan) = case("base-ids") else { return };
    assert_eq!(uris(&scan), ["src/z.c", "lib/z.c"]);
    let (first, second) = (case("base-first").expect("there"), case("base-second").expect("there"));
    assert_eq!((uris(&first), uris(&second)), (vec!["src/z.c"], vec!["lib/z.c"]));
    assert_ne!(first.findings[0].identity, second.findings[0].identity);
}

#[test]
fn rules_are_found_by_guid_in_driver_and_extensions() {
    let tool = json!({"tool": {
        "driver": {"name": "own", "rules": [
            {"id": "D1", "guid": "5F2A0C1E-7C2B-4D0A-9C39-2B7F4B1D9E10", "defaultConfiguration": {"level": "error"}},
        ]},
        "extensions": [{"name": "more", "guid": "aaaa", "rules": [
            {"id": "X0"}, {"id": "X1", "guid": "bbbb", "defaultConfiguration": {"level": "note"}},
        ]}],
    }});
    let results = json!([
        {"rule": {"guid": "5f2a0c1e-7c2b-4d0a-9c39-2b7f4b1d9e10"}},
        {"rule": {"guid": "BBBB"}},
        {"rule": {"index": 1, "toolComponent": {"guid": "AAAA"}}},
        {"ruleId": "X1/sub", "rule": {"guid": "bbbb"}},
        {"ruleId": "D1", "rule": {"guid": "bbbb"}},
        {"rule": {"guid": "cccc"}},
    ]);
    let scan = own_scan(results, tool);
    let seen: Vec<_> = scan
        .findings
        .iter()
        .map(|one| (one.rule.as_str(), one.severity))
        .collect();
    let expected = [
        ("D1", Severity::High),
        ("X1", Severity::Low),
        ("X1", Severity::Low),
        ("X1/sub", Severity::Low),
        ("D1", Severity::High),
        ("(no rule)", Severity::Medium),
    ];
    assert_eq!(seen, expected);
    let Some(scan) = case("rule-by-guid") else { return };
    assert_eq!(
        (scan.findings[0].rule.as_str(), scan.findings[0].severity),
        ("GU1", Severity::High)
    );
}

#[test]
fn levels_are_those_that_the_invocation_configured() {
    let change = |descriptor: Value, level: &str| json!({"descriptor": descriptor, "configuration": {"level": level}});
    let run = |overrides: Vec<Value>| {
        let invocations: Vec<Value> = overrides
            .into_iter()
            .map(|one| json!({"executionSuccessful": true, "ruleConfigurationOverrides": one}))
            .collect();
        json!({
            "tool": {
                "driver": {"name": "own", "rules": [
                    {"id": "A", "guid": "aaaa", "defaultConfiguration": {"level": "note"}}, {"id": "B"},
                ]},
                "extensions": [{"name": "x", "rules": [{"id": "C", "defaultConfiguration": {"level": "note"}}]}],
            },
            "invocations": invocations,
        })
    };
    let severity = |result: Value, run: &Value| own_scan(json!([result]), run.clone()).findings[0].severity;
    for (descriptor, rule) in [
        (json!({"id": "A", "index": 0}), "A"),
        (json!({"index": 0}), "A"),
        (json!({"guid": "AAAA"}), "A"),
        (json!({"id": "A"}), "A/sub"),
        (json!({"index": 0, "toolComponent": {"index": 0}}), "C"),
        (json!({"id": "Unlisted"}), "Unlisted"),
    ] {
        let run = run(vec![json!([change(descriptor.clone(), "error")])]);
        assert_eq!(severity(json!({"ruleId": rule}), &run), Severity::High, "{descriptor}");
        assert_eq!(
            severity(json!({"ruleId": rule, "level": "note"}), &run),
            Severity::Low,
            "its own level"
        );
        assert_eq!(severity(json!({"ruleId": "B"}), &run), Severity::Medium, "another rule");
    }
    // The configuration of the result's own invocation; without one, the most severe of all.
    let two = run(vec![
        json!([change(json!({"id": "A"}), "none")]),
        json!([change(json!({"id": "A"}), "error")]),
        json!([]),
    ]);
    let of = |index: Value| severity(json!({"ruleId": "A", "provenance": {"invocationIndex": index}}), &two);
    assert_eq!(
        [of(json!(0)), of(json!(1)), of(json!(2)), of(json!(-1))],
        [Severity::None, Severity::High, Severity::Low, Severity::High]
    );
    let lowered = run(vec![json!([change(json!({"id": "A"}), "none")]), json!([])]);
    assert_eq!(
        severity(json!({"ruleId": "A"}), &lowered),
        Severity::Low,
        "it may come from the other one"
    );
    for nonsense in [
        json!("x"),
        json!([7]),
        json!([{"configuration": {"level": "error"}}]),
        json!([change(json!({"id": "A"}), "loud")]),
    ] {
        assert_eq!(
            severity(json!({"ruleId": "A"}), &run(vec![nonsense.clone()])),
            Severity::Low,
            "{nonsense}"
        );
    }
    let Some(scan) = case("override-note-to-error") else {
        return;
    };
    assert_eq!(scan.findings[0].severity, Severity::High);
}

#[test]
fn rules_named_after_vulnerabilities_name_them() {
    for (rule, expected) in [
        ("CVE-2021-44228", Some("CVE-2021-44228")),
        ("CVE-2021-44228-log4j-core", Some("CVE-2021-44228")),
        ("GHSA-jfh8-c2jp-5v3q-log4j", Some("GHSA-jfh8-c2jp-5v3q")),
        ("CVE-202-1", None),
        ("CVE-2021-x", None),
        ("GHSA-jfh8", None),
        ("my-rule", None),
    ] {
        let tool = json!({"tool": {"driver": {"name": "own", "rules": [
            {"id": rule, "properties": {"purls": ["pkg:maven/a/log4j-core@2.14.1", "other"]}},
        ]}}});
        let finding = own_scan(json!([{"ruleId": rule}]), tool).findings.remove(0);
        let vulnerability = finding.vulnerability;
        assert_eq!(
            vulnerability.as_ref().map(|one| one.ids[0].as_str()),
            expected,
            "{rule}"
        );
        let products = vulnerability.map(|one| one.products).unwrap_or_default();
        assert_eq!(products.len(), usize::from(expected.is_some()));
    }
}
