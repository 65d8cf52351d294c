//! What catalogs mean for proposals and open actions.

use super::*;

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
