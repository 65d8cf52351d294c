//! Tests of reading and comparing catalogs.

use super::*;
use std::collections::BTreeMap;

fn file(name: &str, text: impl Into<String>) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.into(),
    }
}

fn read_one(text: &str) -> Result<Catalog, Problems> {
    read(&[file("c.yaml", text)])
}

/// The mistakes of a catalog against an empty tenant, one a line.
fn mistakes(text: &str) -> Vec<String> {
    let problems = match read_one(text) {
        Ok(catalog) => plan(&catalog, &Stored::default(), false).expect_err("a mistake"),
        Err(problems) => problems,
    };
    problems.to_string().lines().map(str::to_owned).collect()
}

fn planned(text: &str, stored: &Stored, prune: bool) -> Vec<String> {
    let catalog = read_one(text).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = plan(&catalog, stored, prune).unwrap_or_else(|problems| panic!("{problems}"));
    let step = |step: &Step| format!("{:?} {}", step.effect, step.ident);
    plan.steps.iter().map(step).collect()
}

/// The records that a plan creates or changes, as they are stored then.
fn stored_after(text: &str) -> Stored {
    let catalog = read_one(text).unwrap();
    let mut stored = Stored::default();
    for step in plan(&catalog, &stored, false).unwrap().steps {
        let fields: BTreeMap<_, _> = step
            .fields
            .into_iter()
            .map(|change| (change.field, change.after))
            .collect();
        stored.insert(StoredRecord {
            id: step.ident.key.clone(),
            ident: step.ident,
            fields,
            is_retired: false,
        });
    }
    stored
}

const COMPANY: &str = "
people:
  - email: Olga@acme.example
    roles: [operator, auditor]
teams:
  - key: payments
    name: Payments
    members: [dana@acme.example, DANA@acme.example]
    groups: [acme-payments]
applications:
  - { key: payments, team: payments }
services:
  - { key: refunds, name: Refunds, team: payments }
releases:
  - key: 2026.10
    name: Payments 2026.10
    commit: 9f1c2e7
    teams: [payments]
    applications: [payments]
    services: [refunds]
    certifications:
      - { key: PCI-2026.10, name: PCI DSS 4.0 }
    controls:
      - { key: AC-3, title: Access enforcement, status: failing }
    backlog:
      - { key: ledger, title: Rework the ledger }
      - { key: prepared, title: Use prepared statements, parent: ledger }
";

#[test]
fn a_catalog_is_created_and_then_left() {
    let steps = planned(COMPANY, &Stored::default(), false);
    assert_eq!(
        steps,
        [
            "Create person olga@acme.example",
            "Create team payments",
            "Create application payments",
            "Create service refunds",
            "Create release 2026.10",
            "Create certification PCI-2026.10",
            "Create control AC-3 of 2026.10",
            "Create work item ledger of 2026.10",
            "Create work item prepared of 2026.10",
        ]
    );
    let stored = stored_after(COMPANY);
    let release = stored.get(&Ident::new(Kind::Release, "2026.10")).unwrap();
    let text = |field: &str| release.fields[field].text();
    assert_eq!(
        (text("status"), text("severityThreshold"), text("commit")),
        (Some("planned"), Some("high"), Some("9f1c2e7"))
    );
    let team = stored.get(&Ident::new(Kind::Team, "payments")).unwrap();
    assert_eq!(team.fields["members"].items(), ["dana@acme.example"]);
    let task = stored
        .get(&Ident::within(Kind::WorkItem, "2026.10", "prepared"))
        .unwrap();
    assert_eq!(
        (task.fields["kind"].text(), task.fields["team"].text()),
        (Some("task"), Some("payments"))
    );
    assert_eq!(planned(COMPANY, &stored, true), [""; 0]);
}

