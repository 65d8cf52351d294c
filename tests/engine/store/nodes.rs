//! Several services on one database: each service sees the changes of the others, and no change happens twice.

use crate::world::{World, text};
use loopiq::domain::Timestamp;
use loopiq::engine::{ApprovalRequest, Engine};
use loopiq::store::Store;
use loopiq_testing::on_postgres;
use serde_json::json;

/// A second service on the same database.
async fn second(world: &World) -> Engine {
    let store = Store::open(&world.database.url).await.expect("the database");
    Engine::new(store, world.engine.runtime().clone(), world.engine.public_url())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sweeps_of_two_nodes_expire_each_action_once() {
    let world = World::new().await;
    let other = second(&world).await;
    for n in 0..150 {
        world.proposed(&format!("k{n}")).await;
    }
    world.advance_clock(30 * Timestamp::DAY);
    let (one, two) = tokio::join!(world.engine.sweep(), other.sweep());
    assert_eq!(one.expect("swept") + two.expect("swept"), 150);
    assert_eq!(world.count("audit_entries WHERE event = 'action.expired'").await, 150);
    assert_eq!(other.sweep().await.expect("swept"), 0);
}

#[tokio::test]
async fn a_key_and_a_decision_count_on_every_node() {
    let world = World::new().await;
    let other = second(&world).await;
    let (id, digest) = world.proposed("k").await;
    let call = other
        .call_tool(
            &world.client("developer"),
            "loopiq_create_remediation_work_package",
            world.package("k"),
        )
        .await
        .expect("the original");
    assert_eq!(text(&call.structured, "actionId"), id);
    let reviewer = world.person("reviewer");
    let consent = ApprovalRequest {
        view: world.opened(&reviewer, &id).await,
        ..world.consent(&id, &digest).await
    };
    other.approve(&reviewer, &id, consent).await.expect("approved there");
    assert!(world.execute(&reviewer, &id).await.expect("executed here").done);
    let again = other.execute(&reviewer, &id, "").await.expect("known there");
    assert!(again.message.contains("nothing was done twice"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_execute_at_once_do_it_once() {
    let world = World::new().await;
    let other = second(&world).await;
    let reviewer = world.person("reviewer");
    let before = world.count("work_items").await;
    for n in 0..10 {
        let (id, digest) = world.story(n).await;
        world
            .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
            .await
            .expect("approved");
        let view = world.opened(&reviewer, &id).await;
        let (one, two) = tokio::join!(
            world.engine.execute(&reviewer, &id, &view),
            other.execute(&reviewer, &id, &view)
        );
        let done = [one.expect("an outcome"), two.expect("an outcome")];
        assert!(done.iter().all(|outcome| outcome.done), "{done:?}");
        let ran = done
            .iter()
            .filter(|outcome| outcome.message.starts_with("Executed"))
            .count();
        assert_eq!(ran, 1, "{done:?}");
    }
    assert_eq!(world.count("work_items").await, before + 10);
}

#[tokio::test]
async fn reads_at_one_node_count_at_another() {
    if !on_postgres() {
        eprintln!("skipped: a SQLite installation is one node, which keeps the latest reads in memory");
        return;
    }
    let world = World::new().await;
    let other = second(&world).await;
    let agent = world.client("developer");
    let blockers = json!({ "releaseId": world.acme.release });
    world
        .engine
        .call_tool(&agent, "loopiq_list_blockers", blockers)
        .await
        .expect("read here");
    other
        .call_tool(&agent, "loopiq_create_remediation_work_package", world.package("k"))
        .await
        .expect("proposed there");
    let rows = world.dump().await;
    let action = rows.iter().find(|row| row.starts_with("actions|")).expect("the action");
    let unread = action
        .split("|unread_ids=")
        .nth(1)
        .and_then(|rest| rest.split('|').next())
        .expect("unread");
    assert!(!unread.contains(world.acme.blocker.as_str()), "{unread}");
    assert!(
        unread.contains(world.acme.certification.as_str()),
        "what nobody read stays unread: {unread}"
    );
}
