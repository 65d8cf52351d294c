//! Actions as tasks: what a client that polls is told in each state, and who is told anything.

use crate::world::{World, text};
use loopiq::domain::{RecordKind, State};
use loopiq::engine::{ActionTask, Error, TaskProgress};
use serde_json::{Value, json};

async fn task(world: &World, id: &str) -> ActionTask {
    let developer = world.client("developer");
    world.engine.action_task(&developer, id).await.expect("a task")
}

/// The result of a task that is over, and whether it is an error.
fn result(task: &ActionTask) -> (&Value, bool) {
    match &task.progress {
        TaskProgress::Completed { structured, is_error } => (structured, *is_error),
        other => panic!("not over: {other:?}"),
    }
}

#[tokio::test]
async fn a_task_works_until_the_action_is_executed_and_then_has_its_result() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let pending = task(&world, &id).await;
    assert_eq!(
        (pending.id.as_str(), &pending.progress),
        (id.as_str(), &TaskProgress::Working)
    );
    assert_eq!(pending.updated_at, pending.created_at);
    assert!(
        pending.message.contains(&format!("/actions/{id}")),
        "{}",
        pending.message
    );

    world.approve("reviewer", &id, &digest).await.expect("approved");
    let approved = task(&world, &id).await;
    assert_eq!(approved.progress, TaskProgress::Working);
    assert!(approved.updated_at > pending.updated_at);
    assert!(approved.message.starts_with("Approved"), "{}", approved.message);

    world.execute(&world.person("lead"), &id).await.expect("executed");
    let executed = task(&world, &id).await;
    let (structured, is_error) = result(&executed);
    assert!(!is_error);
    assert_eq!(
        *structured,
        world.get(&id).await,
        "it is what loopiq_get_action responds"
    );
    assert_eq!(structured["result"]["createdIds"].as_array().map(Vec::len), Some(3));
    assert!(executed.updated_at > approved.updated_at);
}

#[tokio::test]
async fn a_rejected_and_a_failed_action_are_results_with_reason_codes() {
    let world = World::new().await;
    let (rejected, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    let outcome = world
        .engine
        .reject(&reviewer, &rejected, &digest, &[], "Too vague.", "")
        .await;
    assert!(outcome.expect("rejected").done);
    let ended = task(&world, &rejected).await;
    let (structured, is_error) = result(&ended);
    assert_eq!((is_error, &structured["reasonCodes"]), (true, &json!(["declined"])));
    for says in ["Rejected (declined)", "Nothing was written", "Too vague."] {
        assert!(ended.message.contains(says), "{}", ended.message);
    }

    // An action whose records have changed meanwhile fails at its execution.
    let mut update = json!({
        "reason": "It is behind the firewall.", "findingId": world.acme.finding, "expectedVersion": 1, "justification": "Not reachable.",
    });
    let mut ids = Vec::new();
    for (key, status) in [("one", "suppressed"), ("two", "false_positive")] {
        update["idempotencyKey"] = json!(key);
        update["status"] = json!(status);
        let developer = world.client("developer");
        let proposed = world
            .engine
            .call_tool(&developer, "loopiq_update_finding_status", update.clone())
            .await;
        let answer = proposed.expect("a proposal").structured;
        let id = text(&answer, "actionId");
        world
            .approve("reviewer", &id, &text(&answer, "digest"))
            .await
            .expect("approved");
        ids.push(id);
    }
    let lead = world.person("lead");
    for id in &ids {
        world.execute(&lead, id).await.expect("an outcome");
    }
    let failed = task(&world, &ids[1]).await;
    let (structured, is_error) = result(&failed);
    assert_eq!((is_error, &structured["status"]), (true, &json!(State::Failed)));
    assert!(!structured["reasonCodes"].as_array().expect("codes").is_empty());
    assert!(failed.message.starts_with("Failed ("), "{}", failed.message);
}

#[tokio::test]
async fn an_overdue_action_is_over_although_nobody_has_written_its_expiry() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    world.advance_clock(400 * 86_400_000_000);
    let ended = task(&world, &id).await;
    let (structured, is_error) = result(&ended);
    assert_eq!((is_error, &structured["reasonCodes"]), (true, &json!(["expired"])));
    assert_eq!(ended.updated_at.rfc3339(), text(structured, "expiresAt"));
}

