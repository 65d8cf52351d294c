//! Service tokens: who creates which, who is shown the secret, and what the log says.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Authentication, Error, ServiceToken, ServiceTokenRequest};
use loopiq::views::GrantState;
use serde_json::json;

const MCP: &str = "http://127.0.0.1:3000/mcp";

fn request(scopes: &str, person: &str) -> ServiceTokenRequest {
    ServiceTokenRequest {
        name: "Nightly import".to_owned(),
        scopes: Scopes::parse(scopes).0,
        person: person.to_owned(),
        days: 30,
        audience: MCP.to_owned(),
    }
}

async fn create(world: &World, ctx: &Ctx, scopes: &str, person: &str) -> Result<ServiceToken, Error> {
    world.engine.create_service_token(ctx, request(scopes, person)).await
}

async fn principal(world: &World, secret: &str) -> Option<Principal> {
    match world.engine.authenticate(secret, MCP).await.expect("a look") {
        Authentication::Accepted(principal, _) => Some(*principal),
        Authentication::Refused(_) => None,
    }
}

fn says(outcome: Result<ServiceToken, Error>) -> String {
    outcome.expect_err("refused").to_string()
}

#[tokio::test]
async fn an_operator_creates_a_token_of_the_tenant_and_sees_its_secret_once() {
    let world = World::new().await;
    let operator = world.person("operator");
    let created = create(&world, &operator, "loopiq:import loopiq:audit", "")
        .await
        .expect("created");
    let secret = created.token.clone().expect("the secret");
    assert!(secret.starts_with("loopiq_") && secret.len() > 64, "{secret}");
    let Some(Principal::Program { client, scopes, .. }) = principal(&world, &secret).await else {
        panic!("not a program")
    };
    assert_eq!(
        (client.name.as_str(), scopes.to_string().as_str()),
        ("Nightly import", "loopiq:import loopiq:audit")
    );
    let issued = world.entries("token.issued").await.pop().expect("an entry");
    assert_eq!(issued["actor"]["email"], "operator@acme.example");
    assert_eq!(issued["details"]["grantId"], json!(created.id));
    let dump = world.dump().await.concat();
    assert!(!dump.contains(&secret), "only a digest is stored");

    let page = world.engine.clients_page(&operator).await.expect("a page");
    let others = page.others.expect("those of the tenant");
    let shown: Vec<(&str, GrantState)> = others.iter().map(|one| (one.id.as_str(), one.state)).collect();
    assert_eq!(shown, [(created.id.as_str(), GrantState::Active)]);
    assert!(page.mine.is_empty() && others[0].used.is_some());
    assert_eq!(others[0].created_by.as_str(), "operator of acme");

    world.advance_clock(30 * Timestamp::DAY);
    assert_eq!(principal(&world, &secret).await, None, "it has ended");
    let page = world.engine.clients_page(&operator).await.expect("a page");
    assert_eq!(page.others.expect("those of the tenant")[0].state, GrantState::Ended);
    world.advance_clock(31 * Timestamp::DAY);
    let page = world.engine.clients_page(&operator).await.expect("a page");
    assert_eq!(page.others.expect("those of the tenant"), []);
}

/// An operator who held the secret could propose in the name of the person, and approve it as a reviewer.
#[tokio::test]
async fn a_token_that_acts_for_another_person_is_only_offered_and_its_secret_is_for_that_person() {
    let world = World::new().await;
    let (operator, developer) = (world.person("operator"), world.person("developer"));
    let offered = create(
        &world,
        &operator,
        "loopiq:read loopiq:propose",
        "developer@acme.example",
    )
    .await
    .expect("offered");
    assert_eq!(offered.token, None, "the operator gets no secret");
    assert_eq!(
        offered.waits_for.as_ref().map(|name| name.as_str()),
        Some("developer of acme")
    );
    assert_eq!(world.count("tokens").await, 0);
    let id = offered.id.as_str();
    for other in [
        &operator,
        &world.person("lead"),
        &world.person_of(&world.globex, "developer"),
    ] {
        let refused = world.engine.accept_service_token(other, id, MCP).await;
        assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    }
    let page = world.engine.clients_page(&developer).await.expect("a page");
    assert_eq!(
        (page.mine[0].state, page.mine[0].may_accept, page.others),
        (GrantState::Offered, true, None)
    );

    let accepted = world
        .engine
        .accept_service_token(&developer, id, MCP)
        .await
        .expect("accepted");
    let secret = accepted.token.expect("the secret");
    let Some(Principal::Client { caller, scopes, .. }) = principal(&world, &secret).await else {
        panic!("not a client")
    };
    assert_eq!(
        (caller.id, scopes),
        (world.acme.person("developer").id, Scopes::of_agents())
    );
    let again = says(world.engine.accept_service_token(&developer, id, MCP).await);
    assert!(again.contains("accepted before"), "{again}");

    let offer = world.entries("token.offered").await.pop().expect("an entry");
    assert_eq!(offer["actor"]["email"], "operator@acme.example");
    assert_eq!(offer["details"]["person"]["email"], "developer@acme.example");
    let issued = world.entries("token.issued").await.pop().expect("an entry");
    assert_eq!(issued["actor"]["email"], "developer@acme.example");
    assert_eq!(
        issued["details"]["offeredBy"]["name"], "operator of acme",
        "the entry names both"
    );
    // The person revokes it like any client of their own.
    world.engine.revoke_grant(&developer, id).await.expect("revoked");
    assert_eq!(principal(&world, &secret).await, None);
}

