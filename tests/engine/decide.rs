//! Decisions: who may decide, and what each decision changes.

use crate::world::{World, text};
use loopiq::domain::*;
use loopiq::engine::{ApprovalRequest, Error, Visit};
use serde_json::json;

#[tokio::test]
async fn approve_and_run_creates_the_package_and_answers_with_ids_and_audit() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    let approved = world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    assert_eq!(approved.state, Some(State::Approved));
    assert_eq!(world.get(&id).await["status"], "approved");
    let items = world.count("work_items").await;
    let executed = world.execute(&reviewer, &id).await.expect("executed");
    assert_eq!(executed.message, "Executed: created 1 story and 2 tasks.");
    assert_eq!(world.count("work_items").await, items + 3);

    let answer = world.get(&id).await;
    assert_eq!(answer["status"], "executed");
    let result = &answer["result"];
    assert!(text(result, "parentId").starts_with("wi_"));
    let refs: Vec<&str> = result["children"]
        .as_array()
        .expect("children")
        .iter()
        .filter_map(|c| c["clientRef"].as_str())
        .collect();
    assert_eq!(refs, ["one", "two"]);
    assert_eq!(result["createdIds"].as_array().expect("ids").len(), 3);
    let audit = &answer["audit"];
    for field in [
        "userIdentity",
        "tenant",
        "requestId",
        "traceId",
        "workflow",
        "toolCallChain",
        "toolName",
        "approvalId",
        "idempotencyKey",
        "submittedPayload",
        "executionResult",
        "recordIds",
        "timestamp",
    ] {
        assert!(!audit[field].is_null(), "{field}");
    }
    assert_eq!(audit["userIdentity"]["approvers"][0]["email"], "reviewer@acme.example");
    assert_eq!(audit["userIdentity"]["caller"]["email"], "developer@acme.example");
    assert_eq!(audit["workflow"], "release-readiness");
}

#[tokio::test]
async fn the_same_decision_twice_answers_as_the_first_and_another_is_refused() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (reviewer, reviewer2) = (world.person("reviewer"), world.person("reviewer2"));
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.opened(&reviewer2, &id).await;
    let entries = world.count("audit_entries").await;
    let again = world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("the same");
    assert!(
        again.done && again.message.contains("nothing was done twice"),
        "{again:?}"
    );
    match world
        .approve_as(&reviewer2, &id, &digest, &world.marks(&id).await)
        .await
    {
        Err(Error::AlreadyDecided { state, message }) => {
            assert_eq!(state, State::Approved);
            assert!(
                message.contains("already approved by reviewer of acme on 2026-11-22"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        world.engine.reject(&reviewer2, &id, &digest, &[], "no", "").await,
        Err(Error::AlreadyDecided { .. })
    ));
    assert_eq!(world.count("audit_entries").await, entries);
    assert_eq!(world.count("decisions").await, 1);

    world.execute(&reviewer, &id).await.expect("executed");
    let items = world.count("work_items").await;
    let again = world.execute(&reviewer2, &id).await.expect("the same");
    assert!(again.done && again.message.contains("nothing was done twice"));
    assert_eq!(world.count("work_items").await, items);
}

#[tokio::test]
async fn a_stale_digest_decides_nothing() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let other = digest.replace(|c: char| c.is_ascii_digit(), "0");
    assert!(matches!(
        world
            .approve_as(&world.person("reviewer"), &id, &other, &world.marks(&id).await)
            .await,
        Err(Error::DigestMismatch)
    ));
    assert!(matches!(
        world
            .engine
            .reject(&world.person("reviewer"), &id, &other, &[], "x", "")
            .await,
        Err(Error::DigestMismatch)
    ));
    assert_eq!(world.get(&id).await["status"], "pending_approval");
}

#[tokio::test]
async fn only_reviewers_and_leads_decide_and_a_denial_is_on_record() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    for role in ["developer", "auditor", "operator", "nobody"] {
        let ctx = world.person(role);
        let view = world.opened(&ctx, &id).await;
        let entries = world.count("audit_entries").await;
        let consent = ApprovalRequest {
            view: view.clone(),
            ..world.consent(&id, &digest).await
        };
        let refused = world.engine.approve(&ctx, &id, consent).await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{role}");
        assert!(
            matches!(
                world.engine.execute(&ctx, &id, &view).await,
                Err(Error::NotAuthorized { .. })
            ),
            "{role}"
        );
        assert_eq!(world.count("audit_entries").await, entries + 2, "{role}");
    }
    // A client cannot decide either, even for a caller who can decide in a browser.
    for role in ["reviewer", "lead"] {
        let client = world.client(role);
        assert!(matches!(
            world.approve_as(&client, &id, &digest, &world.marks(&id).await).await,
            Err(Error::NotAuthorized { .. })
        ));
        assert!(matches!(
            world.execute(&client, &id).await,
            Err(Error::NotAuthorized { .. })
        ));
    }
    assert_eq!(world.get(&id).await["status"], "pending_approval");
}

