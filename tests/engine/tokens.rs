//! Bearer tokens: which are accepted, for whom, and for how long.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Authentication, Error, TokenRefusal};
use loopiq_testing::{TestToken, insert_token};
use serde_json::{Value, json};

const MCP: &str = "http://127.0.0.1:3000/mcp";

async fn token(world: &World, who: Option<&str>, scopes: &str) -> TestToken {
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let person = who.map(|who| world.acme.person(who).id);
    insert_token(&world.engine, &ctx, person, scopes, MCP, 90 * Timestamp::DAY).await
}

async fn authenticate(world: &World, secret: &str) -> Authentication {
    world.engine.authenticate(secret, MCP).await.expect("a look")
}

async fn refusal(world: &World, token: &TestToken) -> Option<TokenRefusal> {
    match authenticate(world, &token.secret).await {
        Authentication::Refused(refusal) => Some(refusal),
        Authentication::Accepted(..) => None,
    }
}

/// The context of a request with this token.
async fn with(world: &World, token: &TestToken) -> Ctx {
    match authenticate(world, &token.secret).await {
        Authentication::Accepted(principal, _) => Ctx::new(*principal, world.engine.runtime()),
        Authentication::Refused(refusal) => panic!("{refusal}"),
    }
}

#[tokio::test]
async fn a_token_carries_its_scopes_and_its_person() {
    let world = World::new().await;
    let agent = token(&world, Some("developer"), "loopiq:read").await;
    let Principal::Client { caller, scopes, .. } = with(&world, &agent).await.principal else {
        panic!("not a client")
    };
    assert_eq!(caller.id, world.acme.person("developer").id);
    assert_eq!(scopes.to_string(), "loopiq:read");
    let import = token(&world, None, "loopiq:import").await;
    let principal = with(&world, &import).await.principal;
    assert!(matches!(&principal, Principal::Program { .. }), "{principal:?}");
    assert_eq!(principal.person(), None);
}

#[tokio::test]
async fn each_reason_to_refuse_a_token_is_told_apart() {
    let world = World::new().await;
    let agent = token(&world, Some("developer"), "loopiq:read").await;
    let short = {
        let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
        insert_token(&world.engine, &ctx, None, "loopiq:audit", MCP, Timestamp::HOUR).await
    };
    let tenants = token(&world, None, "loopiq:import").await;
    assert_eq!(refusal(&world, &agent).await, None);
    let elsewhere = world
        .engine
        .authenticate(&agent.secret, "https://other.example/mcp")
        .await;
    assert_eq!(
        elsewhere.expect("a look"),
        Authentication::Refused(TokenRefusal::WrongAudience)
    );
    let unknown = authenticate(&world, "loopiq_nothing").await;
    assert_eq!(unknown, Authentication::Refused(TokenRefusal::Unknown));
    world.advance_clock(2 * Timestamp::HOUR);
    assert_eq!(refusal(&world, &short).await, Some(TokenRefusal::Expired));

    // The roles of a person end 30 days after the sign-in. A token of the tenant has no person, and ends at its own expiry.
    world.advance_clock(31 * Timestamp::DAY);
    assert_eq!(refusal(&world, &agent).await, Some(TokenRefusal::RolesTooOld));
    assert_eq!(refusal(&world, &tenants).await, None);
    world.sign_in_again("developer", Role::Developer).await;
    assert_eq!(refusal(&world, &agent).await, None, "the sign-in makes it work again");
    let sql = "UPDATE people SET roles = '[]' WHERE email = 'developer@acme.example'";
    sqlx::query(sql)
        .execute(&mut world.database.connect().await)
        .await
        .expect("no roles");
    assert_eq!(refusal(&world, &agent).await, Some(TokenRefusal::NoRole));

    let operator = world.person("operator");
    let id = tenants.grant.as_str();
    assert!(world.engine.revoke_grant(&operator, id).await.expect("revoked").done);
    assert_eq!(refusal(&world, &tenants).await, Some(TokenRefusal::Revoked));
}

#[tokio::test]
async fn the_engine_refuses_what_the_scopes_leave_out_and_names_them() {
    let world = World::new().await;
    let reader = with(&world, &token(&world, Some("developer"), "loopiq:read").await).await;
    let listing = world.engine.call_tool(&reader, "loopiq_list_releases", json!({})).await;
    listing.expect("a list");
    let tool = "loopiq_create_remediation_work_package";
    let refused = world.engine.call_tool(&reader, tool, world.package("k")).await;
    let Err(Error::InsufficientScope { needed, held }) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (needed.to_string(), held.to_string()),
        ("loopiq:propose".to_owned(), "loopiq:read".to_owned())
    );
    assert_eq!(world.count("actions").await, 0);
    let tools = |ctx: Ctx| {
        let engine = world.engine.clone();
        async move {
            let specs = engine.catalogue(&ctx).await.expect("a list");
            (
                specs.iter().any(|spec| spec.read_only),
                specs.iter().any(|spec| !spec.read_only),
            )
        }
    };
    assert_eq!(
        tools(reader.clone()).await,
        (true, false),
        "tools/list has only what the scopes allow"
    );
    let writer = with(&world, &token(&world, Some("developer"), "loopiq:propose").await).await;
    assert_eq!(tools(writer).await, (false, true));
    // A role that does not permit it is no question of scopes.
    let auditor = with(
        &world,
        &token(&world, Some("auditor"), "loopiq:read loopiq:propose").await,
    )
    .await;
    assert_eq!(tools(auditor.clone()).await, (false, false));
    let refused = world.engine.call_tool(&auditor, tool, world.package("k")).await;
    assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{refused:?}");
    let denied = world.entries("access.denied").await;
    let codes: Vec<&Value> = denied.iter().map(|content| &content["details"]["code"]).collect();
    assert_eq!(codes, ["insufficient_scope", "not_authorized"]);
}

