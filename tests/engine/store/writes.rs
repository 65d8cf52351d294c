//! Transactions: all or nothing, in sequence for each tenant, and without blocking readers.

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::Error;
use loopiq::store::{ReadCall, StoreError};
use serde_json::json;
use std::time::Duration;
use tokio::sync::oneshot;

fn system(world: &World) -> Ctx {
    Ctx::system(world.acme.tenant.clone(), world.engine.runtime())
}

/// A change set of one work item.
fn create(world: &World, id: &WorkItemId, title: &str) -> Change {
    let item = WorkItem::new(id, &world.acme.release, &world.acme.team, title);
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(item) else {
        panic!("an object")
    };
    Change::Create(Create {
        kind: RecordKind::WorkItem,
        id: id.to_string(),
        client_ref: None,
        fields,
    })
}

#[tokio::test]
async fn a_change_set_is_applied_whole_or_not_at_all_and_the_transaction_goes_on() {
    let world = World::new().await;
    let before = world.count("work_items").await;
    let (one, two): (WorkItemId, WorkItemId) = (world.engine.runtime().id(), world.engine.runtime().id());
    let stale = Change::Update(Update {
        kind: RecordKind::WorkItem,
        id: world.acme.story.to_string(),
        expected_version: 7,
        fields: vec![FieldChange {
            field: "title".into(),
            before: json!("Harden the login"),
            after: json!("Other"),
        }],
    });
    let sets = [
        ChangeSet(vec![create(&world, &one, "Good"), stale]),
        ChangeSet(vec![
            create(&world, &one, "Good"),
            create(&world, &one, "The same ID again"),
        ]),
    ];
    let good = ChangeSet(vec![create(&world, &two, "Kept")]);
    world
        .engine
        .store()
        .write::<_, Error, _>(&system(&world), move |tx| {
            Box::pin(async move {
                for set in &sets {
                    let error = tx.apply(set).await.expect_err("refused");
                    assert!(
                        error.is_constraint() || matches!(error, StoreError::Conflict(_)),
                        "{error}"
                    );
                }
                Ok(tx.apply(&good).await?)
            })
        })
        .await
        .expect("committed");
    assert_eq!(world.count("work_items").await, before + 1);
    let rows = world.dump().await;
    assert!(
        rows.iter()
            .any(|row| row.starts_with("work_item_words|") && row.contains("|word=kept"))
    );
    assert!(!rows.iter().any(|row| row.contains("|word=good")));
}

#[tokio::test]
async fn a_state_changes_only_from_the_revision_it_was_read_in() {
    let world = World::new().await;
    let (id, _) = world.proposed("k").await;
    let id = ActionId::parse(&id).expect("an ID");
    let stale = world
        .engine
        .store()
        .write::<_, Error, _>(&system(&world), move |tx| {
            Box::pin(async move {
                let action = tx.action(&id).await?.expect("the action");
                tx.claim(&action, State::Approved).await?;
                let again = tx.claim(&action, State::Approved).await;
                assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
                let fresh = tx.action(&id).await?.expect("the action");
                assert_eq!(
                    (fresh.state(), fresh.lifecycle.revision),
                    (State::Approved, action.lifecycle.revision + 1)
                );
                let mut other = fresh.clone();
                other.proposal.digest = "sha256:other".into();
                let failed = Stage::Failed(Refusal {
                    at: tx.ctx().now(),
                    codes: vec![ReasonCode::StaleTarget],
                    message: "It does not fit.".to_owned(),
                });
                assert!(tx.close(&other, &failed).await.is_err());
                Ok(tx.close(&fresh, &failed).await?)
            })
        })
        .await;
    stale.expect("committed");
}