#[tokio::test]
async fn an_offer_that_was_declined_or_has_ended_is_not_accepted() {
    let world = World::new().await;
    let (operator, developer) = (world.person("operator"), world.person("developer"));
    let offer = async || {
        create(&world, &operator, "loopiq:read", "developer@acme.example")
            .await
            .expect("offered")
            .id
    };
    let declined = offer().await;
    world
        .engine
        .revoke_grant(&developer, declined.as_str())
        .await
        .expect("declined");
    let why = says(
        world
            .engine
            .accept_service_token(&developer, declined.as_str(), MCP)
            .await,
    );
    assert!(why.contains("was revoked"), "{why}");
    let (late, in_time) = (offer().await, offer().await);
    world.sign_in_again("developer", Role::Auditor).await;
    let why = says(
        world
            .engine
            .accept_service_token(&developer, in_time.as_str(), MCP)
            .await,
    );
    assert!(
        why.contains("none of the roles that loopiq:read needs: developer, reviewer, lead"),
        "{why}"
    );
    world.sign_in_again("developer", Role::Developer).await;
    world.advance_clock(31 * Timestamp::DAY);
    let why = says(world.engine.accept_service_token(&developer, late.as_str(), MCP).await);
    assert!(why.contains("ended on"), "{why}");
    assert_eq!(world.count("tokens").await, 0);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_reason() {
    let world = World::new().await;
    let operator = world.person("operator");
    let wrong = async |change: &dyn Fn(&mut ServiceTokenRequest)| {
        let mut request = request("loopiq:import", "");
        change(&mut request);
        says(world.engine.create_service_token(&operator, request).await)
    };
    for (name, part) in [
        ("", "a name of 1 to 100"),
        (&"x".repeat(101), "a name of 1 to 100"),
        ("a\u{202E}b", "cannot be seen"),
    ] {
        let why = wrong(&|request| request.name = name.to_owned()).await;
        assert!(why.contains(part), "{name}: {why}");
    }
    for days in [0, -1, 366, i64::MAX] {
        let why = wrong(&|request| request.days = days).await;
        assert!(why.contains("1 to 365 days"), "{days}: {why}");
    }
    for (scopes, person, part) in [
        ("", "", "at least one scope"),
        ("loopiq:read", "", "Name the person"),
        ("loopiq:read loopiq:import", "", "Name the person"),
        ("loopiq:import", "developer@acme.example", "Leave the person out"),
        (
            "loopiq:read loopiq:import",
            "developer@acme.example",
            "only for tokens of the tenant",
        ),
        (
            "loopiq:propose",
            "auditor@acme.example",
            "none of the roles that loopiq:propose needs",
        ),
        (
            "loopiq:propose",
            "absent@acme.example",
            "There is no person absent@acme.example",
        ),
        ("loopiq:propose", "not an address", "There is no person"),
    ] {
        let why = wrong(&|request| {
            request.scopes = Scopes::parse(scopes).0;
            request.person = person.to_owned();
        })
        .await;
        assert!(why.contains(part), "{scopes} {person}: {why}");
    }
    assert_eq!((world.count("grants").await, world.count("tokens").await), (0, 0));
}

#[tokio::test]
async fn only_operators_create_tokens_and_see_those_of_others() {
    let world = World::new().await;
    for role in ["developer", "reviewer", "lead", "auditor"] {
        let ctx = world.person(role);
        let refused = create(&world, &ctx, "loopiq:import", "").await;
        assert!(
            matches!(refused, Err(Error::NotAuthorized { .. })),
            "{role}: {refused:?}"
        );
        let page = world.engine.clients_page(&ctx).await.expect("a page");
        assert_eq!(page.others, None, "{role}");
    }
    // A client acts for no person's administration, whatever its person may do.
    let refused = create(&world, &world.client("operator"), "loopiq:import", "").await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
    let console = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    let created = create(&world, &console, "loopiq:import", "").await.expect("created");
    assert!(created.token.is_some());
    // Roles that the session remembers do not count if they are not those of today.
    let operator = world.person("operator");
    world.sign_in_again("operator", Role::Developer).await;
    let refused = create(&world, &operator, "loopiq:import", "").await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_program_with_a_catalog_token_gives_nobody_a_role() {
    let world = World::new().await;
    let operator = world.person("operator");
    let created = create(&world, &operator, "loopiq:catalog", "").await.expect("created");
    let principal = principal(&world, &created.token.expect("the secret"))
        .await
        .expect("a principal");
    let program = Ctx::new(principal, world.engine.runtime());
    let file = |text: &str| {
        vec![loopiq::catalog::SourceFile {
            name: "catalog.yaml".to_owned(),
            text: text.to_owned(),
        }]
    };
    let team = file("teams:\n  - key: platform\n    name: Platform\n");
    let applied = world.engine.apply_catalog(&program, &team, false, None).await;
    applied.expect("applied");
    let entry = world.entries("catalog.applied").await.pop().expect("an entry");
    assert_eq!(entry["actor"]["kind"], "program");
    let people = file("people:\n  - email: mallory@acme.example\n    roles: [operator]\n");
    let refused = world.engine.apply_catalog(&program, &people, false, None).await;
    let why = refused.expect_err("refused").to_string();
    assert!(why.contains("or with a token"), "{why}");
}

#[tokio::test]
async fn a_tenant_has_a_limited_number_of_tokens() {
    let world = World::new().await;
    let operator = world.person("operator");
    let mut last = None;
    for _ in 0..200 {
        let created = create(&world, &operator, "loopiq:import", "").await;
        last = Some(created.expect("created").id);
    }
    let why = says(create(&world, &operator, "loopiq:import", "").await);
    assert!(why.contains("200 service tokens already"), "{why}");
    let id = last.expect("a token");
    world
        .engine
        .revoke_grant(&operator, id.as_str())
        .await
        .expect("revoked");
    create(&world, &operator, "loopiq:import", "")
        .await
        .expect("after one was revoked");
}

#[tokio::test]
async fn a_name_is_one_line_that_people_can_read() {
    let world = World::new().await;
    let operator = world.person("operator");
    for name in ["", "  ", "a\nb", "a\tb", "a\u{202e}b", &"x".repeat(101)] {
        let wrong = ServiceTokenRequest {
            name: name.to_owned(),
            ..request("loopiq:import", "")
        };
        let refused = world.engine.create_service_token(&operator, wrong).await;
        let says = says(refused);
        assert!(says.contains("name"), "{name:?}: {says}");
    }
}

#[tokio::test]
async fn ending_the_sessions_of_a_person_takes_the_access_of_clients_that_act_for_the_person() {
    let world = World::new().await;
    let (operator, developer) = (world.person("operator"), world.person("developer"));
    let me = world.acme.person("developer");
    let offered = create(&world, &operator, "loopiq:read", me.email.as_str())
        .await
        .expect("offered");
    let accepted = world
        .engine
        .accept_service_token(&developer, offered.id.as_str(), MCP)
        .await;
    let secret = accepted.expect("accepted").token.expect("the secret");
    create(&world, &operator, "loopiq:propose", me.email.as_str())
        .await
        .expect("offered");
    let of_tenant = create(&world, &operator, "loopiq:import", "").await.expect("created");
    let of_tenant = of_tenant.token.expect("the secret");
    let page = world
        .engine
        .person_page(&operator, me.id.as_str())
        .await
        .expect("a page");
    assert_eq!(page.clients, 2);

    // Signing out everywhere ends sessions only: an agent works without its person's browser.
    world.engine.sign_out_everywhere(&developer).await.expect("signed out");
    assert!(principal(&world, &secret).await.is_some());
    let outcome = world
        .engine
        .end_sessions_of(&operator, me.id.as_str())
        .await
        .expect("ended");
    assert_eq!(
        outcome.message.as_str(),
        "There was no session to end. 2 clients that acted for the person have no access any more."
    );
    assert!(principal(&world, &secret).await.is_none());
    assert!(principal(&world, &of_tenant).await.is_some(), "it acts for no person");
    let revoked = world.entries("token.revoked").await;
    assert_eq!(revoked.len(), 2);
    assert_eq!(
        (&revoked[0]["details"]["by"], &revoked[0]["actor"]["id"]),
        (&json!("operator"), &json!(world.acme.person("operator").id))
    );
    let again = world
        .engine
        .end_sessions_of(&operator, me.id.as_str())
        .await
        .expect("ended");
    assert_eq!(again.message.as_str(), "There was no session to end.");
    let page = world
        .engine
        .person_page(&operator, me.id.as_str())
        .await
        .expect("a page");
    assert_eq!(page.clients, 0);
}
