//! Catalogs of Backstage.

use super::*;

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
teams: []
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: { title: No name }
";
    assert_eq!(
        mistakes(text),
        [
            "c.yaml:22: apiVersion: \"v1\" is not an API version of Backstage; a file of this service has no apiVersion",
            "c.yaml:25: metadata.name: a key has 1 to 100 characters and no spaces",
            "c.yaml:15: spec.profile.email: \"dana\" is not an e-mail address",
            "c.yaml:5: spec.parent: the groups are a cycle: a → b → a",
            "c.yaml:20: spec.owner: is missing",
        ]
    );
}

fn skipped(plan: &Plan) -> Vec<String> {
    let line = |one: &Skipped| format!("{}:{} {}: {}", one.file, one.line, one.what, one.why);
    plan.skipped.iter().map(line).collect()
}

#[test]
fn references_to_stored_records_work_and_others_are_named_and_left_out() {
    let stored = stored_after(
        "teams: [{ key: checkout, members: [lee@acme.example] }, { key: old }, { key: crew, members: [kim@acme.example, mo@acme.example] }]",
    );
    let text = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: dana }
spec: { profile: { email: dana@acme.example }, memberOf: [Checkout, nowhere] }
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: crew }
spec: { parent: also-nowhere, members: [kim, Mo_acme.example, gone] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: cart }
spec: { type: service, owner: Checkout }
---
apiVersion: mycorp.io/v1
kind: Machine
metadata: { name: m1 }
";
    let catalog = read_one(text).unwrap();
    let found = plan(&catalog, &stored, false).unwrap();
    let members = |plan: &Plan, key: &str| {
        let step = plan.steps.iter().find(|step| step.ident == Ident::new(Kind::Team, key));
        step.and_then(|step| step.value("members"))
            .map(|value| value.items().join(" "))
    };
    assert_eq!(
        members(&found, "checkout").as_deref(),
        Some("dana@acme.example lee@acme.example")
    );
    assert_eq!(members(&found, "crew"), None, "the stored members stay");
    let cart = found
        .steps
        .iter()
        .find(|step| step.ident.kind == Kind::Service)
        .unwrap();
    assert_eq!(cart.text("team"), Some("checkout"));
    let nowhere = "c.yaml:5 User dana: no file declares the group nowhere, and no team with this key is stored";
    let gone = "c.yaml:10 Group crew: no file declares the user gone, so the e-mail address is not known";
    assert_eq!(
        skipped(&found),
        [
            "c.yaml:17 Machine m1: mycorp.io/v1 is not an API version of Backstage",
            nowhere,
            gone
        ]
    );

    // With prune, a membership does not keep a team that no file declares. The component names the team, so that it is refused.
    let refused = plan(&catalog, &stored, true).unwrap_err().to_string();
    assert!(refused.contains("no file declares the team checkout"), "{refused}");
    let catalog = read_one(text.split("---").next().unwrap()).unwrap();
    let own = read(&[
        file("own.yaml", "teams: [{ key: Crew }]"),
        file("c.yaml", text.split("---").next().unwrap()),
    ])
    .unwrap();
    let pruned = plan(&own, &stored, true).unwrap();
    assert!(
        skipped(&pruned)
            .contains(&"c.yaml:5 User dana: no file declares the group Checkout, so it is retired".to_owned()),
        "{pruned:?}"
    );
    // A retired team does not come back because a user names it.
    let mut retired = stored.clone();
    retired.get_mut(&Ident::new(Kind::Team, "checkout")).unwrap().is_retired = true;
    let found = plan(&catalog, &retired, false).unwrap();
    assert!(skipped(&found)[0].contains("the team Checkout is retired"), "{found:?}");
    assert!(found.steps.is_empty(), "{found:?}");
}

#[test]
fn users_are_members_of_teams_of_the_services_own_format() {
    let user = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: dana }
spec: { profile: { email: dana@acme.example }, memberOf: [payments] }
";
    let own = file("own.yaml", "teams: [{ key: payments, members: [lee@acme.example] }]");
    let catalog = read(&[own, file("user.yaml", user)]).unwrap();
    let plan = plan(&catalog, &Stored::default(), false).unwrap();
    let members = plan.steps[0].value("members").unwrap();
    assert_eq!(members.items(), ["dana@acme.example", "lee@acme.example"]);
}

#[test]
fn an_owner_in_another_case_is_found_unless_several_differ_only_in_case() {
    let component = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: cart }
spec: { type: library, owner: CheckOut }
";
    let of = |teams: &str| {
        let catalog = read(&[file("own.yaml", teams), file("c.yaml", component)]).unwrap();
        plan(&catalog, &Stored::default(), false).map_err(|problems| problems.to_string())
    };
    let found = of("teams: [{ key: checkout }]").unwrap();
    assert_eq!(found.steps[1].text("team"), Some("checkout"));
    let several = of("teams: [{ key: checkout }, { key: CHECKOUT }]").unwrap_err();
    assert!(several.contains("there is no team CheckOut"), "{several}");
    let own = read_one("teams: [{ key: checkout }]\nmodules: [{ key: m, team: Checkout }]").unwrap();
    assert!(
        plan(&own, &Stored::default(), false).is_err(),
        "the service's own format names keys exactly"
    );
}
