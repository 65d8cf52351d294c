//! Both databases return text unchanged, and sort it by bytes.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::Error;
use loopiq::store::ListFilter;
use serde_json::json;

const HARD: [&str; 7] = [
    "quotes ' \" and \\ backslashes \\u0041",
    "\u{1F512} emoji, \u{00E9} and e\u{0301}",
    "a line\nand a tab\t",
    "{\"json\": [1, null]}",
    "%_ $1 ?1 :name -- /* */ ;",
    "\u{10FFFD} the last plane",
    "",
];

#[tokio::test]
async fn text_comes_back_as_it_was() {
    let world = World::new().await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let (release, team) = (world.acme.release.clone(), world.acme.team.clone());
    let wanted: Vec<(WorkItemId, String)> = HARD
        .iter()
        .map(|text| (world.engine.runtime().id(), (*text).to_owned()))
        .chain([(world.engine.runtime().id(), "x".repeat(300_000))])
        .collect();
    let kept = wanted.clone();
    world
        .engine
        .store()
        .write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                for (id, text) in &kept {
                    let mut item = WorkItem::new(id, &release, &team, "A title");
                    item.description = text.clone();
                    item.acceptance_criteria = vec![text.clone(), "two".into()];
                    item.estimate = Some(text.clone());
                    tx.insert_work_item(&item).await?;
                }
                Ok(())
            })
        })
        .await
        .expect("kept");
    let ids: Vec<String> = wanted.iter().map(|(id, _)| id.to_string()).collect();
    let facts = world.engine.store().read_long::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            let facts = tx.facts(&FactsQuery::default().with(&ids)).await?;
            let names: Vec<&str> = ids.iter().map(String::as_str).collect();
            for item in tx.work_items(&names).await? {
                assert_eq!(facts.work_item(&item.id), Some(&item), "as a row and as JSON");
            }
            Ok(facts)
        })
    });
    let facts = facts.await.expect("facts");
    for (id, text) in wanted {
        let item = facts.work_item(&id).expect("the item");
        assert_eq!(item.description, text);
        assert_eq!(item.acceptance_criteria, [text.clone(), "two".into()]);
        assert_eq!(item.estimate.as_ref(), Some(&text));
    }
}

#[tokio::test]
async fn a_null_character_is_refused_or_finds_nothing_and_breaks_nothing() {
    let world = World::new().await;
    let agent = world.client("developer");
    let hostile = "a\u{0}b";
    let mut calls = vec![
        ("loopiq_list_releases", json!({ "text": hostile })),
        ("loopiq_list_findings", json!({ "text": hostile, "cursor": hostile })),
        ("loopiq_find_similar_work_items", json!({ "title": hostile })),
        ("loopiq_get_action", json!({ "actionId": hostile })),
    ];
    let mut package = world.package(hostile);
    calls.push(("loopiq_create_remediation_work_package", package.clone()));
    package["idempotencyKey"] = json!("k");
    for field in ["application", "reason", "workflow"] {
        let mut package = package.clone();
        package[field] = json!(hostile);
        calls.push(("loopiq_create_remediation_work_package", package));
    }
    for (tool, arguments) in calls {
        let answer = world.engine.call_tool(&agent, tool, arguments.clone()).await;
        assert!(
            !matches!(answer, Err(Error::Internal { .. } | Error::Unavailable { .. })),
            "{tool} {arguments}: {answer:?}"
        );
    }
    let page = world.engine.search_audit(&world.person("auditor"), hostile, "").await;
    assert!(!matches!(page, Err(Error::Internal { .. })), "{page:?}");
    let query = loopiq::views::InboxQuery {
        text: hostile.into(),
        team: hostile.into(),
        ..Default::default()
    };
    let page = world.engine.inbox(&world.person("reviewer"), &query).await;
    assert!(!matches!(page, Err(Error::Internal { .. })), "{page:?}");
    assert_eq!(world.count("actions").await, 0);
}

#[tokio::test]
async fn keys_sort_by_bytes_and_pages_follow_them() {
    let world = World::new().await;
    let ctx = Ctx::system(world.globex.tenant.clone(), world.engine.runtime());
    let team = world.globex.team.clone();
    let mut keys = ["a-1", "A-2", "B", "_x", "Z", "b", "é", "z", "\u{1F512}", "~"];
    let ids: Vec<ReleaseId> = keys.iter().map(|_| world.engine.runtime().id()).collect();
    world
        .engine
        .store()
        .write::<_, Error, _>(&ctx, move |tx| {
            Box::pin(async move {
                for (id, key) in ids.into_iter().zip(keys) {
                    let release = Release {
                        id,
                        key: key.into(),
                        name: "sorted".into(),
                        status: ReleaseStatus::Planned,
                        severity_threshold: Severity::High,
                        commit: None,
                        version: 1,
                    };
                    tx.insert_release(&release, &[&team]).await?;
                }
                Ok(())
            })
        })
        .await
        .expect("kept");
    keys.sort_unstable();
    let mut filter = ListFilter {
        text: Some("sorted".into()),
        limit: 3,
        ..ListFilter::default()
    };
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = {
            let filter = filter.clone();
            let read = world.engine.store().read_long::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move { Ok(tx.list_releases(&filter).await?) })
            });
            read.await.expect("a page")
        };
        let Some(last) = page.last() else { break };
        filter.after = Some(last.key.clone());
        seen.extend(page.into_iter().map(|release| release.key));
    }
    assert_eq!(seen, keys);
}
