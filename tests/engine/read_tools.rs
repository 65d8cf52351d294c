use crate::world::{World, text};
use loopiq::engine::Visit;
use serde_json::{Value, json};

async fn call(world: &World, name: &str, arguments: Value) -> Value {
    let ctx = world.client("developer");
    world
        .engine
        .call_tool(&ctx, name, arguments)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .structured
}

#[tokio::test]
async fn every_read_tool_answers_with_the_tenants_own_records() {
    let world = World::new().await;
    let release = json!({ "releaseId": world.acme.release });
    let context = call(&world, "loopiq_get_context", json!({})).await;
    assert_eq!(context["tenant"]["id"], "acme");
    assert_eq!(context["teams"][0]["key"], "checkout");
    assert_eq!(
        call(&world, "loopiq_list_releases", json!({})).await["items"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        call(&world, "loopiq_get_release", release.clone()).await["key"],
        "SHOP-1"
    );
    let certification = call(&world, "loopiq_get_release_certification", release.clone()).await;
    assert_eq!(
        certification["openBlockers"], 2,
        "a critical finding and a failing control"
    );
    let graph = call(
        &world,
        "loopiq_get_release_certification_evidence_graph",
        release.clone(),
    )
    .await;
    assert!(
        graph["edges"]
            .as_array()
            .is_some_and(|edges| edges.iter().any(|edge| edge["kind"] == "shows"))
    );
    let findings = call(
        &world,
        "loopiq_list_findings",
        json!({ "releaseId": world.acme.release, "severity": "critical" }),
    )
    .await;
    assert_eq!(findings["items"][0]["location"], "routes/login.ts");
    assert_eq!(findings["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        call(&world, "loopiq_search_evidence", release.clone()).await["items"][0]["provider"],
        "probe"
    );
    assert_eq!(
        call(&world, "loopiq_list_controls", release.clone()).await["items"][0]["status"],
        "failing"
    );
    assert_eq!(
        call(&world, "loopiq_list_work_items", release).await["items"][0]["key"],
        "WI-1"
    );
    let item = call(
        &world,
        "loopiq_get_work_item",
        json!({ "workItemId": world.acme.story }),
    )
    .await;
    assert_eq!(item["version"], 1);
    let similar = call(
        &world,
        "loopiq_find_similar_work_items",
        json!({ "title": "Harden login of the shop" }),
    )
    .await;
    assert_eq!(similar["items"][0]["key"], "WI-1");
    assert_eq!(call(&world, "loopiq_list_actions", json!({})).await["items"], json!([]));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new().await;
    let first = call(&world, "loopiq_list_releases", json!({ "limit": 1 })).await;
    let cursor = text(&first, "nextCursor");
    let second = call(&world, "loopiq_list_releases", json!({ "limit": 1, "cursor": cursor })).await;
    assert_ne!(first["items"], second["items"]);
    let wrong = world
        .engine
        .call_tool(
            &world.client("developer"),
            "loopiq_list_work_items",
            json!({ "cursor": "x" }),
        )
        .await;
    assert!(wrong.is_err());
    let wrong = world
        .engine
        .call_tool(
            &world.client("developer"),
            "loopiq_list_releases",
            json!({ "limit": 0 }),
        )
        .await;
    assert!(wrong.is_err());
}

#[tokio::test]
async fn cited_records_that_were_not_read_are_named() {
    let world = World::new().await;
    let mut ctx = world.client("developer");
    ctx.trace_given = true;
    let listing = json!({ "releaseId": world.acme.release });
    for tool in ["loopiq_list_releases", "loopiq_list_blockers", "loopiq_list_findings"] {
        let arguments = if tool == "loopiq_list_releases" {
            json!({})
        } else {
            listing.clone()
        };
        world.engine.call_tool(&ctx, tool, arguments).await.expect("a read");
    }
    let tool = "loopiq_create_remediation_work_package";
    let answer = world
        .engine
        .call_tool(&ctx, tool, world.package("k1"))
        .await
        .expect("a proposal")
        .structured;
    let view = world
        .engine
        .action_page(&world.person("reviewer"), &text(&answer, "actionId"), Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(
        view.call_chain,
        ["loopiq_list_releases", "loopiq_list_blockers", "loopiq_list_findings"]
    );
    let unread: Vec<&str> = view.claim.unread.iter().map(|named| named.id.as_str()).collect();
    assert_eq!(
        unread,
        [world.acme.certification.as_str()],
        "cited and never read (the control came with its blocker)"
    );
    assert_eq!(view.claim.reads[2].records[0].key, Some("FND-1".into()));
}

#[tokio::test]
async fn a_text_finds_releases_and_controls_by_key() {
    let world = World::new().await;
    for (tool, key) in [("loopiq_list_releases", "shop-2"), ("loopiq_list_controls", "ac-3")] {
        let listed = world
            .engine
            .call_tool(&world.client("developer"), tool, json!({ "text": key }))
            .await;
        let items = listed.expect("a list").structured["items"].clone();
        let keys: Vec<&str> = items
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["key"].as_str())
            .collect();
        assert!(
            !keys.is_empty() && keys.iter().all(|found| found.to_lowercase().contains(key)),
            "{tool}: {keys:?}"
        );
    }
}
