//! Changes since a person opened the page or approved the action, and similar records side by side.

use crate::world::{World, result, sarif, text};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Error, Visit};
use loopiq::views::InboxQuery;
use serde_json::{Value, json};

async fn story(world: &World, key: &str, title: &str) -> (String, String) {
    let arguments = json!({
        "idempotencyKey": key, "reason": format!("Evidence {} asks for it.", world.acme.evidence), "kind": "story",
        "releaseId": world.acme.release, "teamId": world.acme.team, "title": title, "description": "d", "priority": "low",
        "evidenceIds": [world.acme.evidence],
    });
    proposed(world, "loopiq_create_work_item", arguments).await
}

async fn update(world: &World, key: &str) -> (String, String) {
    let arguments = json!({
        "idempotencyKey": key, "reason": format!("{} is urgent.", world.acme.story), "workItemId": world.acme.story,
        "expectedVersion": 1, "changes": { "priority": "critical", "description": key },
    });
    proposed(world, "loopiq_update_work_item", arguments).await
}

async fn proposed(world: &World, tool: &str, arguments: Value) -> (String, String) {
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    let answer = answer.expect("a proposal").structured;
    (text(&answer, "actionId"), text(&answer, "digest"))
}

async fn run(world: &World, (id, digest): &(String, String)) {
    let lead = world.person("lead");
    world
        .approve_as(&lead, id, digest, &world.marks(id).await)
        .await
        .expect("approved");
    assert!(world.execute(&lead, id).await.expect("an outcome").done);
}

/// Changes the title of the story directly in the database.
async fn touch(world: &World, title: &'static str) {
    let (ctx, story) = (
        Ctx::system(world.acme.tenant.clone(), world.engine.runtime()),
        world.acme.story.clone(),
    );
    let touched = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move { Ok(tx.touch_work_item(&story, title).await?) })
    });
    touched.await.expect("touched");
}

