use crate::world::{World, text};
use loopiq::domain::*;
use loopiq::engine::Visit;
use loopiq::engine::{ApprovalRequest, Error};
use serde_json::{Value, json};

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
    let (one, two) = (world.person("reviewer"), world.person("reviewer2"));
    world
        .approve_as(&one, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.opened(&two, &id).await;
    let entries = world.count("audit_entries").await;
    let again = world
        .approve_as(&one, &id, &digest, &world.marks(&id).await)
        .await
        .expect("the same");
    assert!(
        again.done && again.message.contains("nothing was done twice"),
        "{again:?}"
    );
    match world.approve_as(&two, &id, &digest, &world.marks(&id).await).await {
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
        world.engine.reject(&two, &id, &digest, &[], "no", "").await,
        Err(Error::AlreadyDecided { .. })
    ));
    assert_eq!(world.count("audit_entries").await, entries);
    assert_eq!(world.count("decisions").await, 1);

    world.execute(&one, &id).await.expect("executed");
    let items = world.count("work_items").await;
    let again = world.execute(&two, &id).await.expect("the same");
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
    // Nor does any client, whatever its caller may do in a browser.
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
    let (one, two) = (world.person("reviewer"), world.person("reviewer2"));
    assert!(
        world.engine.revoke(&one, &id, "early", "").await.is_err(),
        "nothing to take back yet"
    );
    world
        .approve_as(&one, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world
        .engine
        .revoke(&two, &id, "The scan was wrong.", "")
        .await
        .expect("revoked");
    assert!(matches!(
        world.execute(&one, &id).await,
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
    world.pass(49 * Timestamp::HOUR);
    // Readers see it before anybody has written it.
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
async fn a_person_who_lost_their_role_stops_what_they_approved() {
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
        roles: vec![Role::Auditor],
    };
    world
        .engine
        .sign_in("acme", asserted)
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
async fn each_warning_is_acknowledged_by_itself_and_stays_with_the_decision() {
    let world = World::new().await;
    let mut package = world.package("k1");
    // Nothing was read before, and the reason names nothing: two warnings of one check. And somebody is not on the team.
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
    // A check that warns of two things is not acknowledged by its name.
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

/// A warning that says something new after the approval fails the execution; one that only counts the days anew does not.
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
    // The one that was approved first is not lost because another one came; the other one is, because it is double work now.
    assert!(world.execute(&reviewer, &first).await.expect("executed").done);
    let outcome = world.execute(&reviewer, &second).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&second).await["reasonCodes"], json!(["duplicates"]));
}

#[tokio::test]
async fn evidence_that_went_stale_after_the_approval_fails_the_execution() {
    let world = World::new().await;
    // Collected on the 20th; the policy allows 14 days. An action of medium risk lives for 2 days.
    world.pass(11 * Timestamp::DAY);
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    // Nobody acknowledges a warning that is not there yet.
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.pass(36 * Timestamp::HOUR);
    let outcome = world.execute(&reviewer, &id).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&id).await["reasonCodes"], json!(["evidence"]));
}

#[tokio::test]
async fn a_look_is_kept_once_per_person_digest_and_session() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a prefetch");
    assert_eq!(world.count("views").await, 0);
    for _ in 0..3 {
        world
            .engine
            .action_page(&reviewer, &id, Visit::Opened)
            .await
            .expect("a page");
    }
    assert_eq!(world.count("views").await, 1);
    world
        .engine
        .action_page(&world.person("reviewer2"), &id, Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(world.count("views").await, 2);
}

/// Approving and running rest on a recorded look at the page: by this person, in this session, at this digest.
#[tokio::test]
async fn nobody_decides_what_they_have_not_opened() {
    let world = World::new().await;
    let (id, digest) = world.story(1).await;
    let (other, _) = world.story(2).await;
    let (reviewer, lead) = (world.person("reviewer"), world.person("lead"));
    let elsewhere = world.in_session("reviewer", "another browser");
    let mut consent = world.consent(&id, &digest).await;
    let refused = |outcome: Result<loopiq::views::Outcome, Error>| {
        matches!(
            outcome,
            Err(Error::Refused {
                code: ReasonCode::NotOpened,
                ..
            })
        )
    };
    assert!(
        refused(world.engine.approve(&reviewer, &id, consent.clone()).await),
        "never opened"
    );
    // Values of other pages, people and sessions; a look that was not recorded.
    let unseen = world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a page")
        .view;
    assert_eq!(unseen, None, "no value without a record");
    let mut wrong = vec!["0".repeat(32)];
    for (ctx, page) in [(&reviewer, &other), (&lead, &id), (&elsewhere, &id)] {
        wrong.push(world.opened(ctx, page).await);
    }
    for view in wrong {
        consent.view = view;
        let outcome = world.engine.approve(&reviewer, &id, consent.clone()).await;
        assert!(refused(outcome), "{}", consent.view);
    }
    let right = world.opened(&reviewer, &id).await;
    for (ctx, whose) in [(&lead, "another person's"), (&elsewhere, "another session's")] {
        consent.view = right.clone();
        assert!(
            refused(world.engine.approve(ctx, &id, consent.clone()).await),
            "{whose}"
        );
    }
    // A form that carries a value must carry the right one, for rejecting too; without one, rejecting is possible.
    assert!(refused(
        world
            .engine
            .reject(&reviewer, &id, &digest, &[], "No.", &consent.view[1..])
            .await
    ));
    assert!(
        world
            .engine
            .approve(&reviewer, &id, consent.clone())
            .await
            .expect("approved")
            .done
    );
    assert!(refused(world.engine.execute(&lead, &id, "").await), "nor is it run");
    assert!(refused(world.engine.execute(&lead, &id, &right).await));
    assert!(world.engine.execute(&reviewer, &id, &right).await.expect("ran").done);
    let (third, digest) = world.story(3).await;
    assert!(
        world
            .engine
            .reject(&reviewer, &third, &digest, &[], "No.", "")
            .await
            .expect("rejected")
            .done
    );
}
