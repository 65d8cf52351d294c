//! Catalogs: what they create, change and retire, whose roles and teams follow from them, and what refuses them.

use crate::identity::signs_in;
use crate::world::World;
use loopiq::catalog::{Effect, Plan, Problems, SourceFile};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{CatalogOutcome, Error, RequestOrigin};
use loopiq::store::Asserted;
use serde_json::{Value, json};

fn files(text: &str) -> Vec<SourceFile> {
    vec![SourceFile {
        name: "catalog.yaml".to_owned(),
        text: text.to_owned(),
    }]
}

pub(crate) fn console(world: &World, tenant: &str) -> Ctx {
    Ctx::command(TenantId::parse(tenant).expect("a tenant"), world.engine.runtime())
}

pub(crate) async fn apply(world: &World, ctx: &Ctx, text: &str, prune: bool) -> Result<CatalogOutcome, Error> {
    world.engine.apply_catalog(ctx, &files(text), prune, None).await
}

fn plan(outcome: Result<CatalogOutcome, Error>) -> Plan {
    match outcome.expect("an outcome") {
        CatalogOutcome::Report(report) => report.plan,
        CatalogOutcome::Wrong(problems) => panic!("{problems}"),
    }
}

fn problems(outcome: Result<CatalogOutcome, Error>) -> Problems {
    match outcome.expect("an outcome") {
        CatalogOutcome::Wrong(problems) => problems,
        CatalogOutcome::Report(report) => panic!("no mistake: {:?}", report.plan),
    }
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| format!("{:?} {}", step.effect, step.ident))
        .collect()
}

/// A tenant with a catalog, in which nobody has signed in.
async fn initech(world: &World) -> Ctx {
    assert!(
        world
            .engine
            .create_tenant("initech", "Initech")
            .await
            .expect("a tenant")
    );
    console(world, "initech")
}

const COMPANY: &str = "
people:
  - { email: olga@initech.example, roles: [operator] }
  - { email: dana@initech.example, roles: [developer] }
teams:
  - { key: payments, name: Payments, members: [Dana@initech.example], groups: [payments-people] }
  - { key: checkout }
services: [{ key: refunds, name: Refunds, team: payments }]
repositories: [{ key: initech/payments, team: payments }]
releases:
  - key: PAY-1
    name: Payments 1
    status: in_progress
    commit: 9f1c2e7
    teams: [payments]
    services: [refunds]
    repositories: [initech/payments]
    certifications: [{ key: PCI-1, name: PCI DSS }]
    controls: [{ key: AC-3, title: Access enforcement, status: failing }, { key: AU-2 }]
    backlog:
      - { key: a-task, title: Use prepared statements, parent: story }
      - { key: story, title: Rework the ledger, priority: high, acceptanceCriteria: [No query is built from text.] }
";

/// The rows of all tables but the audit log.
async fn rows(world: &World) -> Vec<String> {
    let mut rows = world.dump().await;
    rows.retain(|row| !row.starts_with("audit_"));
    rows
}

/// The details of the last entry with this event.
async fn details(world: &World, tenant: &str, event: &str) -> Value {
    let entries = world.dump().await;
    let seq = |row: &str| row.split("|seq=").nth(1)?.split('|').next()?.parse::<i64>().ok();
    let of = |table: &str, row: &str| row.starts_with(table) && row.contains(&format!("tenant={tenant}|"));
    let last = entries
        .iter()
        .filter(|row| of("audit_entries|", row) && row.contains(&format!("event={event}|")))
        .filter_map(|row| seq(row))
        .max()
        .unwrap_or_else(|| panic!("no entry {event}"));
    let content = entries
        .iter()
        .find(|row| of("audit_contents|", row) && seq(row) == Some(last))
        .expect("a content");
    let json = content
        .split("|content=")
        .nth(1)
        .expect("a content")
        .split("|s")
        .next()
        .expect("JSON");
    let mut read = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    read.next().expect("a value").expect("JSON")["details"].clone()
}

