//! Limits of the policy on the pending actions of a caller and of a client.

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::{Client, Principal, ReasonCode, Timestamp};
use loopiq::engine::Error;
use serde_json::{Value, json};

fn arguments(world: &World, key: &str, title: usize) -> Value {
    json!({
        "idempotencyKey": key, "reason": format!("Evidence {} asks for it.", world.acme.evidence),
        "releaseId": world.acme.release, "teamId": world.acme.team, "kind": "story", "title": loopiq_testing::unlike(title),
        "description": "d", "priority": "low", "evidenceIds": [world.acme.evidence],
    })
}

async fn propose(world: &World, ctx: &Ctx, arguments: Value) -> Result<Value, Error> {
    let answer = world
        .engine
        .call_tool(ctx, "loopiq_create_work_item", arguments)
        .await?;
    Ok(answer.structured)
}

fn too_many(outcome: Result<Value, Error>) -> String {
    match outcome {
        Err(
            error @ Error::Refused {
                code: ReasonCode::TooManyPending,
                ..
            },
        ) => {
            assert_eq!(error.code(), "too_many_pending");
            error.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_caller_has_a_limit_and_is_told_what_to_do() {
    let world = World::new().await;
    world.policy("[limits]\npending_per_caller = 3").await;
    let agent = world.client("developer");
    let mut ids = Vec::new();
    for n in 0..3 {
        let answer = propose(&world, &agent, arguments(&world, &format!("k{n}"), n))
            .await
            .expect("a proposal");
        ids.push(text(&answer, "actionId"));
    }
    let before = world.count("actions").await;
    let why = too_many(propose(&world, &agent, arguments(&world, "k3", 3)).await);
    for part in [
        "Nothing was stored: 3 actions of the person you act for wait",
        "limits.pending_per_caller",
        "loopiq_withdraw_action",
    ] {
        assert!(why.contains(part), "{part} in {why}");
    }
    assert_eq!(world.count("actions").await, before);
    // A repeat counts too. A used key still returns its action, and a dry run still works.
    too_many(propose(&world, &agent, arguments(&world, "again", 0)).await);
    let known = propose(&world, &agent, arguments(&world, "k0", 0))
        .await
        .expect("the original");
    assert_eq!(text(&known, "actionId"), ids[0]);
    let mut dry = arguments(&world, "k3", 3);
    dry["dryRun"] = json!(true);
    assert!(propose(&world, &agent, dry).await.is_ok());
    // A revision closes an action, so the number of pending actions stays the same.
    let mut revision = arguments(&world, "revised", 5);
    revision["supersedesActionId"] = json!(ids[0]);
    propose(&world, &agent, revision).await.expect("a revision");
    // The limit does not apply to another caller.
    propose(&world, &world.client("lead"), arguments(&world, "lead", 7))
        .await
        .expect("theirs");
    // After a withdrawal or an expiry the caller can propose again.
    let withdraw = json!({ "actionId": ids[1], "reason": "Not needed." });
    world
        .engine
        .call_tool(&agent, "loopiq_withdraw_action", withdraw)
        .await
        .expect("withdrawn");
    propose(&world, &agent, arguments(&world, "k3", 3)).await.expect("room");
    too_many(propose(&world, &agent, arguments(&world, "k4", 4)).await);
    world.advance_clock(73 * Timestamp::HOUR);
    propose(&world, &agent, arguments(&world, "k4", 4))
        .await
        .expect("the others have expired");
}

#[tokio::test]
async fn a_client_has_a_limit_over_all_its_callers() {
    let world = World::new().await;
    world.policy("[limits]\npending_per_client = 3").await;
    for (n, who) in ["developer", "lead", "reviewer"].into_iter().enumerate() {
        propose(&world, &world.client(who), arguments(&world, who, n))
            .await
            .expect("a proposal");
    }
    let why = too_many(propose(&world, &world.client("developer"), arguments(&world, "more", 4)).await);
    assert!(
        why.contains("3 actions of this client wait") && why.contains("limits.pending_per_client"),
        "{why}"
    );
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let other = world.engine.store().write::<_, Error, _>(&ctx, |tx| {
        Box::pin(async move { Ok(tx.ensure_named_client("Otto").await?) })
    });
    let other: Client = other.await.expect("a client");
    let principal = Principal::Client {
        tenant: world.acme.tenant.clone(),
        caller: world.acme.person("developer"),
        client: other,
        scopes: loopiq::domain::Scopes::of_agents(),
    };
    let otto = Ctx::new(principal, world.engine.runtime());
    propose(&world, &otto, arguments(&world, "otto", 5))
        .await
        .expect("another client");
    // A reviewer can prune an action although the limit for agents is reached.
    world
        .policy("[limits]\npending_per_client = 4\npending_per_caller = 1")
        .await;
    world.advance_clock(73 * Timestamp::HOUR);
    let (id, digest) = world.proposed("package").await;
    let pruned = world
        .engine
        .prune(&world.person("reviewer"), &id, &digest, &["one".to_owned()], "less", "")
        .await;
    assert!(pruned.expect("pruned").done);
}

#[tokio::test]
async fn concurrent_proposals_do_not_exceed_the_limit() {
    let world = World::new().await;
    world.policy("[limits]\npending_per_caller = 5").await;
    let agent = world.client("developer");
    let all = (0..20).map(|n| propose(&world, &agent, arguments(&world, &format!("k{n}"), n)));
    let stored = futures::future::join_all(all)
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count();
    assert_eq!(stored, 5);
    assert_eq!(world.count("actions").await, 5);
}
