//! What audit entries contain: the records that they name, with their keys, and the entries of sign-ins, replays, checks and searches.

use crate::world::{World, text};
use loopiq::domain::Timestamp;
use loopiq::engine::Visit;
use serde_json::{Value, json};

/// The events and contents of all entries of acme, oldest first.
pub(crate) async fn entries(world: &World) -> Vec<(String, Value)> {
    let sql = "SELECT e.event, c.content FROM audit_entries e JOIN audit_contents c ON c.tenant = e.tenant AND c.seq = e.seq \
               WHERE e.tenant = 'acme' ORDER BY e.seq";
    let rows: Vec<(String, String)> = sqlx::query_as(sql)
        .fetch_all(&mut world.database.connect().await)
        .await
        .expect("entries");
    rows.into_iter()
        .map(|(event, content)| (event, serde_json::from_str(&content).expect("JSON")))
        .collect()
}

/// The contents of the entries of one event, oldest first.
async fn of_event(world: &World, event: &str) -> Vec<Value> {
    let all = entries(world).await;
    all.into_iter()
        .filter(|(name, _)| name == event)
        .map(|(_, content)| content)
        .collect()
}

/// The events that a search finds, sorted.
async fn found(world: &World, query: &str) -> Vec<String> {
    let page = world.engine.search_audit(&world.person("auditor"), query, "").await;
    let mut events: Vec<String> = page.expect("a page").rows.into_iter().map(|row| row.event).collect();
    events.sort();
    events.dedup();
    events
}

#[tokio::test]
async fn a_record_is_found_by_its_key_in_every_entry_of_its_story() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("executed");
    let story = ["action.approved", "action.executed", "action.proposed"];
    for key in ["FND-1", "EV-1"] {
        let by_key = found(&world, &format!("record:{key} action:{id}")).await;
        assert_eq!(by_key, story, "{key}");
    }
    for record in [world.acme.finding.as_str(), world.acme.evidence.as_str()] {
        assert_eq!(
            found(&world, &format!("record:{record} action:{id}")).await,
            story,
            "{record}"
        );
    }
    assert_eq!(
        found(&world, "record:EV-1 event:evidence.imported").await,
        ["evidence.imported"]
    );
    // The work items that the execution created come first.
    let executed = of_event(&world, "action.executed").await.remove(0);
    assert_eq!(executed["records"][0], executed["details"]["result"]["parentId"]);
    assert!(
        executed["recordKeys"][0].as_str().expect("a key").starts_with("WI-"),
        "{executed}"
    );

    let update = json!({
        "idempotencyKey": "u1", "reason": "It has a new owner.", "workItemId": executed["records"][0], "expectedVersion": 1,
        "changes": { "owner": "lead@acme.example" },
    });
    let developer = world.client("developer");
    let proposed = world
        .engine
        .call_tool(&developer, "loopiq_update_work_item", update)
        .await;
    let (id, digest) = {
        let proposed = proposed.expect("a proposal").structured;
        (text(&proposed, "actionId"), text(&proposed, "digest"))
    };
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let item = loopiq::domain::WorkItemId::parse(executed["records"][0].as_str().expect("an ID")).expect("an ID");
    let lead = world.person("lead");
    let changed = world
        .engine
        .store()
        .write::<_, loopiq::engine::Error, _>(&lead, move |tx| {
            Box::pin(async move { Ok(tx.touch_work_item(&item, "Another title").await?) })
        });
    changed.await.expect("changed");
    let outcome = world
        .execute(&world.person("reviewer"), &id)
        .await
        .expect("a committed refusal");
    assert!(!outcome.done);
    let key = executed["recordKeys"][0].as_str().expect("a key");
    assert_eq!(
        found(&world, &format!("record:{key} action:{id}")).await,
        ["action.approved", "action.failed", "action.proposed"]
    );
}

