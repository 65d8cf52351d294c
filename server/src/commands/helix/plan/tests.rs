use super::*;

fn finding(id: &str, rule: &str, location: Option<&str>, line: i64, severity: Severity) -> Finding {
    Finding {
        id: id.to_owned(),
        key: format!("F-{id}"),
        provider: "semgrep".to_owned(),
        rule: rule.to_owned(),
        title: format!("Title of {rule}"),
        message: String::new(),
        severity,
        location: location.map(str::to_owned),
        line: Some(line),
        component: None,
        evidence_ids: vec!["evd_1".to_owned()],
    }
}

fn shape(groups: &[Group]) -> Vec<(String, String, Vec<Vec<&str>>)> {
    groups
        .iter()
        .map(|group| {
            let children = group.children.iter();
            let children = children.map(|child| child.findings.iter().map(|finding| finding.id.as_str()).collect());
            (group.rule.clone(), group.area.clone(), children.collect())
        })
        .collect()
}

#[test]
fn one_group_per_rule_and_area_and_one_task_per_file() {
    let findings = vec![
        finding("3", "sqli", Some("src/db/b.rs"), 1, Severity::High),
        finding("2", "sqli", Some("src/db/a.rs"), 9, Severity::High),
        finding("1", "sqli", Some("./src/db/deep/er.rs"), 4, Severity::High),
        finding("4", "sqli", Some("src/db/a.rs"), 2, Severity::High),
        finding("5", "sqli", Some("web/form.ts"), 2, Severity::Critical),
        finding("6", "xss", Some("src/db/a.rs"), 2, Severity::Low),
    ];
    let mut reversed = findings.clone();
    reversed.reverse();
    let groups = groups_of(findings);
    assert_eq!(
        shape(&groups),
        vec![
            ("sqli".into(), "web".into(), vec![vec!["5"]]),
            (
                "sqli".into(),
                "src/db".into(),
                vec![vec!["1"], vec!["4", "2"], vec!["3"]]
            ),
            ("xss".into(), "src/db".into(), vec![vec!["6"]]),
        ]
    );
    assert_eq!(
        shape(&groups),
        shape(&groups_of(reversed)),
        "whatever the order they came in"
    );
}

fn groups_of(findings: Vec<Finding>) -> Vec<Group> {
    groups(findings, &BTreeSet::new())
}

#[test]
fn findings_of_open_work_items_are_left_out() {
    let findings = vec![
        finding("1", "sqli", Some("src/db/a.rs"), 1, Severity::High),
        finding("2", "sqli", Some("src/db/a.rs"), 2, Severity::High),
    ];
    let taken = BTreeSet::from(["1".to_owned()]);
    assert_eq!(groups(findings, &taken)[0].finding_ids(), BTreeSet::from(["2"]));
}

#[test]
fn a_package_has_at_most_fifty_tasks_and_counts_omitted_findings() {
    let places: Vec<String> = (0..60).map(|n| format!("src/db/f{n:02}.rs")).collect();
    let findings = places.iter().enumerate();
    let findings = findings
        .map(|(n, place)| finding(&n.to_string(), "sqli", Some(place), 1, Severity::High))
        .collect();
    let groups = groups_of(findings);
    assert_eq!((groups[0].children.len(), groups[0].omitted), (MAX_CHILDREN, 10));
}

#[test]
fn findings_without_a_file_are_tasks_of_their_own() {
    let mut findings: Vec<Finding> = (0..2)
        .map(|n| finding(&n.to_string(), "cve", None, 0, Severity::High))
        .collect();
    findings[0].component = Some("openssl".to_owned());
    findings[1].component = Some("openssl".to_owned());
    let groups = groups_of(findings);
    assert_eq!(
        shape(&groups),
        vec![("cve".into(), "openssl".into(), vec![vec!["0"], vec!["1"]])]
    );
}

#[test]
fn an_area_is_a_host_a_directory_or_a_component() {
    let of = |place: Option<&str>, component: Option<&str>| {
        let mut finding = finding("1", "r", place, 1, Severity::Low);
        finding.component = component.map(str::to_owned);
        area(&finding)
    };
    assert_eq!(of(Some("src/payments/api/refund.rs"), Some("payments")), "src/payments");
    assert_eq!(of(Some("file:///src\\a\\b.cs"), None), "src/a");
    assert_eq!(of(Some("https://shop.example/login?x"), None), "shop.example");
    assert_eq!(of(Some("Cargo.lock"), Some("payments")), "payments");
    assert_eq!(of(Some("Cargo.lock"), None), "Cargo.lock");
    assert_eq!(of(None, None), "semgrep");
}

#[test]
fn scanners_text_fits_on_a_line() {
    assert_eq!(line("a\n  b\tc"), "a b c");
    assert_eq!(line("a\u{202e}b"), "a⟦U+202E⟧b");
    assert_eq!(clip("abcdef", 4), "abc…");
    assert_eq!(clip("one two three", 10), "one two…");
    assert_eq!(clip_front("abcdef", 4), "…def");
    assert_eq!(
        (clip("äöü", 3), clip_front("äöü", 3)),
        ("äöü".to_owned(), "äöü".to_owned())
    );
}