#[tokio::test]
async fn a_program_of_the_tenant_imports_and_does_nothing_for_a_person() {
    let world = World::new().await;
    let import = with(&world, &token(&world, None, "loopiq:import").await).await;
    let scan = crate::world::sarif(json!([crate::world::result("sql-injection", "src/a.rs", 3)]));
    world
        .engine
        .import(&import, "SHOP-1", "scan.sarif", scan.clone(), None, None)
        .await
        .expect("imported");
    let imported = world.entries("evidence.imported").await.pop().expect("an entry");
    assert_eq!(imported["actor"]["kind"], "program");
    assert_eq!(imported["actor"]["name"], "Probe");
    assert_eq!(imported["client"]["id"], imported["actor"]["id"]);
    let auditor = with(&world, &token(&world, None, "loopiq:audit").await).await;
    let refused = world
        .engine
        .import(&auditor, "SHOP-1", "scan.sarif", scan, None, None)
        .await;
    assert!(
        matches!(&refused, Err(Error::InsufficientScope { needed, .. }) if needed.to_string() == "loopiq:import"),
        "{refused:?}"
    );
    let tool = "loopiq_create_remediation_work_package";
    let refused = world.engine.call_tool(&import, tool, world.package("k")).await;
    let Err(Error::NotAuthorized { why }) = &refused else {
        panic!("{refused:?}")
    };
    assert!(why.contains("acts for no person"), "{why}");
}

#[tokio::test]
async fn people_revoke_their_own_grants_and_operators_all_of_the_tenant() {
    let world = World::new().await;
    let mine = token(&world, Some("developer"), "loopiq:read").await;
    let leads = token(&world, Some("lead"), "loopiq:read").await;
    let developer = world.person("developer");
    for id in [
        leads.grant.as_str(),
        GrantId::from_bits(99).as_str(),
        "",
        "grt_x",
        "tok_x",
    ] {
        let refused = world.engine.revoke_grant(&developer, id).await;
        let kind = RecordKind::Grant;
        assert!(
            matches!(&refused, Err(Error::NotFound { kind: found, .. }) if *found == kind),
            "{id}: {refused:?}"
        );
    }
    let foreign = world.person_of(&world.globex, "operator");
    assert!(world.engine.revoke_grant(&foreign, mine.grant.as_str()).await.is_err());
    assert_eq!(refusal(&world, &mine).await, None);
    let done = world.engine.revoke_grant(&developer, mine.grant.as_str()).await;
    assert_eq!(done.expect("revoked").message.as_str(), "Probe has no access any more.");
    let again = world
        .engine
        .revoke_grant(&developer, mine.grant.as_str())
        .await
        .expect("an answer");
    assert!(again.message.as_str().contains("revoked before"), "{again:?}");
    world
        .engine
        .revoke_grant(&world.person("operator"), leads.grant.as_str())
        .await
        .expect("revoked");
    let revoked = world.entries("token.revoked").await;
    let by: Vec<&Value> = revoked.iter().map(|content| &content["details"]["by"]).collect();
    assert_eq!(by, ["person", "operator"]);
    assert_eq!(revoked[0]["details"]["grantId"], json!(mine.grant));
    assert_eq!(revoked[1]["details"]["person"]["email"], "lead@acme.example");
    let records = &revoked[1]["records"];
    for id in [leads.grant.to_string(), world.acme.person("lead").id.to_string()] {
        assert!(records.as_array().expect("records").contains(&json!(id)), "{records}");
    }
}

#[tokio::test]
async fn the_last_use_is_stored_at_intervals() {
    let world = World::new().await;
    let agent = token(&world, Some("developer"), "loopiq:read").await;
    let used = async || {
        let sql = "SELECT used_at FROM grants";
        let mut connection = world.database.connect().await;
        sqlx::query_scalar::<_, Option<i64>>(sql)
            .fetch_one(&mut connection)
            .await
            .expect("a grant")
    };
    assert_eq!(used().await, None);
    authenticate(&world, &agent.secret).await;
    let first = used().await.expect("stored");
    authenticate(&world, &agent.secret).await;
    assert_eq!(used().await, Some(first), "not at each request");
    world.advance_clock(6 * Timestamp::MINUTE);
    authenticate(&world, &agent.secret).await;
    assert!(used().await.expect("stored") > first);
}