#[tokio::test]
async fn rejections_and_revisions_name_the_records_too() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    let kept = ["one".to_owned()];
    let pruned = world
        .engine
        .prune(&reviewer, &id, &digest, &kept, "Only one.", "")
        .await;
    let revision = pruned.expect("pruned").successor.expect("a revision");
    assert_eq!(
        found(&world, &format!("record:FND-1 action:{revision}")).await,
        ["action.proposed", "action.pruned"]
    );
    let page = world
        .engine
        .action_page(&reviewer, &revision, Visit::Opened)
        .await
        .expect("a page");
    world
        .approve("reviewer", &revision, &page.digest)
        .await
        .expect("approved");
    world
        .engine
        .revoke(&reviewer, &revision, "A mistake.", "")
        .await
        .expect("revoked");
    let (rejected, digest) = world.proposed("k2").await;
    world
        .engine
        .reject(&reviewer, &rejected, &digest, &[], "Not now.", "")
        .await
        .expect("rejected");
    for (event, action) in [("action.revoked", &revision), ("action.rejected", &rejected)] {
        assert_eq!(
            found(&world, &format!("record:FND-1 event:{event} action:{action}")).await,
            [event]
        );
    }
}

#[tokio::test]
async fn a_repeated_proposal_is_recorded_with_growing_gaps() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    let mut helix = world.client("developer");
    helix.claims.request_id = Some("retry-1".to_owned());
    let replay = async || {
        let tool = "loopiq_create_remediation_work_package";
        let again = world.engine.call_tool(&helix, tool, world.package("k1")).await;
        assert_eq!(text(&again.expect("the original").structured, "actionId"), id);
        of_event(&world, "action.replayed").await.len()
    };
    assert_eq!(replay().await, 1);
    assert_eq!(replay().await, 1, "within a minute");
    world.advance_clock(2 * Timestamp::MINUTE);
    assert_eq!(replay().await, 2);
    world.advance_clock(Timestamp::MINUTE);
    assert_eq!(replay().await, 2, "within as much time as had passed before");
    world.advance_clock(2 * Timestamp::MINUTE);
    assert_eq!(replay().await, 3);
    let entry = of_event(&world, "action.replayed").await.remove(0);
    assert_eq!(
        (&entry["clientRequestId"], &entry["idempotencyKey"]),
        (&"retry-1".into(), &"k1".into())
    );
    let proposed = of_event(&world, "action.proposed").await.remove(0);
    assert_eq!(entry["details"]["firstRequestId"], proposed["requestId"]);
    assert_ne!(entry["requestId"], proposed["requestId"]);
    assert_eq!(entry["traceId"], proposed["traceId"]);
}

#[tokio::test]
async fn replays_do_not_keep_an_action_from_running() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.proposed("k1").await;
    let outcome = world.execute(&world.person("reviewer"), &id).await.expect("executed");
    assert!(outcome.done, "{outcome:?}");
    world.advance_clock(Timestamp::DAY);
    world.proposed("k1").await;
    let states: Vec<Value> = of_event(&world, "action.replayed")
        .await
        .into_iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["approved", "executed"]);
}

#[tokio::test]
async fn a_search_is_recorded_once_in_ten_minutes() {
    let world = World::new().await;
    let auditor = world.person("auditor");
    for (q, count) in [
        ("finding", 1),
        (" finding ", 1),
        ("event:action.proposed", 2),
        ("", 2),
        ("nonsense:x", 2),
    ] {
        world.engine.search_audit(&auditor, q, "").await.expect("a page");
        assert_eq!(of_event(&world, "audit.searched").await.len(), count, "{q:?}");
    }
    world
        .engine
        .search_audit(&world.person("lead"), "finding", "")
        .await
        .expect("a page");
    world
        .engine
        .search_audit(&auditor, "finding", "5")
        .await
        .expect("another page");
    world.advance_clock(11 * Timestamp::MINUTE);
    let long = format!("finding {}", "x".repeat(2_000));
    for q in ["finding", &long] {
        world.engine.search_audit(&auditor, q, "").await.expect("a page");
    }
    let searches = of_event(&world, "audit.searched").await;
    let said: Vec<(&str, &str)> = searches
        .iter()
        .map(|one| {
            (
                one["actor"]["name"].as_str().expect("who"),
                one["details"]["query"].as_str().expect("what"),
            )
        })
        .collect();
    assert_eq!(said[0], ("auditor of acme", "finding"));
    assert_eq!(
        said[2..4],
        [("lead of acme", "finding"), ("auditor of acme", "finding")]
    );
    assert!(said.len() == 5 && said[4].1.chars().count() <= 1_000, "{said:?}");
    assert!(searches[0]["details"]["results"].is_u64() && searches[0]["details"]["more"] == false);
    // The entry of a search does not match the searched words.
    assert!(!found(&world, "finding").await.contains(&"audit.searched".to_owned()));
    assert_eq!(
        found(&world, "event:audit.searched person:lead").await,
        ["audit.searched"]
    );
}