#[tokio::test]
async fn a_dry_run_shows_what_an_application_does_and_changes_nothing() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    let before = world.dump().await;
    let previewed = plan(world.engine.preview_catalog(&ctx, &files(COMPANY), false).await);
    assert_eq!(world.dump().await, before, "a dry run writes nothing");
    let applied = plan(apply(&world, &ctx, COMPANY, false).await);
    assert_eq!(applied, previewed);
    assert_eq!(applied.with(Effect::Create).count(), 12);
    let stored = rows(&world).await;
    for row in [
        "releases|",
        "components|",
        "teams|",
        "certifications|",
        "controls|",
        "release_teams|",
        "release_components|",
        "work_items|",
        "catalog_members|",
        "catalog_groups|",
        "catalog_roles|",
        "catalog_work_items|",
        "blockers|",
    ] {
        assert!(
            stored
                .iter()
                .any(|one| one.starts_with(row) && one.contains("tenant=initech")),
            "{row}"
        );
    }
    let again = plan(apply(&world, &ctx, COMPANY, true).await);
    assert_eq!((steps(&again), again.left), (Vec::new(), 12));
    assert_eq!(rows(&world).await, stored, "applied twice is applied once");
    let details = details(&world, "initech", "catalog.applied").await;
    assert_eq!(
        (&details["counts"]["created"], &details["stepsNotNamed"]),
        (&json!(12), &json!(0))
    );
    assert_eq!(details["files"][0]["name"], "catalog.yaml");
}

#[tokio::test]
async fn the_entry_of_a_large_catalog_is_bounded() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    let teams: String = (0..1_000)
        .map(|team| format!("  - {{ key: team-{team}, name: \"{}\" }}\n", "n".repeat(200)))
        .collect();
    plan(apply(&world, &ctx, &format!("teams:\n{teams}"), false).await);
    let details = details(&world, "initech", "catalog.applied").await;
    assert_eq!(details["steps"].as_array().expect("steps").len(), 300);
    assert_eq!(
        (&details["stepsNotNamed"], &details["counts"]["created"]),
        (&json!(700), &json!(1_000))
    );
    assert!(details.to_string().len() < 256 * 1024);
}

#[tokio::test]
async fn mistakes_change_nothing() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    let before = world.dump().await;
    for (text, says) in [
        (
            "teams: [{ key: payments }]\nteam: []",
            "catalog.yaml:2: team: there is no such key; did you mean teams?",
        ),
        (
            "teams: [{ key: a }]\nservices: [{ key: s, team: b }]",
            "catalog.yaml:2: services[0].team: there is no team b",
        ),
        ("releases: [{ key: R }, { key: R }]", "declared twice"),
        ("teams: [{ key: a, members: [nobody] }]", "is not an e-mail address"),
        ("releases: [{ key: R, status: certified }]", "people certify a release"),
        ("teams: [{ key: \"a\\u0000b\" }]", "U+0000"),
    ] {
        let found = problems(apply(&world, &ctx, text, false).await).to_string();
        assert!(found.contains(says), "{text}: {found}");
    }
    assert_eq!(world.dump().await, before);
}

