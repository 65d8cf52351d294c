//! Mistakes with file, line and field.

use super::*;

#[test]
fn every_mistake_is_reported_with_file_line_and_field() {
    let text = "
teams:
  - key: payments
    nmae: Payments
    members: [dana, eli@acme.example]
  - name: No key
releases:
  - key: R 1
    status: begun
    severityThreshold: [high]
    controls: none
sevices: []
nothing: 1
";
    assert_eq!(
        mistakes(text),
        [
            "c.yaml:4: teams[0].nmae: there is no such key; did you mean name?",
            "c.yaml:5: teams[0].members[0]: \"dana\" is not an e-mail address",
            "c.yaml:6: teams[1].key: is missing",
            "c.yaml:8: releases[0].key: a key has 1 to 100 characters and no spaces",
            "c.yaml:9: releases[0].status: \"begun\" is not one of planned, in_progress, certified, released",
            "c.yaml:10: releases[0].severityThreshold: must be a text, not a list",
            "c.yaml:11: releases[0].controls: must be a list, not a text",
            "c.yaml:12: sevices: there is no such key; did you mean services?",
            "c.yaml:13: nothing: there is no such key here; the keys are teams, people, applications, modules, repositories, services, releases",
        ]
    );
}

#[test]
fn duplicates_unknown_references_and_cycles_are_reported() {
    let text = "
teams: [{ key: payments }, { key: checkout }]
services:
  - { key: refunds, team: paymets }
releases:
  - { key: R1, services: [refund, nowhere] }
  - { key: R1 }
  - key: R2
    status: certified
    controls: [{ key: AC-2 }, { key: ac-2 }]
    backlog:
      - { key: a, title: A, team: payments, parent: b }
      - { key: b, title: B, team: payments, parent: a }
      - { key: c, title: C, team: payments, kind: story, parent: s }
      - { key: d, title: D, team: payments, kind: task }
      - { key: s, title: S }
";
    assert_eq!(
        mistakes(text),
        [
            "c.yaml:7: the release R1 is declared twice; the first is in c.yaml:6",
            "c.yaml:10: the control ac-2 of R2 is declared twice; the first is in c.yaml:10",
        ]
    );
    let text = text.replace("  - { key: R1 }\n", "").replace(", { key: ac-2 }", "");
    assert_eq!(
        mistakes(&text),
        [
            "c.yaml:4: services[0].team: there is no team paymets, neither in these files nor stored; did you mean payments?",
            "c.yaml:6: releases[0].services: there is no service nowhere, neither in these files nor stored",
            "c.yaml:6: releases[0].services: there is no service refund, neither in these files nor stored; did you mean refunds?",
            "c.yaml:8: releases[1].status: people certify a release, with `loopiq certification grant` and `loopiq release status`; name another status",
            "c.yaml:11: releases[1].backlog[0].parent: the work items are a cycle: a → b → a",
            "c.yaml:12: releases[1].backlog[1].parent: the work items are a cycle: b → a → b",
            "c.yaml:13: releases[1].backlog[2].parent: a story has no parent",
            "c.yaml:14: the work item d of R2: a task needs a parent"
                .replace("the work item d of R2: ", "releases[1].backlog[3].kind: ")
                .as_str(),
            "c.yaml:15: the work item needs a team, because its release does not have exactly one",
        ]
    );
}

#[test]
fn records_that_prune_would_retire_and_retired_records_cannot_be_used() {
    let mut stored = stored_after(COMPANY);
    let text = "modules: [{ key: ledger, team: payments }]";
    let catalog = read_one(text).unwrap();
    let refused = plan(&catalog, &stored, true).unwrap_err().to_string();
    assert!(
        refused.contains("no file declares the team payments, so --prune would retire it"),
        "{refused}"
    );
    stored.get_mut(&Ident::new(Kind::Team, "payments")).unwrap().is_retired = true;
    let refused = plan(&catalog, &stored, false).unwrap_err().to_string();
    assert!(refused.contains("the team payments is retired"), "{refused}");
}

#[test]
fn a_certification_stays_with_its_release() {
    let stored = stored_after(COMPANY);
    let catalog = read_one("releases: [{ key: R2, certifications: [{ key: PCI-2026.10 }] }]").unwrap();
    let refused = plan(&catalog, &stored, false).unwrap_err().to_string();
    assert!(refused.contains("belongs to the release 2026.10"), "{refused}");
}