/// Gives the finding of acme another status, which changes the result of checks.
async fn finding_status(world: &World, status: &str) {
    let sql = format!(
        "UPDATE findings SET status = '{status}' WHERE tenant = 'acme' AND id = '{}'",
        world.acme.finding
    );
    let mut connection = world.database.connect().await;
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("changed");
}

#[tokio::test]
async fn a_change_of_the_checks_is_recorded_once_when_it_is_found() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (one, two) = (world.person("reviewer"), world.person("reviewer2"));
    let open =
        async |ctx: &loopiq::context::Ctx, visit| world.engine.action_page(ctx, &id, visit).await.expect("a page");
    open(&one, Visit::Opened).await;
    assert!(
        of_event(&world, "checks.changed").await.is_empty(),
        "nothing has changed"
    );

    finding_status(&world, "fixed").await;
    open(&one, Visit::Unrecorded).await;
    assert!(
        of_event(&world, "checks.changed").await.is_empty(),
        "nobody has seen it"
    );
    // The approval is refused, because the page did not show the new problem; the change is recorded.
    let view = world.opened(&one, &id).await;
    let request = loopiq::engine::ApprovalRequest {
        digest: digest.clone(),
        view,
        ..Default::default()
    };
    world
        .engine
        .approve(&one, &id, request)
        .await
        .expect_err("the page is out of date");
    let [entry] = of_event(&world, "checks.changed").await.try_into().expect("one entry");
    assert_eq!(entry["actor"]["kind"], "system");
    assert_ne!(
        entry["details"]["checks"],
        of_event(&world, "action.proposed").await[0]["details"]["checks"]
    );
    let page = open(&two, Visit::Opened).await;
    open(&one, Visit::Opened).await;
    assert_eq!(
        of_event(&world, "checks.changed").await.len(),
        1,
        "it is recorded already"
    );
    assert!(page.timeline.iter().any(|step| step.event == "checks.changed"));

    // Back to what the proposal had: the log has another result last.
    finding_status(&world, "open").await;
    open(&two, Visit::Opened).await;
    assert_eq!(of_event(&world, "checks.changed").await.len(), 2);

    // At the execution.
    world.approve("reviewer", &id, &digest).await.expect("approved");
    finding_status(&world, "fixed").await;
    let outcome = world.execute(&one, &id).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    let last = entries(&world)
        .await
        .into_iter()
        .rev()
        .map(|(event, _)| event)
        .take(2)
        .collect::<Vec<_>>();
    assert_eq!(last, ["action.failed", "checks.changed"]);
}

/// A person who tries the same in a loop cannot fill the log. The next entry counts what was left out.
#[tokio::test]
async fn denials_in_a_loop_are_counted_and_not_all_recorded() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let denied = || async { world.engine.search_audit(&reviewer, "", "").await.expect_err("denied") };
    for _ in 0..230 {
        assert_eq!(denied().await.code(), "not_authorized");
    }
    let count = |who: &str| {
        let query = format!("event:access.denied person:{who}@acme.example");
        let (engine, auditor) = (world.engine.clone(), world.person("auditor"));
        async move {
            let (mut after, mut rows) = (String::new(), Vec::new());
            loop {
                let page = engine.search_audit(&auditor, &query, &after).await.expect("a page");
                rows.extend(page.rows);
                match page.next {
                    Some(next) => after = next,
                    None => return rows,
                }
            }
        }
    };
    assert_eq!(count("reviewer").await.len(), 200);
    // Another person, and later the same person.
    world
        .engine
        .search_audit(&world.person("developer"), "", "")
        .await
        .expect_err("denied");
    assert_eq!(count("developer").await.len(), 1);
    world.advance_clock(10 * Timestamp::MINUTE);
    denied().await;
    let rows = count("reviewer").await;
    assert_eq!(rows.len(), 201);
    let entry = world
        .engine
        .audit_entry(&world.person("auditor"), rows[0].seq)
        .await
        .expect("an entry");
    assert!(entry.content.contains("\"notRecorded\": 30"), "{:?}", entry.content);
}