#[tokio::test]
async fn an_outdated_page_cannot_approve() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let second = story(&world, "k1", "Limit the failed attempts at signing in again").await;
    let page = world
        .engine
        .action_page(&reviewer, &second.0, Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(page.since, None);
    let marks: Vec<String> = page.checks.iter().map(Check::mark).collect();
    run(
        &world,
        &story(&world, "k2", "Limit failed attempts at signing in").await,
    )
    .await;

    match world.approve_as(&reviewer, &second.0, &second.1, &marks).await {
        Err(Error::Refused { code, message }) => {
            assert_eq!(code, ReasonCode::Check(CheckId::Duplicates));
            assert!(message.contains("changed since you opened it"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let page = world
        .engine
        .action_page(&reviewer, &second.0, Visit::Opened)
        .await
        .expect("a page");
    let since = page.since.expect("something has changed");
    assert_eq!(since.what, "you opened it");
    assert_eq!(
        since.new.iter().map(|check| check.id).collect::<Vec<_>>(),
        [CheckId::Duplicates]
    );
    // The person has opened the page again, so the page reports no change.
    let page = world
        .engine
        .action_page(&reviewer, &second.0, Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(page.since, None);
    let marks: Vec<String> = page.checks.iter().map(Check::mark).collect();
    world
        .approve_as(&reviewer, &second.0, &second.1, &marks)
        .await
        .expect("approved");
}

#[tokio::test]
async fn a_target_that_changed_is_shown_field_by_field() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let (waiting, approved) = (update(&world, "k1").await, update(&world, "k2").await);
    world
        .engine
        .action_page(&reviewer, &waiting.0, Visit::Opened)
        .await
        .expect("a page");
    world
        .approve_as(&reviewer, &approved.0, &approved.1, &world.marks(&approved.0).await)
        .await
        .expect("approved");
    touch(&world, "Harden the login against guessing").await;
    for (id, what) in [(&waiting.0, "you opened it"), (&approved.0, "it was approved")] {
        let page = world
            .engine
            .action_page(&reviewer, id, Visit::Unrecorded)
            .await
            .expect("a page");
        let since = page.since.expect("something has changed");
        assert_eq!(since.what, what);
        let fields: Vec<_> = since
            .fields
            .iter()
            .map(|(_, field, then, now)| (field.as_str(), then.as_str(), now.as_str()))
            .collect();
        assert_eq!(
            fields,
            [("title", "Harden the login", "Harden the login against guessing")]
        );
    }
    assert!(
        !world
            .execute(&reviewer, &approved.0)
            .await
            .expect("a committed refusal")
            .done
    );
    let page = world
        .engine
        .action_page(&reviewer, &approved.0, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.state, State::Failed);
    assert_eq!(page.since.expect("it says why").fields.len(), 1);
    // A person who has not opened the page before is told of no change.
    let page = world
        .engine
        .action_page(&world.person("reviewer2"), &waiting.0, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.since, None);
}

#[tokio::test]
async fn duplicates_and_stale_evidence_are_shown_side_by_side() {
    let world = World::new().await;
    run(&world, &world.proposed("k1").await).await;
    // A second scan, after the first scan has become too old.
    world.advance_clock(15 * Timestamp::DAY);
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let mut scan: Value =
        serde_json::from_slice(&sarif(json!([result("sql-injection", "routes/login.ts", 34)]))).expect("JSON");
    let collected = ctx.now().plus(-Timestamp::DAY).rfc3339();
    scan["runs"][0]["invocations"] = json!([{ "executionSuccessful": true, "endTimeUtc": collected }]);
    let bytes = scan.to_string().into_bytes();
    world
        .engine
        .import(&ctx, "SHOP-1", "newer.sarif", bytes, None, None)
        .await
        .expect("an import");

    let (id, digest) = world.proposed("k2").await;
    let reviewer = world.person("reviewer");
    let page = world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a page");
    let found = |title: &str| {
        page.comparisons
            .iter()
            .find(|comparison| comparison.title.contains(title))
            .expect("a comparison")
    };
    let stale = found("the newer");
    assert!(
        stale
            .rows
            .iter()
            .any(|(label, left, right)| label == "Collected" && left < right),
        "{stale:?}"
    );
    let duplicate = found("WI-");
    let titles = duplicate
        .rows
        .iter()
        .find(|(label, ..)| label == "Title")
        .expect("titles");
    assert_eq!(titles.1, titles.2, "{duplicate:?}");
    for comparison in &page.comparisons {
        assert!(
            page.checks.iter().any(|check| check.mark() == comparison.mark),
            "{comparison:?}"
        );
    }
    let refused = world.approve_as(&reviewer, &id, &digest, &world.marks(&id).await).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_inbox_filters_by_the_worst_verdict_of_the_latest_view() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let blocked = {
        let mut package = world.package("k1");
        package["children"][0]["title"] = json!("Fix stuff");
        proposed(&world, "loopiq_create_remediation_work_package", package)
            .await
            .0
    };
    let warned = world.proposed("k2").await.0;
    let read = json!({ "releaseId": world.acme.release });
    for tool in ["loopiq_get_release", "loopiq_search_evidence"] {
        world
            .engine
            .call_tool(&world.client("developer"), tool, read.clone())
            .await
            .expect("read");
    }
    let passing = world.story(1).await.0;
    let shown = async |verdict: &str| {
        let query = InboxQuery {
            verdict: verdict.to_owned(),
            ..InboxQuery::default()
        };
        let page = world.engine.inbox(&reviewer, &query).await.expect("a page");
        page.rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(shown("block").await, std::slice::from_ref(&blocked));
    assert_eq!(shown("warn").await, std::slice::from_ref(&warned));
    assert_eq!(shown("pass").await, std::slice::from_ref(&passing));
    assert_eq!(shown("").await.len(), 3);
    // The evidence becomes stale while the action is pending. The reviewer who opens the page sees the verdict, and then the inbox has it too.
    world.advance_clock(11 * Timestamp::DAY);
    let late = world.story(2).await.0;
    world.advance_clock(2 * Timestamp::DAY);
    assert!(!shown("block").await.contains(&late));
    world
        .engine
        .action_page(&reviewer, &late, Visit::Opened)
        .await
        .expect("a page");
    assert!(shown("block").await.contains(&late));
}

#[tokio::test]
async fn a_tenant_can_add_generic_words() {
    let world = World::new().await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for bad in ["", "two words", "a", "x-y", "a\u{202E}b"] {
        let refused = world.engine.change_generic_words(&ctx, &words(&[bad]), &[]).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{bad}");
    }
    for role in ["lead", "auditor"] {
        let refused = world
            .engine
            .change_generic_words(&world.person(role), &words(&["harden"]), &[])
            .await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{role}");
    }
    let verdict = async |key: &str| {
        let mut package = world.package(key);
        package["children"][1]["title"] = json!("Harden");
        let answer = world
            .engine
            .call_tool(
                &world.client("developer"),
                "loopiq_create_remediation_work_package",
                package,
            )
            .await;
        let checks = answer.expect("a proposal").structured["checks"].clone();
        let titles = checks
            .as_array()
            .expect("checks")
            .iter()
            .find(|check| check["id"] == "titles")
            .cloned();
        titles.expect("titles")["verdict"].clone()
    };
    assert_eq!(verdict("k1").await, "pass");
    let added = world
        .engine
        .change_generic_words(&ctx, &words(&["HARDEN", "Harden"]), &[])
        .await
        .expect("added");
    assert_eq!(added, ["harden"]);
    assert_eq!(verdict("k2").await, "block");
    assert_eq!(
        world
            .engine
            .change_generic_words(&ctx, &[], &words(&["harden", "none"]))
            .await
            .expect("removed"),
        [""; 0]
    );
    assert_eq!(verdict("k3").await, "pass");
}

/// The check finds an equal title even if each of its words occurs in more titles than the check reads.
#[tokio::test]
async fn the_same_title_is_found_among_many_that_share_its_words() {
    let world = World::new().await;
    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let (release, team) = (world.acme.release.clone(), world.acme.team.clone());
    let written = world.engine.store().write::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            let runtime = tx.ctx().runtime.clone();
            let mut titles: Vec<String> = (0..300)
                .map(|n| format!("Validate callback cache cookie {}", loopiq_testing::unlike(n)))
                .collect();
            titles.insert(150, "Validate the cookie of the callback cache".to_owned());
            let changes = titles.into_iter().map(|title| {
                let id: WorkItemId = runtime.id();
                let item = WorkItem::new(&id, &release, &team, &title);
                let Ok(Value::Object(fields)) = serde_json::to_value(item) else {
                    panic!("an object")
                };
                Change::Create(Create {
                    kind: RecordKind::WorkItem,
                    id: id.to_string(),
                    client_ref: None,
                    fields,
                })
            });
            Ok(tx.apply(&ChangeSet(changes.collect())).await.map(drop)?)
        })
    });
    written.await.expect("a backlog");
    let (id, _) = story(&world, "k1", "Validate callback cache of the cookie").await;
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    let duplicates: Vec<&Check> = page
        .checks
        .iter()
        .filter(|check| check.id == CheckId::Duplicates)
        .collect();
    assert!(
        duplicates
            .iter()
            .any(|check| check.verdict == Verdict::Block && check.code == CheckCode::SameTitle),
        "{duplicates:?}"
    );
    let (id, _) = story(&world, "k2", "Validate callback cache").await;
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(
        page.checks.iter().all(|check| check.verdict != Verdict::Block),
        "what only shares common words is no duplicate"
    );
}