/// Signs in a person of initech whose token asserts these roles and groups.
async fn sign_in(world: &World, who: &str, email: Email, roles: Option<Vec<Role>>, groups: &[&str]) -> Person {
    let asserted = Asserted {
        issuer: "https://idp.example".to_owned(),
        subject: who.to_owned(),
        email,
        name: who.to_owned(),
        roles,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let signed_in = world
        .engine
        .sign_in("initech", asserted, &RequestOrigin::default())
        .await;
    signed_in.expect("a sign-in").1
}

fn address(who: &str) -> Email {
    Email::verified(&format!("{who}@initech.example"))
}

/// The keys of a person's teams.
async fn teams(world: &World, ctx: &Ctx, person: &Person) -> Vec<String> {
    let mut tx = world.engine.store().read(ctx).await.expect("a transaction");
    let teams = tx.teams_of_person(person.id.as_str()).await.expect("teams");
    teams.into_iter().map(|team| team.key).collect()
}

async fn roles(world: &World, ctx: &Ctx, person: &Person) -> Vec<Role> {
    let mut tx = world.engine.store().read(ctx).await.expect("a transaction");
    let mut people = tx.people(&[person.id.as_str()]).await.expect("people");
    people.pop().expect("a person").roles
}

#[tokio::test]
async fn teams_follow_from_verified_addresses_and_from_groups() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    let eli = sign_in(
        &world,
        "eli",
        address("eli"),
        Some(vec![Role::Reviewer]),
        &["payments-people", "others"],
    )
    .await;
    let mallory = sign_in(
        &world,
        "mallory",
        Email::claimed("dana@initech.example"),
        None,
        &["Payments-People"],
    )
    .await;
    assert_eq!(teams(&world, &ctx, &dana).await, ["payments"]);
    assert_eq!(teams(&world, &ctx, &eli).await, ["payments"]);
    assert_eq!(
        teams(&world, &ctx, &mallory).await,
        [""; 0],
        "nobody has verified the address, and groups are compared exactly"
    );
    // A catalog changes the teams of people who have signed in before.
    let next =
        "teams: [{ key: payments, members: [], groups: [others] }, { key: checkout, members: [dana@initech.example] }]";
    plan(apply(&world, &ctx, next, false).await);
    assert_eq!(teams(&world, &ctx, &dana).await, ["checkout"]);
    assert_eq!(teams(&world, &ctx, &eli).await, ["payments"]);
    // A sign-in without the group, or with another address, ends the membership.
    sign_in(&world, "eli", address("eli"), Some(vec![Role::Reviewer]), &[]).await;
    sign_in(&world, "dana", address("dana.new"), None, &[]).await;
    assert_eq!(teams(&world, &ctx, &eli).await, [""; 0]);
    assert_eq!(teams(&world, &ctx, &dana).await, [""; 0]);
}

#[tokio::test]
async fn roles_of_the_catalog_count_only_without_roles_of_the_provider() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    assert_eq!(dana.roles, [Role::Developer]);
    let unverified = sign_in(&world, "mallory", Email::claimed("olga@initech.example"), None, &[]).await;
    assert_eq!(unverified.roles, []);
    // The provider's roles replace those of the catalog, also if it asserts that there are none.
    for asserted in [vec![Role::Reviewer], Vec::new()] {
        let dana = sign_in(&world, "dana", address("dana"), Some(asserted.clone()), &[]).await;
        assert_eq!(dana.roles, asserted);
        plan(
            apply(
                &world,
                &ctx,
                "people: [{ email: dana@initech.example, roles: [lead] }]",
                false,
            )
            .await,
        );
        assert_eq!(
            roles(&world, &ctx, &dana).await,
            asserted,
            "a catalog does not change them"
        );
    }
    let dana = sign_in(&world, "dana", address("dana"), None, &[]).await;
    assert_eq!(dana.roles, [Role::Lead]);
    plan(
        apply(
            &world,
            &ctx,
            "people: [{ email: dana@initech.example, roles: [auditor, lead] }]",
            false,
        )
        .await,
    );
    assert_eq!(roles(&world, &ctx, &dana).await, [Role::Auditor, Role::Lead], "at once");
}

#[tokio::test]
async fn the_last_operator_stays() {
    let world = World::new().await;
    let ctx = initech(&world).await;
    plan(apply(&world, &ctx, COMPANY, false).await);
    let olga = sign_in(&world, "olga", address("olga"), None, &[]).await;
    assert_eq!(olga.roles, [Role::Operator]);
    let before = world.dump().await;
    let other = "people: [{ email: olga@initech.example, roles: [auditor] }, { email: new@initech.example, roles: [operator] }]";
    for (text, prune) in [(other, false), ("teams: [{ key: payments }]", true)] {
        let found = problems(apply(&world, &ctx, text, prune).await).to_string();
        assert!(
            found.contains("nobody who has signed in would be an operator"),
            "{found}"
        );
    }
    assert_eq!(world.dump().await, before);
    plan(
        apply(
            &world,
            &ctx,
            "people: [{ email: new@initech.example, roles: [operator] }]",
            false,
        )
        .await,
    );
    sign_in(&world, "new", address("new"), None, &[]).await;
    plan(apply(&world, &ctx, other, false).await);
    assert_eq!(roles(&world, &ctx, &olga).await, [Role::Auditor]);
}