#[test]
fn what_changes_is_named_and_what_a_file_leaves_out_stays() {
    let stored = stored_after(COMPANY);
    let next = "
teams: [{ key: payments, members: [eli@acme.example] }]
releases:
  - key: 2026.10
    commit:
    controls: [{ key: ac-3, status: passing }]
    backlog: [{ key: ledger, title: Another title }]
";
    let catalog = read_one(next).unwrap();
    let plan = plan(&catalog, &stored, false).unwrap();
    let changes: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| step.fields.iter().map(move |change| (step, change)))
        .map(|(step, change)| {
            format!(
                "{} {}: {:?} → {:?}",
                step.ident, change.field, change.before, change.after
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "team payments members: List([\"dana@acme.example\"]) → List([\"eli@acme.example\"])",
            "release 2026.10 commit: Text(\"9f1c2e7\") → None",
            "control AC-3 of 2026.10 status: Text(\"failing\") → Text(\"passing\")",
        ]
    );
    assert_eq!(plan.left, 1, "the work item");
}

#[test]
fn prune_retires_what_no_file_declares_and_a_declared_record_is_restored() {
    let mut stored = stored_after(COMPANY);
    let next = "
teams: [{ key: payments }]
releases: [{ key: 2026.10, services: [] }]
";
    assert_eq!(
        planned(next, &stored, true),
        [
            "Change release 2026.10",
            "Retire person olga@acme.example",
            "Retire application payments",
            "Retire service refunds",
        ]
    );
    stored
        .get_mut(&Ident::new(Kind::Service, "refunds"))
        .unwrap()
        .is_retired = true;
    let again = "services: [{ key: refunds, team: payments }]";
    assert_eq!(planned(again, &stored, false), ["Restore service refunds"]);
}

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

#[test]
fn hostile_text_is_refused_or_shown_as_plain_text() {
    for (text, says) in [
        ("teams: [{ key: \"pay\\u202Ements\" }]", "U+202E"),
        ("teams: [{ key: payments, name: \"a\\u200Bb\" }]", "U+200B"),
        ("teams: [{ key: payments, name: \"a&#x202E;b\" }]", "as an entity"),
        ("teams: [{ key: payments, name: \"a\\nb\" }]", "must be one line"),
        ("teams: [{ key: payments, groups: [\"g\\u2066\"] }]", "U+2066"),
        (
            "releases: [{ key: R, controls: [{ key: A, title: \"\\u061C\" }] }]",
            "U+061C",
        ),
        (
            "teams: [{ key: team_00000000000000000000000001 }]",
            "cannot look like an ID",
        ),
        ("releases: [{ key: R, teams: [\"x\\u202Ey\"] }]", "⟦U+202E⟧"),
        ("\"te\\u202Eams\": []", "te⟦U+202E⟧ams"),
    ] {
        let found = mistakes(text).join("\n");
        assert!(found.contains(says) && !found.contains('\u{202E}'), "{text}: {found}");
    }
    let markup = "teams: [{ key: payments, name: \"<script>alert(1)</script>\" }]";
    assert_eq!(
        planned(markup, &Stored::default(), false),
        ["Create team payments"],
        "text without hidden characters is text"
    );
}

const BACKSTAGE: &str = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: payments, description: The people of payments }
spec:
  type: team
  profile: { displayName: Payments, email: payments@acme.example }
  parent: engineering
  children: []
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: engineering }
spec: { type: department, children: [payments], members: [eli] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: dana }
spec: { profile: { displayName: Dana, email: Dana@acme.example }, memberOf: [Group:default/Payments] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: eli }
spec: { profile: { displayName: Eli }, memberOf: [] }
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: { name: payments, title: Payments system }
spec: { owner: group:default/payments, domain: artists }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: refunds
  annotations: { github.com/project-slug: acme/payments }
spec: { type: service, lifecycle: production, owner: payments, system: payments, providesApis: [refunds] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ledger
  annotations: { backstage.io/source-location: 'url:https://github.com/acme/ledger/tree/main/' }
spec: { type: library, lifecycle: production, owner: payments }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: tool }
spec: { type: library, lifecycle: experimental, owner: user:dana }
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: refunds }
spec: { type: openapi, lifecycle: production, owner: payments, definition: { $text: ./openapi.yaml } }
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: ledger }
spec: { type: grpc, lifecycle: production, owner: payments, definition: '' }
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: { name: artists }
spec: { owner: payments }
---
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: { name: react }
spec: { owner: payments, type: website, steps: [] }
";

