//! Which changes keep a finding's identity, and how locations and components are named.

use super::*;

fn at(uri: &str, line: u32, snippet: Option<&str>) -> Value {
    json!([{"physicalLocation": {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": line, "snippet": snippet.map(|text| json!({"text": text}))},
    }}])
}

#[test]
fn identities_survive_what_they_should() {
    let key = |result: Value| only(result).identity;
    let printed =
        |uri, line, print: Value| json!({"ruleId": "r", "locations": at(uri, line, None), "fingerprints": print});
    let nested = json!({"a": {"x": "1", "y": ["2", 3]}, "b": "z"});
    assert_eq!(
        key(printed("a.rs", 1, nested.clone())),
        key(printed("b.rs", 9, nested.clone())),
        "a renamed file"
    );
    assert_ne!(
        key(printed("a.rs", 1, nested)),
        key(printed("a.rs", 1, json!({"a": {"x": "1", "y": ["2", 4]}, "b": "z"})))
    );
    assert_ne!(
        key(printed("a.rs", 1, json!({"a": "requires login"}))),
        key(printed("b.rs", 1, json!({"a": "requires login"})))
    );

    let partly =
        |uri, line| json!({"ruleId": "r", "locations": at(uri, line, None), "partialFingerprints": {"a": "1"}});
    assert_eq!(key(partly("a.rs", 1)), key(partly("a.rs", 7)), "a moved line");
    assert_ne!(key(partly("a.rs", 1)), key(partly("b.rs", 1)), "a copied file");

    let code = |line, code| json!({"ruleId": "r", "locations": at("a.rs", line, code)});
    assert_eq!(
        key(code(1, Some("  x()"))),
        key(code(5, Some("x()\r\n"))),
        "moved and indented code"
    );
    assert_ne!(key(code(1, Some("x()"))), key(code(1, Some("y()"))));
    assert_ne!(key(code(1, None)), key(code(2, None)));
    assert_ne!(
        key(json!({"ruleId": "r", "message": "one"})),
        key(json!({"ruleId": "r", "message": "two"}))
    );
    assert_ne!(key(json!({"ruleId": "r"})), key(json!({"ruleId": "s", "message": "r"})));
}

#[test]
fn findings_that_look_alike_are_numbered_by_place() {
    let lines = [30, 10, 20].map(|line| json!({"ruleId": "r", "locations": at("a.rs", line, Some("x()"))}));
    let scan = own_scan(json!(lines), json!({}));
    assert_eq!(
        scan.findings.iter().map(|one| one.ordinal).collect::<Vec<_>>(),
        [2, 0, 1]
    );
    assert_eq!(identities(&scan).len(), 3);
    let same = json!([{"ruleId": "r"}, {"ruleId": "r"}]);
    assert_eq!(identities(&own_scan(same, json!({}))).len(), 2);
}

#[test]
fn the_component_is_named_without_secrets_and_can_be_told() {
    let component = |run: Value| own_scan(json!([{"ruleId": "r"}]), run);
    for (uri, expected) in [
        (
            "https://x-access-token:ghs_secret@github.com/acme/shop.git",
            "https://github.com/acme/shop",
        ),
        (
            "https://github.com/acme/shop/?token=secret",
            "https://github.com/acme/shop",
        ),
        ("bot:secret@github.com/acme/shop", "github.com/acme/shop"),
        ("git@github.com:acme/shop.git", "git@github.com:acme/shop"),
    ] {
        let scan = component(json!({"versionControlProvenance": [{"repositoryUri": uri, "revisionId": "abc"}]}));
        assert_eq!(
            (scan.component.as_deref(), scan.commit.as_deref()),
            (Some(expected), Some("abc"))
        );
    }
    let scan = component(json!({"automationDetails": {"id": "nightly/shop/2026-11-22"}}));
    assert_eq!(scan.component.as_deref(), Some("nightly/shop"));
    assert_eq!(component(json!({"automationDetails": {"id": "once"}})).component, None);

    let mut told = [component(json!({}))];
    let before = told[0].findings[0].identity.clone();
    crate::import::identify(&mut told, Some("shop"));
    assert_ne!(told[0].findings[0].identity, before);
    crate::import::identify(&mut told, None);
    assert_eq!(told[0].findings[0].identity, before);
}

