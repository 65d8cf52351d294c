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
            "c.yaml:5: spec.members: no file declares the user nobody, so the e-mail address is not known",
            "c.yaml:20: spec.owner: is missing",
        ]
    );
}