#[test]
fn backstage_entities_are_read_unchanged() {
    assert_eq!(
        planned(BACKSTAGE, &Stored::default(), false),
        [
            "Create team engineering",
            "Create team payments",
            "Create application payments",
            "Create module ledger",
            "Create module refunds",
            "Create repository acme/ledger",
            "Create repository acme/payments",
            "Create service refunds",
        ]
    );
    let catalog = read_one(BACKSTAGE).unwrap();
    let skipped: Vec<String> = catalog
        .skipped
        .iter()
        .map(|one| format!("{}: {}", one.what, one.why))
        .collect();
    assert_eq!(
        skipped,
        [
            "Domain artists: this service does not read entities of the kind Domain",
            "Template react: this service does not read entities of the kind Template",
            "User eli: it has no e-mail address (spec.profile.email), so it is a member of no team",
            "Component tool: its owner is a user, and only a group can own a component here",
            "API ledger: a module has this key already",
        ]
    );
    let stored = stored_after(BACKSTAGE);
    let team = stored.get(&Ident::new(Kind::Team, "payments")).unwrap();
    assert_eq!(
        (team.fields["name"].text(), team.fields["members"].items()),
        (Some("Payments"), &["dana@acme.example".to_owned()][..])
    );
    assert_eq!(planned(BACKSTAGE, &stored, true), [""; 0]);
}

#[test]
fn backstage_and_own_files_are_one_catalog() {
    let own = "releases: [{ key: PAY-1, teams: [payments], services: [refunds], modules: [ledger] }]";
    let catalog = read(&[file("own.yaml", own), file("catalog-info.yaml", BACKSTAGE)]).unwrap();
    let plan = plan(&catalog, &Stored::default(), false).unwrap();
    assert_eq!(plan.steps.last().unwrap().ident, Ident::new(Kind::Release, "PAY-1"));
}

#[test]
fn mistakes_in_backstage_entities_name_the_field() {
    let text = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: a }
spec: { parent: b, members: [nobody] }
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: b }
spec: { parent: group:a }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: dana }
spec: { profile: { email: dana }, memberOf: [nowhere] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: refunds }
spec: { type: service }
---
apiVersion: v1
kind: Pod
metadata: { name: pod }
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: { title: No name }
";
    assert_eq!(
        mistakes(text),
        [
            "c.yaml:22: apiVersion: \"v1\" is not an API version of Backstage; a file of this service has no apiVersion",
            "c.yaml:26: metadata.name: a key has 1 to 100 characters and no spaces",
            "c.yaml:15: spec.profile.email: \"dana\" is not an e-mail address",
            "c.yaml:15: spec.memberOf: no file declares the group nowhere",
            "c.yaml:5: spec.parent: the groups are a cycle: a → b → a",
            "c.yaml:5: spec.members: no file declares the user nobody, so nobody knows the e-mail address",
            "c.yaml:20: spec.owner: is missing",
        ]
    );
}

#[test]
fn every_kind_is_described_once_and_a_valid_catalog_fits_the_schema() {
    for kind in [
        Kind::Person,
        Kind::Team,
        Kind::Application,
        Kind::Module,
        Kind::Repository,
        Kind::Service,
        Kind::Release,
        Kind::Certification,
        Kind::Control,
        Kind::WorkItem,
    ] {
        assert_eq!(KINDS.iter().filter(|spec| spec.kind == kind).count(), 1, "{kind:?}");
    }
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let valid = serde_json::json!({
        "teams": [{ "key": "payments", "members": ["dana@acme.example"] }],
        "releases": [{ "key": 2026.10, "status": "planned", "controls": [{ "key": "AC-3" }] }],
    });
    assert!(validator.is_valid(&valid));
    for invalid in [
        serde_json::json!({ "team": [] }),
        serde_json::json!({ "teams": [{ "name": "x" }] }),
        serde_json::json!({ "releases": [{ "key": "R", "status": "begun" }] }),
    ] {
        assert!(!validator.is_valid(&invalid), "{invalid}");
    }
}

#[test]
fn the_checked_in_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalog.schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == current,
        "docs/catalog.schema.json differs: run `loopiq catalog schema > docs/catalog.schema.json`"
    );
}