/// A file with one result in each run.
fn runs(parts: &[Value]) -> Vec<Scan> {
    let runs: Vec<Value> = parts
        .iter()
        .map(|part| {
            let result = json!({"ruleId": "r", "locations": at("package.json", 1, None)});
            own(json!([result]), part.clone())["runs"][0].clone()
        })
        .collect();
    read_value(&json!({"version": "2.1.0", "runs": runs})).expect("a sound file")
}

fn distinct(scans: &[Scan]) -> usize {
    let all = scans.iter().flat_map(|scan| &scan.findings);
    all.map(|one| &one.identity).collect::<BTreeSet<_>>().len()
}

#[test]
fn runs_of_one_tool_are_told_apart() {
    let id = |id: &str| json!({"automationDetails": {"id": id}});
    let components = |parts: &[Value]| {
        let scans = runs(parts);
        assert_eq!(distinct(&scans), parts.len(), "{parts:?}");
        let components = scans.into_iter().map(|scan| scan.component.unwrap_or_default());
        components.collect::<Vec<_>>().join(", ")
    };
    let (web, api) = (id("Two/Open Source/shop-web"), id("Two/Open Source/shop-api"));
    assert_eq!(
        components(&[web.clone(), api.clone()]),
        "Two/Open Source/shop-web, Two/Open Source/shop-api"
    );
    assert_eq!(
        components(std::slice::from_ref(&web)),
        "Two/Open Source",
        "the rest may name the single run"
    );
    assert_eq!(
        components(&[web.clone(), web.clone()]),
        "Two/Open Source/shop-web, Two/Open Source/shop-web"
    );
    assert_eq!(components(&[id("one/x"), id("other/x")]), "one, other");
    assert_eq!(components(&[json!({}), json!({})]), ", ");
    assert_eq!(components(&[id("once"), id("twice")]), ", ");
    let mut other_tool = web.clone();
    other_tool["tool"] = json!({"driver": {"name": "other"}});
    assert_eq!(
        components(&[web.clone(), other_tool]),
        "Two/Open Source, Two/Open Source"
    );
    let from = json!({"versionControlProvenance": [{"repositoryUri": "https://host/a"}]});
    assert_eq!(components(&[from.clone(), from]), "https://host/a, https://host/a");

    // Each run keeps its own finding, whichever runs come before it.
    let (both, turned) = (runs(&[web.clone(), api.clone()]), runs(&[api.clone(), web.clone()]));
    assert_eq!(both[0].findings, turned[1].findings);
    let mut told = both.clone();
    crate::import::identify(&mut told, Some("shop"));
    assert_eq!(distinct(&told), 2, "one component, two findings");
}

#[test]
fn two_runs_of_the_case_are_two_findings() {
    let Some(file) = crate::import::tests::sample("cases/sarif/two-runs-one-category.sarif") else {
        return;
    };
    assert_eq!(distinct(&read(Format::Sarif, &file).expect("a sound file")), 2);
}

#[test]
fn files_are_named_without_the_machine() {
    let run = json!({
        "originalUriBaseIds": {"SRC": {"uri": "file:///home/runner/work/shop/"}, "ROOT": {"uri": "file:///"}},
        "artifacts": [{"location": {"uri": "src/lib.rs"}}],
        "logicalLocations": [{"fullyQualifiedName": "shop::pay"}],
    });
    let results = json!([
        {"locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///home/runner/work/shop/src/a.rs"},
            "region": {"startLine": "5", "startColumn": 2.0}}}]},
        {"locations": [{"physicalLocation": {"artifactLocation": {"index": 0}, "region": {"startLine": -1}}}]},
        {"locations": [{}, {"logicalLocations": [{"index": 0}]}]},
        {"locations": [{"physicalLocation": {"artifactLocation": {"uri": "./src/b.rs"}}}]},
    ]);
    let scan = own_scan(results, run);
    let places: Vec<_> = scan
        .findings
        .iter()
        .map(|one| one.location.clone().expect("a place"))
        .collect();
    assert_eq!(
        (places[0].uri.as_deref(), places[0].line, places[0].column),
        (Some("src/a.rs"), Some(5), Some(2))
    );
    assert_eq!((places[1].uri.as_deref(), places[1].line), (Some("src/lib.rs"), None));
    assert_eq!(
        (places[2].uri.as_deref(), places[2].logical.as_deref()),
        (None, Some("shop::pay"))
    );
    assert_eq!(places[3].uri.as_deref(), Some("src/b.rs"));
}