#[test]
fn what_people_decided_about_a_release_is_not_changed_by_a_catalog() {
    let text = "releases: [{ key: R, certifications: [{ key: SOC }], controls: [{ key: AC-1 }] }, { key: S }]";
    let mut stored = stored_after(text);
    let release = Ident::new(Kind::Release, "R");
    let against = |stored: &Stored, text: &str| {
        let catalog = read_one(text).unwrap();
        crate::catalog::plan(&catalog, stored, false).map_or_else(|problems| problems.to_string(), |_| String::new())
    };
    let people = "people release what has certifications";
    assert!(against(&stored, "releases: [{ key: R, status: released }]").contains(people));
    let new = "releases: [{ key: T, status: released, certifications: [{ key: T-1 }] }]";
    assert!(against(&stored, new).contains(people));
    assert_eq!(against(&stored, "releases: [{ key: S, status: released }]"), "");
    assert!(against(&stored, "releases: [{ key: R, status: certified }]").contains("people certify a release"));

    let mut certified = stored.get(&release).unwrap().clone();
    certified.fields.insert("status", Value::Text("certified".to_owned()));
    stored.insert(certified);
    assert_eq!(
        against(&stored, "releases: [{ key: R, status: certified, name: New name }]"),
        ""
    );
    for change in [
        "releases: [{ key: R, commit: abcdef1 }]",
        "releases: [{ key: R, severityThreshold: low }]",
        "releases: [{ key: R, certifications: [{ key: PCI }] }]",
        "releases: [{ key: R, controls: [{ key: AC-2 }] }]",
    ] {
        let says = against(&stored, change);
        assert!(
            says.contains("the release R is certified, so it cannot"),
            "{change}: {says}"
        );
    }
    let back = "releases: [{ key: R, status: in_progress, controls: [{ key: AC-2 }] }]";
    assert_eq!(against(&stored, back), "");
}

#[test]
fn large_files_and_exploding_aliases_are_refused() {
    let ten_megabytes = format!(
        "teams:\n{}",
        "  - { key: payments, name: A name that takes space }\n".repeat(200_000)
    );
    assert!(ten_megabytes.len() > 10_000_000);
    assert!(mistakes(&ten_megabytes)[0].contains("has at most 4096 KiB"));

    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, next) in ('a'..='i').zip('b'..='j') {
        laughs.push_str(&format!(
            "{next}: &{next} [*{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}, *{one}]\n"
        ));
    }
    let found = mistakes(&laughs);
    assert!(
        found
            .iter()
            .any(|line| line.contains("more than 500000 values, aliases included")),
        "{found:?}"
    );

    let deep = format!("teams: {}{}", "[".repeat(60), "]".repeat(60));
    assert!(mistakes(&deep)[0].contains("nested more than 50 deep"));
    let deeper = "[".repeat(1_000_000);
    assert!(
        mistakes(&deeper)[0].contains("limit exceeded"),
        "{:?}",
        mistakes(&deeper)
    );
    let own = "teams: &t [*t]";
    assert!(!mistakes(own).is_empty());
}

#[test]
fn many_mistakes_are_counted() {
    let text = format!("teams:\n{}", "  - { nmae: x }\n".repeat(500));
    let problems = read_one(&text).unwrap_err();
    assert_eq!((problems.first.len(), problems.more), (100, 900));
    assert!(problems.to_string().ends_with("900 more mistakes"));
}

#[test]
fn an_alias_and_several_documents_are_read() {
    let text = "
teams:
  - &team { key: payments, members: &everyone [dana@acme.example] }
  - { key: checkout, members: *everyone }
---
# Nothing here.
---
services: [{ key: refunds, team: checkout }]
";
    assert_eq!(planned(text, &Stored::default(), false).len(), 3);
}

#[test]
fn syntax_keys_and_tags_are_reported() {
    assert!(
        mistakes("teams: [")
            .iter()
            .any(|line| line.contains("this is not YAML"))
    );
    assert!(mistakes("teams: []\nteams: []")[0].starts_with("c.yaml:2: teams: the key is in this mapping twice"));
    assert!(
        mistakes("teams: !include other.yaml")
            .iter()
            .any(|line| line.contains("the tag !include is not read"))
    );
    assert!(mistakes("? [a]\n: b")[0].contains("cannot be a key"));
    assert!(mistakes("just text")[0].contains("a catalog is a mapping"));
    assert!(mistakes("teams: [1]")[0].contains("must be a mapping with the fields of a team"));
}
