//! Conditions that the engine checks again when an action is approved and when it is executed.

use crate::world::{World, drop_trigger, text};
use loopiq::domain::*;
use loopiq::engine::Error;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

async fn update(world: &World, key: &str, version: i64) -> Result<Value, Error> {
    let arguments = json!({
        "idempotencyKey": key, "reason": "It is urgent.", "workItemId": world.acme.story, "expectedVersion": version,
        "changes": { "priority": "critical", "title": "Harden the login now" },
    });
    let answer = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_update_work_item", arguments)
        .await?;
    Ok(answer.structured)
}

#[tokio::test]
async fn a_target_that_changed_meanwhile_fails_and_writes_nothing() {
    let world = World::new().await;
    let answer = update(&world, "u1", 1).await.expect("a proposal");
    assert_eq!(
        answer["preview"]["updates"][0]["fields"][0],
        json!({
            "field": "title", "before": "Harden the login", "after": "Harden the login now"
        })
    );
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let reviewer = world.person("reviewer");
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    let story = world.acme.story.clone();
    world
        .engine
        .store()
        .write::<_, Error, _>(&reviewer, move |tx| {
            Box::pin(async move { Ok(tx.touch_work_item(&story, "By hand").await?) })
        })
        .await
        .expect("somebody else");
    let before = world.dump().await;
    let outcome = world.execute(&reviewer, &id).await.expect("a committed refusal");
    assert!(
        !outcome.done && outcome.message.contains("Nothing was written"),
        "{outcome:?}"
    );
    let after = world.dump().await;
    assert!(
        !crate::propose::added(&before, &after)
            .iter()
            .any(|row| row.starts_with("work_items|"))
    );
    let answer = world.get(&id).await;
    assert_eq!(
        (answer["status"].clone(), answer["reasonCodes"].clone()),
        (json!("failed"), json!(["stale_target"]))
    );
    assert!(
        matches!(update(&world, "u2", 1).await, Err(Error::Invalid { .. })),
        "a version that is gone"
    );
}

#[tokio::test]
async fn an_approver_who_lost_their_role_stops_the_execution() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world
        .approve_as(&world.person("reviewer"), &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    let email = "reviewer@acme.example".to_owned();
    let asserted = loopiq::store::Asserted {
        issuer: "https://idp.example".into(),
        subject: email.clone(),
        email: loopiq::domain::Email::verified(&email),
        name: "reviewer of acme".into(),
        roles: Some(vec![Role::Auditor]),
        groups: Vec::new(),
    };
    world
        .engine
        .sign_in("acme", asserted, &loopiq::engine::RequestOrigin::default())
        .await
        .expect("signed in with less");
    let outcome = world
        .execute(&world.person("reviewer2"), &id)
        .await
        .expect("a committed refusal");
    assert!(!outcome.done);
    assert_eq!(world.get(&id).await["reasonCodes"], json!(["not_authorized"]));
}

#[tokio::test]
async fn each_warning_is_acknowledged_separately_and_stored_with_the_decision() {
    let world = World::new().await;
    let mut package = world.package("k1");
    // The client has read nothing and the reason cites nothing, so one check has two warnings. The owner is not on the team: a third warning.
    package["reason"] = json!("It would be better.");
    package["parent"]["owner"] = json!("lead@acme.example");
    let answer = world.propose(package).await.expect("a proposal").structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let reviewer = world.person("reviewer");
    let marks = world.marks(&id).await;
    assert_eq!(marks.len(), 3, "{marks:?}");
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let mut tries: Vec<Vec<String>> = (0..3)
        .map(|n| {
            marks
                .iter()
                .enumerate()
                .filter(|(m, _)| *m != n)
                .map(|(_, mark)| mark.clone())
                .collect()
        })
        .collect();
    // The name of a check does not acknowledge its two warnings.
    tries.push(named(&["grounding", "ownership"]));
    tries.push(named(&["titles", "grounding:000000000000"]));
    for acknowledged in tries {
        match world.approve_as(&reviewer, &id, &digest, &acknowledged).await {
            Err(Error::Refused { message, .. }) => assert!(message.contains("acknowledge"), "{message}"),
            other => panic!("{acknowledged:?}: {other:?}"),
        }
    }
    let grounding: Vec<String> = marks
        .iter()
        .filter(|mark| mark.starts_with("grounding:"))
        .cloned()
        .collect();
    let acknowledged = [grounding, named(&["ownership"])].concat();
    world
        .approve_as(&reviewer, &id, &digest, &acknowledged)
        .await
        .expect("approved");
    assert_eq!(world.get(&id).await["decisions"][0]["acknowledged"], json!(marks));
    assert!(world.execute(&reviewer, &id).await.expect("executed").done);
}