/// The records of the world's own tenant, as a catalog.
const ACME: &str = "
teams: [{ key: checkout, name: Checkout }]
applications: [{ key: shop, name: Shop, team: checkout }]
releases:
  - { key: SHOP-1, name: Shop SHOP-1, status: in_progress, teams: [checkout], applications: [shop] }
  - { key: SHOP-2, name: Shop SHOP-2, status: in_progress, teams: [checkout], applications: [] }
";

#[tokio::test]
async fn retired_records_are_not_chosen_and_their_actions_can_end() {
    let world = World::new().await;
    let ctx = console(&world, "acme");
    let same = plan(apply(&world, &ctx, ACME, true).await);
    assert_eq!(steps(&same), [""; 0]);
    let (id, digest) = world.proposed("before").await;
    let without = ACME.replace(
        "  - { key: SHOP-1, name: Shop SHOP-1, status: in_progress, teams: [checkout], applications: [shop] }\n",
        "",
    );
    assert_eq!(
        steps(&plan(apply(&world, &ctx, &without, true).await)),
        ["Retire release SHOP-1"]
    );
    let listed = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_list_releases", json!({}))
        .await
        .expect("a list")
        .structured;
    let keys: Vec<&str> = listed["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|one| one["key"].as_str())
        .collect();
    assert_eq!(keys, ["SHOP-2"]);
    let without_shop = without.replace("applications: [{ key: shop, name: Shop, team: checkout }]\n", "");
    assert_eq!(
        steps(&plan(apply(&world, &ctx, &without_shop, true).await)),
        ["Retire application shop"]
    );
    assert_eq!(
        steps(&plan(apply(&world, &ctx, &without, true).await)),
        ["Restore application shop"]
    );
    let refused = world
        .propose(world.package("after"))
        .await
        .expect_err("refused")
        .to_string();
    assert!(refused.contains("/releaseId: SHOP-1 is retired"), "{refused}");
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("executed");
    assert_eq!(
        steps(&plan(apply(&world, &ctx, ACME, true).await)),
        ["Restore release SHOP-1"]
    );
    world.propose(world.package("again")).await.expect("a proposal");
}

#[tokio::test]
async fn open_actions_see_that_a_record_changed_and_failing_controls_become_blockers() {
    let world = World::new().await;
    let ctx = console(&world, "acme");
    // The request changes the certification, which the catalog renames.
    let request = json!({
        "idempotencyKey": "k", "reason": "r", "certificationId": world.acme.certification, "statement": "All blockers are resolved.",
    });
    let proposed = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_request_certification", request)
        .await;
    let id = crate::world::text(&proposed.expect("a proposal").structured, "actionId");
    let blockers = world.count("blockers").await;
    let text = "releases:
  - key: SHOP-1
    certifications: [{ key: SOC2-1, name: SOC 2 Type II }]
    controls: [{ key: ac-3, status: passing }, { key: AC-9, status: failing }]
";
    plan(apply(&world, &ctx, text, false).await);
    assert_eq!(world.count("blockers").await, blockers + 1);
    let rows = world.dump().await;
    let changed = rows
        .iter()
        .find(|row| row.starts_with("actions|") && row.contains(&id))
        .expect("the action");
    assert!(!changed.contains("targets_changed_at=NULL"), "{changed}");
}

#[tokio::test]
async fn an_operator_applies_what_a_preview_has_shown_and_gives_no_roles_in_the_browser() {
    let world = World::new().await;
    let operator = world.person("operator");
    let team = files("teams: [{ key: platform, members: [lead@acme.example] }]");
    let digest = match world
        .engine
        .preview_catalog(&operator, &team, false)
        .await
        .expect("a preview")
    {
        CatalogOutcome::Report(report) => report.digest,
        CatalogOutcome::Wrong(problems) => panic!("{problems}"),
    };
    let other = files("teams: [{ key: platform, members: [developer@acme.example] }]");
    let differs = world
        .engine
        .apply_catalog(&operator, &other, false, Some(&digest))
        .await;
    assert!(matches!(differs, Err(Error::DigestMismatch)));
    plan(world.engine.apply_catalog(&operator, &team, false, Some(&digest)).await);
    let lead = world.acme.person("lead");
    assert_eq!(teams(&world, &operator, &lead).await, ["platform"]);
    let refused = world
        .engine
        .apply_catalog(
            &operator,
            &files("people: [{ email: operator@acme.example, roles: [lead] }]"),
            false,
            None,
        )
        .await;
    assert!(
        refused
            .expect_err("refused")
            .to_string()
            .contains("Nobody gives roles alone in the browser")
    );
    // Roles that only the console can declare stay when an operator prunes in the browser.
    let console = console(&world, "acme");
    plan(
        apply(
            &world,
            &console,
            "people: [{ email: kim@acme.example, roles: [auditor] }]",
            false,
        )
        .await,
    );
    let pruned = plan(world.engine.preview_catalog(&operator, &team, true).await);
    assert!(pruned.with(Effect::Retire).count() > 0, "{pruned:?}");
    assert!(!steps(&pruned).iter().any(|step| step.contains("kim@")), "{pruned:?}");
    let gone = plan(apply(&world, &console, "teams: [{ key: platform }]", true).await);
    assert!(steps(&gone).iter().any(|step| step.contains("kim@")), "{gone:?}");
    let nothing = problems(apply(&world, &console, "teams: []", true).await).to_string();
    assert!(nothing.contains("the files declare nothing"), "{nothing}");
    for who in ["reviewer", "auditor", "lead"] {
        let denied = world.engine.preview_catalog(&world.person(who), &team, false).await;
        assert!(matches!(denied, Err(Error::NotAuthorized { .. })), "{who}");
    }
}

#[tokio::test]
async fn a_catalog_stays_in_its_tenant() {
    let world = World::new().await;
    let ctx = console(&world, "acme");
    let of_globex = async || {
        let mut rows = rows(&world).await;
        rows.retain(|row| row.contains("tenant=globex"));
        rows
    };
    let before = of_globex().await;
    plan(
        apply(
            &world,
            &ctx,
            "teams: [{ key: checkout, name: Other, members: [lead@globex.example] }]",
            true,
        )
        .await,
    );
    assert_eq!(of_globex().await, before);
}

#[tokio::test]
async fn a_tenant_is_created_once_with_a_usable_key_and_name() {
    let world = World::new().await;
    assert!(world.engine.create_tenant("initech", "Initech").await.expect("new"));
    assert!(!world.engine.create_tenant("initech", " Initech ").await.expect("known"));
    for (key, name, says) in [
        ("initech", "Other", "the tenant exists, with the name \"Initech\""),
        ("Initech", "Initech", "cannot be the key of a tenant"),
        ("a\u{202E}b", "Initech", "⟦U+202E⟧"),
        ("umbrella", " ", "a name has 1 to 200 characters"),
        ("umbrella", "Um\u{202E}brella", "U+202E"),
        ("umbrella", "Um\nbrella", "in one line"),
    ] {
        let refused = world
            .engine
            .create_tenant(key, name)
            .await
            .expect_err("refused")
            .to_string();
        assert!(refused.contains(says), "{key:?} {name:?}: {refused}");
    }
    let (person, _) = signs_in(
        &world,
        "https://idp.example",
        "lead",
        Email::verified("lead@acme.example"),
        &[Role::Lead],
    )
    .await;
    assert_eq!(person.roles, [Role::Lead], "other tenants are as before");
}