#[tokio::test]
async fn counts_match_the_actions() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    for n in 0..6 {
        let (id, digest) = world.proposed(&format!("k{n}")).await;
        match n % 3 {
            0 => drop(
                world
                    .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
                    .await
                    .expect("approved"),
            ),
            1 => drop(
                world
                    .engine
                    .reject(&reviewer, &id, &digest, &[], "no", "")
                    .await
                    .expect("rejected"),
            ),
            _ => {}
        }
    }
    let counted = |state: &str| {
        let state = state.to_owned();
        let world = &world;
        async move {
            let ctx = world.person("reviewer");
            let state = State::parse(&state).expect("a state");
            let read = world.engine.store().read_long::<_, Error, _>(&ctx, |tx| {
                Box::pin(async move { Ok(tx.inbox_frame("nobody", Timestamp(0)).await?) })
            });
            read.await
                .expect("counts")
                .counts
                .get(&state)
                .copied()
                .unwrap_or_default()
        }
    };
    for (state, expected) in [
        ("pending_approval", 2),
        ("approved", 2),
        ("rejected", 2),
        ("executed", 0),
    ] {
        assert_eq!(counted(state).await, expected, "{state}");
    }
    world.advance_clock(400 * Timestamp::DAY);
    world.engine.sweep().await.expect("swept");
    assert_eq!((counted("pending_approval").await, counted("rejected").await), (0, 6));
}

#[tokio::test]
async fn readers_never_wait_for_a_writer() {
    let world = World::new().await;
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let store = world.engine.store().clone();
    let ctx = system(&world);
    let release = world.acme.release.clone();
    let writing = tokio::spawn({
        let (ctx, store) = (ctx.clone(), store.clone());
        async move {
            store
                .write::<_, Error, _>(&ctx, move |tx| {
                    Box::pin(async move {
                        let team = Team {
                            id: tx.ctx().runtime.id(),
                            key: "slow".into(),
                            name: "Slow".into(),
                        };
                        tx.insert_team(&team).await?;
                        begun.send(()).expect("somebody waits");
                        may_go_on.await.expect("told");
                        Ok(())
                    })
                })
                .await
        }
    });
    has_begun.await.expect("begun");
    let reading = store.read_long::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move {
            Ok((
                tx.releases(&[release.as_str()]).await?.len(),
                tx.inbox_frame("", Timestamp(0)).await?.teams.len(),
            ))
        })
    });
    let seen = tokio::time::timeout(Duration::from_secs(5), reading)
        .await
        .expect("no waiting");
    assert_eq!(seen.expect("a read"), (1, 1), "what is not committed is not seen");
    go_on.send(()).expect("the writer waits");
    writing.await.expect("no panic").expect("committed");
}

#[tokio::test]
async fn writes_of_a_tenant_follow_one_another() {
    let world = World::new().await;
    let ctx = system(&world);
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (store, ctx, id) = (world.engine.store().clone(), ctx.clone(), world.acme.story.clone());
        // Each task writes a value that it computes from a value that it has read: without the tenant's lock, some updates would be lost.
        tasks.push(tokio::spawn(async move {
            store
                .write::<_, Error, _>(&ctx, move |tx| {
                    Box::pin(async move {
                        let item = tx.work_items(&[id.as_str()]).await?.remove(0);
                        tokio::task::yield_now().await;
                        Ok(tx.touch_work_item(&id, &format!("{}x", item.title)).await?)
                    })
                })
                .await
        }));
    }
    for task in tasks {
        task.await.expect("no panic").expect("written");
    }
    let id = world.acme.story.clone();
    let item = world.engine.store().read_long::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move { Ok(tx.work_items(&[id.as_str()]).await?.remove(0)) })
    });
    assert_eq!(
        item.await.expect("the story").title,
        format!("Harden the login{}", "x".repeat(16))
    );
}