#[tokio::test]
async fn the_caller_never_decides_their_own_proposal() {
    let world = World::new().await;
    let tool = "loopiq_create_remediation_work_package";
    let answer = world
        .engine
        .call_tool(&world.client("lead"), tool, world.package("k1"))
        .await
        .expect("a proposal")
        .structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let lead = world.person("lead");
    match world.approve_as(&lead, &id, &digest, &world.marks(&id).await).await {
        Err(Error::NotAuthorized { why }) => assert!(why.contains("on your behalf"), "{why}"),
        other => panic!("{other:?}"),
    }
    world
        .approve_as(&world.person("reviewer"), &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved by somebody else");
    assert!(matches!(
        world.execute(&lead, &id).await,
        Err(Error::NotAuthorized { .. })
    ));
}

#[tokio::test]
async fn another_tenants_action_is_like_one_that_does_not_exist() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let stranger = world.person_of(&world.globex, "reviewer");
    let unknown = ActionId::from_bits(9).to_string();
    for id in [&id, &unknown] {
        let answers = [
            world
                .approve_as(&stranger, id, &digest, &world.marks(id).await)
                .await
                .map(drop),
            world
                .engine
                .reject(&stranger, id, &digest, &[], "no", "")
                .await
                .map(drop),
            world.execute(&stranger, id).await.map(drop),
            world.engine.revoke(&stranger, id, "no", "").await.map(drop),
            world.engine.action_page(&stranger, id, Visit::Opened).await.map(drop),
        ];
        for answer in answers {
            match answer {
                Err(Error::NotFound { id: named, .. }) => assert_eq!(&named, id),
                other => panic!("{other:?}"),
            }
        }
    }
    let client = world.client_of(&world.globex, "developer");
    let get = world
        .engine
        .call_tool(&client, "loopiq_get_action", json!({ "actionId": id }))
        .await;
    assert!(matches!(get, Err(Error::NotFound { .. })));
    let withdraw = json!({ "actionId": id, "reason": "mine" });
    assert!(matches!(
        world
            .engine
            .call_tool(&client, "loopiq_withdraw_action", withdraw)
            .await,
        Err(Error::NotFound { .. })
    ));
    assert!(
        world
            .engine
            .action_page(&world.person("reviewer"), "act_nonsense", Visit::Opened)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_rejection_needs_words_and_the_agent_reads_them() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    for text in ["", "   ", &"x".repeat(2_001), "a\u{200B}b"] {
        let refused = world.engine.reject(&reviewer, &id, &digest, &[], text, "").await;
        assert!(matches!(refused, Err(Error::Wording { .. })));
    }
    let codes = [ReasonCode::Check(CheckId::Evidence), ReasonCode::Declined];
    world
        .engine
        .reject(&reviewer, &id, &digest, &codes, "Scan again first.", "")
        .await
        .expect("rejected");
    let answer = world.get(&id).await;
    assert_eq!(answer["status"], "rejected");
    assert_eq!(answer["reasonCodes"], json!(["evidence", "declined"]));
    assert_eq!(answer["decisions"][0]["reason"], "Scan again first.");
    let same = world
        .engine
        .reject(&reviewer, &id, &digest, &codes, "Scan again first.", "")
        .await
        .expect("the same");
    assert!(same.done);
}

#[tokio::test]
async fn an_approval_can_be_taken_back_until_it_has_run() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (reviewer, reviewer2) = (world.person("reviewer"), world.person("reviewer2"));
    assert!(
        world.engine.revoke(&reviewer, &id, "early", "").await.is_err(),
        "nothing to take back yet"
    );
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world
        .engine
        .revoke(&reviewer2, &id, "The scan was wrong.", "")
        .await
        .expect("revoked");
    assert!(matches!(
        world.execute(&reviewer, &id).await,
        Err(Error::AlreadyDecided { .. })
    ));
    let answer = world.get(&id).await;
    assert_eq!(
        (answer["status"].clone(), answer["reasonCodes"].clone()),
        (json!("rejected"), json!(["revoked"]))
    );
}

#[tokio::test]
async fn time_rejects_and_never_approves() {
    let world = World::new().await;
    let (pending, digest) = world.proposed("k1").await;
    let (approved, its_digest) = world.proposed("k2").await;
    let reviewer = world.person("reviewer");
    world
        .approve_as(&reviewer, &approved, &its_digest, &world.marks(&approved).await)
        .await
        .expect("approved");
    world.advance_clock(49 * Timestamp::HOUR);
    // Readers see the expiry before a sweep writes it.
    assert_eq!(world.get(&pending).await["status"], "rejected");
    match world
        .approve_as(&reviewer, &pending, &digest, &world.marks(&pending).await)
        .await
    {
        Err(Error::AlreadyDecided { message, .. }) => assert!(message.contains("expired"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.engine.sweep().await.expect("a sweep"),
        1,
        "the other one was written by who touched it"
    );
    assert_eq!(world.engine.sweep().await.expect("a sweep"), 0);
    assert!(matches!(
        world.execute(&reviewer, &approved).await,
        Err(Error::AlreadyDecided { .. })
    ));
    for id in [&pending, &approved] {
        assert_eq!(world.get(id).await["reasonCodes"], json!(["expired"]));
    }
}

#[tokio::test]
async fn a_proposer_withdraws_their_own() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let call = json!({ "actionId": id, "reason": "I was wrong." });
    let other = world
        .engine
        .call_tool(&world.client("lead"), "loopiq_withdraw_action", call.clone())
        .await;
    assert!(matches!(other, Err(Error::NotFound { .. })), "another caller's action");
    let developer = world.client("developer");
    let done = world
        .engine
        .call_tool(&developer, "loopiq_withdraw_action", call.clone())
        .await
        .expect("withdrawn");
    assert_eq!(done.structured["status"], "rejected");
    assert!(
        world
            .engine
            .call_tool(&developer, "loopiq_withdraw_action", call)
            .await
            .is_ok(),
        "twice is once"
    );
    assert!(
        world
            .approve_as(&world.person("reviewer"), &id, &digest, &world.marks(&id).await)
            .await
            .is_err()
    );
}