/// A warning with new content after the approval fails the execution. A warning in which only the number of days differs does not.
#[tokio::test]
async fn a_warning_that_came_after_the_approval_fails_the_execution() {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let propose = async |key: &str, title: &str| {
        let arguments = json!({
            "idempotencyKey": key, "reason": format!("Evidence {} asks for it.", world.acme.evidence), "kind": "story",
            "releaseId": world.acme.release, "teamId": world.acme.team, "title": title, "description": "d", "priority": "low",
            "evidenceIds": [world.acme.evidence],
        });
        let client = world.client("developer");
        let answer = world
            .engine
            .call_tool(&client, "loopiq_create_work_item", arguments)
            .await;
        let answer = answer.expect("a proposal").structured;
        let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
        world
            .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
            .await
            .expect("approved");
        id
    };
    let first = propose("k1", "Limit failed attempts at signing in").await;
    let second = propose("k2", "Limit the failed attempts at signing in again").await;
    // The action that was approved first is executed although a second one was proposed. The second one fails, because its work is done.
    assert!(world.execute(&reviewer, &first).await.expect("executed").done);
    let outcome = world.execute(&reviewer, &second).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&second).await["reasonCodes"], json!(["duplicates"]));
}

#[tokio::test]
async fn evidence_that_went_stale_after_the_approval_fails_the_execution() {
    let world = World::new().await;
    // Collected on the 20th; the policy allows 14 days. An action of medium risk lives for 2 days.
    world.advance_clock(11 * Timestamp::DAY);
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    // The reviewer cannot acknowledge a warning that does not exist yet.
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.advance_clock(36 * Timestamp::HOUR);
    let outcome = world.execute(&reviewer, &id).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&id).await["reasonCodes"], json!(["evidence"]));
}

#[tokio::test]
async fn an_action_with_a_damaged_envelope_can_be_rejected() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k").await;
    let mut connection = world.database.connect().await;
    let damage = format!("UPDATE envelopes SET bytes = ' ' || bytes WHERE action_id = '{id}'");
    for sql in [drop_trigger("envelopes"), damage] {
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("a damaged envelope");
    }
    let reviewer = world.person("reviewer");
    let rejected = world
        .engine
        .reject(&reviewer, &id, &digest, &[], "It is damaged.", "")
        .await;
    assert!(rejected.expect("rejected").done);
}

#[tokio::test]
async fn executing_a_task_marks_open_actions_about_its_story() {
    let world = World::new().await;
    let client = world.client("developer");
    let update = json!({
        "idempotencyKey": "update", "reason": "It is about more.", "workItemId": world.acme.story, "expectedVersion": 1,
        "changes": { "title": "Harden the login against guessing" },
    });
    let update = world.engine.call_tool(&client, "loopiq_update_work_item", update).await;
    let waiting = text(&update.expect("a proposal").structured, "actionId");
    let task = json!({
        "idempotencyKey": "task", "reason": "The story asks for it.", "releaseId": world.acme.release, "teamId": world.acme.team,
        "kind": "task", "parentId": world.acme.story, "title": "Limit failed attempts per account", "description": "Five a minute.",
        "priority": "low",
    });
    let task = world.engine.call_tool(&client, "loopiq_create_work_item", task).await;
    let task = task.expect("a proposal").structured;
    let (id, digest) = (text(&task, "actionId"), text(&task, "digest"));
    world.approve("reviewer", &id, &digest).await.expect("approved");
    assert!(
        world
            .execute(&world.person("reviewer"), &id)
            .await
            .expect("an outcome")
            .done
    );
    let waiting = ActionId::parse(&waiting).expect("an ID");
    let auditor = world.person("auditor");
    let mut tx = world.engine.store().read(&auditor).await.expect("a transaction");
    let action = tx.action(&waiting).await.expect("a read").expect("the action");
    assert!(action.lifecycle.targets_changed_at.is_some());
}
