//! Catalogs: what they create, change and retire, whose roles and teams follow from them, and what refuses them.

mod access;
mod people;
mod records;

use crate::identity::signs_in;
use crate::world::World;
use loopiq::catalog::{Effect, Plan, Problems, SourceFile};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{CatalogOutcome, Error, RequestOrigin, SeenPreview};
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