#[tokio::test]
async fn a_request_that_goes_away_leaves_no_transaction_open() {
    let world = World::new().await;
    let ctx = system(&world);
    let (begun, has_begun) = oneshot::channel();
    let store = world.engine.store().clone();
    let request = tokio::spawn({
        let (ctx, store) = (ctx.clone(), store.clone());
        async move {
            let work = store.write::<_, Error, _>(&ctx, move |tx| {
                Box::pin(async move {
                    let team = Team {
                        id: tx.ctx().runtime.id(),
                        key: "gone".into(),
                        name: "Gone".into(),
                    };
                    tx.insert_team(&team).await?;
                    begun.send(()).expect("somebody waits");
                    tokio::task::yield_now().await;
                    Ok(())
                })
            });
            work.await
        }
    });
    has_begun.await.expect("begun");
    request.abort();
    // The next transaction gets the lock.
    let next = store.write::<_, Error, _>(&ctx, |tx| {
        Box::pin(async move { Ok(tx.inbox_frame("", Timestamp(0)).await?.teams.len()) })
    });
    let teams = tokio::time::timeout(Duration::from_secs(5), next)
        .await
        .expect("a turn")
        .expect("a write");
    assert_eq!(teams, 2, "what had begun was ended, by a commit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_used_by_many_at_once_gives_one_action() {
    let world = std::sync::Arc::new(World::new().await);
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let world = world.clone();
        tasks.push(tokio::spawn(async move { world.proposed("the same").await }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(world.count("actions").await, 1);
}

/// Readiness probes the database only after a fault: refusals are frequent, and the probe is a large write.
#[tokio::test]
async fn a_refusal_is_no_fault_of_the_database() {
    use loopiq::store::WriteError;
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let (id, _) = world.proposed("k1").await;
    let wrong = format!("sha256:{}", "0".repeat(64));
    let refused = world
        .approve_as(&reviewer, &id, &wrong, &[])
        .await
        .expect_err("another digest");
    let conflict = Error::from(StoreError::Conflict("the action"));
    let missing = world
        .execute(&reviewer, "act_nothing")
        .await
        .expect_err("no such action");
    for answer in [refused, conflict, missing] {
        assert!(!answer.is_fault(), "{answer}");
    }
    assert!(!StoreError::Conflict("the action").is_fault());
    assert!(StoreError::Interrupted(String::new()).is_fault());
    assert!(Error::internal("broken").is_fault());
}

/// A write that fails in a group commit rolls back its own rows, and no rows of the other writes in the same transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writes_fail_or_commit_independently() {
    let world = World::new().await;
    let before = world.count("read_journal").await;
    let mut tasks = Vec::new();
    for n in 0..60 {
        let (store, ctx) = (world.engine.store().clone(), system(&world));
        let call = ReadCall {
            client_id: world.acme.client.id.to_string(),
            caller_id: world.acme.person("developer").id.to_string(),
            trace_id: format!("{n}"),
            request_id: "req".to_owned(),
            tool: "loopiq_get_context".to_owned(),
            arguments_digest: String::new(),
            record_ids: Vec::new(),
            at: Timestamp(n),
        };
        tasks.push(tokio::spawn(async move {
            let answer: Result<i64, Error> = store
                .add(&ctx, move |tx| {
                    Box::pin(async move {
                        tx.insert_reads(&[call]).await?;
                        if n % 5 == 0 {
                            Err(Error::internal("on purpose"))
                        } else {
                            Ok(n)
                        }
                    })
                })
                .await;
            assert_eq!(answer.ok(), (n % 5 != 0).then_some(n), "each gets its own answer");
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(world.count("read_journal").await, before + 48);
}

#[tokio::test]
async fn many_reads_are_kept_in_one_go_and_come_back_in_order() {
    let world = World::new().await;
    let ctx = system(&world);
    let (client, caller) = (
        world.acme.client.id.to_string(),
        world.acme.person("developer").id.to_string(),
    );
    let calls: Vec<ReadCall> = (0..300)
        .map(|n| ReadCall {
            client_id: client.clone(),
            caller_id: caller.clone(),
            trace_id: format!("{n:032x}"),
            request_id: "r".into(),
            tool: "loopiq_list_findings".into(),
            arguments_digest: "sha256:x".into(),
            record_ids: vec![format!("fnd_\"{n}\\"), "ü".into()],
            at: Timestamp(n),
        })
        .collect();
    let kept = calls.clone();
    let write = world.engine.store().add::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move { Ok(tx.insert_reads(&kept).await?) })
    });
    write.await.expect("kept");
    let proposer = loopiq::store::Proposer {
        client: world.acme.client.id.clone(),
        caller: world.acme.person("developer").id.clone(),
        key: String::new(),
        since: Timestamp(0),
        request_digest: String::new(),
    };
    let read = world.engine.store().read_long::<_, Error, _>(&ctx, move |tx| {
        Box::pin(async move { Ok(tx.proposal_context(&FactsQuery::default(), &proposer).await?.reads) })
    });
    assert_eq!(read.await.expect("read"), calls);
}