#[tokio::test]
async fn a_question_needs_input_until_it_is_answered_once() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    let (reviewer, developer) = (world.person("reviewer"), world.client("developer"));
    for question in ["Which form?", "Why now?"] {
        assert!(world.engine.ask(&reviewer, &id, question).await.expect("asked").done);
    }
    let open = |task: &ActionTask| match &task.progress {
        TaskProgress::InputRequired(questions) => questions.clone(),
        other => panic!("no questions: {other:?}"),
    };
    let asked = task(&world, &id).await;
    let questions = open(&asked);
    assert_eq!(questions.len(), 2);
    for says in [
        "Which form?",
        "Why now?",
        questions[0].id.as_str(),
        "loopiq_answer_question",
    ] {
        assert!(asked.message.contains(says), "{}", asked.message);
    }
    let first = questions[0].id.to_string();
    let answer = |text: &str| vec![(first.clone(), text.to_owned())];
    let unknown = vec![("qst_unknown".to_owned(), "x".to_owned())];
    world
        .engine
        .answer_task(&developer, &id, unknown)
        .await
        .expect("ignored");
    for refused in ["", "a\u{202e}b", &"x".repeat(2_001)] {
        let outcome = world.engine.answer_task(&developer, &id, answer(refused)).await;
        assert!(
            matches!(outcome, Err(Error::Invalid { .. })),
            "{refused:?}: {outcome:?}"
        );
    }
    world
        .engine
        .answer_task(&developer, &id, answer("The login form."))
        .await
        .expect("answered");
    // An answer to a question that is answered is ignored, as the extension demands.
    world
        .engine
        .answer_task(&developer, &id, answer("Another form."))
        .await
        .expect("ignored");
    let rest = task(&world, &id).await;
    assert_eq!(open(&rest), questions[1..]);
    assert!(rest.updated_at > asked.updated_at);
    let kept = world.get(&id).await;
    assert_eq!(kept["questions"][0]["answer"], "The login form.");
    let other = vec![(questions[1].id.to_string(), "The audit is on Friday.".to_owned())];
    world
        .engine
        .answer_task(&developer, &id, other)
        .await
        .expect("answered");
    assert_eq!(task(&world, &id).await.progress, TaskProgress::Working);
}

#[tokio::test]
async fn a_cancelled_task_is_a_withdrawn_action_and_a_closed_one_stays_as_it_is() {
    let world = World::new().await;
    let developer = world.client("developer");
    let (id, _) = world.proposed("k1").await;
    for _ in 0..2 {
        world.engine.cancel_task(&developer, &id).await.expect("cancelled");
    }
    let cancelled = task(&world, &id).await;
    let (structured, is_error) = result(&cancelled);
    assert_eq!((is_error, &structured["reasonCodes"]), (true, &json!(["withdrawn"])));
    assert_eq!(world.entries("action.withdrawn").await.len(), 1);

    let (id, digest) = world.proposed("k2").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("lead"), &id).await.expect("executed");
    world.engine.cancel_task(&developer, &id).await.expect("acknowledged");
    assert_eq!(world.get(&id).await["status"], "executed");
}

#[tokio::test]
async fn nobody_but_its_caller_has_the_task() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    for other in [world.client("lead"), world.client_of(&world.globex, "developer")] {
        let engine = &world.engine;
        let refusals = [
            engine.action_task(&other, &id).await.map(drop),
            engine.answer_task(&other, &id, Vec::new()).await,
            engine.cancel_task(&other, &id).await,
        ];
        for refusal in refusals {
            let is_missing = matches!(
                &refusal,
                Err(Error::NotFound {
                    kind: RecordKind::Action,
                    ..
                })
            );
            assert!(is_missing, "{refusal:?}");
        }
    }
    assert_eq!(world.get(&id).await["status"], "pending_approval");
}
