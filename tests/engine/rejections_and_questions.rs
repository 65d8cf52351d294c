//! Rejections with reasons and pointers, repeated proposals, revisions, pruning and questions.

use crate::world::{World, text};
use loopiq::domain::{CheckId, ReasonCode, State};
use loopiq::engine::{Error, Visit};
use loopiq::views::InboxQuery;
use serde_json::{Value, json};

async fn reject(world: &World, id: &str, digest: &str, codes: &[ReasonCode], words: &str) {
    let outcome = world
        .engine
        .reject(&world.person("reviewer"), id, digest, codes, words, "")
        .await;
    assert!(outcome.expect("rejected").done);
}

fn under(mut package: Value, key: &str) -> Value {
    package["idempotencyKey"] = json!(key);
    package
}

#[tokio::test]
async fn a_declined_proposal_cannot_be_repeated_until_something_changes() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let codes = [ReasonCode::Check(CheckId::Grounding), ReasonCode::Declined];
    reject(&world, &id, &digest, &codes, "Read the findings first.").await;
    let answer = world.get(&id).await;
    assert_eq!(answer["reasonCodes"], json!(["grounding", "declined"]));
    assert_eq!(answer["submittedPayload"]["children"], world.package("k1")["children"]);
    let reasons = answer["reasons"].as_array().expect("reasons");
    assert!(
        reasons[0]["pointers"]
            .as_array()
            .is_some_and(|places| !places.is_empty()),
        "{reasons:?}"
    );

    let mut again = under(world.package("k1"), "k2");
    again["reason"] = json!("Please.");
    for dry in [true, false] {
        again["dryRun"] = json!(dry);
        match world.propose(again.clone()).await {
            Err(error @ Error::RejectedBefore { .. }) => {
                assert_eq!(error.code(), "rejected_before");
                let words = error.to_string();
                assert!(
                    words.contains(&id) && words.contains("Read the findings first."),
                    "{words}"
                );
            }
            other => panic!("asked again: {other:?}"),
        }
    }
    // The agent can make a different proposal, and can repeat the declined one after a record that it cites has changed.
    world.proposed("k3").await;
    let status = json!({
        "idempotencyKey": "status", "reason": format!("{} is not reachable.", world.acme.finding), "findingId": world.acme.finding,
        "expectedVersion": 1, "status": "suppressed", "justification": "Behind the firewall.",
    });
    let answer = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_update_finding_status", status)
        .await;
    let answer = answer.expect("a proposal").structured;
    let other = text(&answer, "actionId");
    world
        .approve("reviewer", &other, &text(&answer, "digest"))
        .await
        .expect("approved");
    assert!(
        world
            .execute(&world.person("lead"), &other)
            .await
            .expect("an outcome")
            .done
    );
    again["dryRun"] = json!(false);
    assert!(world.propose(again).await.is_ok());
}

#[tokio::test]
async fn a_near_copy_shows_the_reviewer_what_differs() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    reject(&world, &id, &digest, &[], "Too vague.").await;
    let mut near = under(world.package("k1"), "k2");
    near["children"][1]["title"] = json!("Test the login form with quotes in the e-mail field");
    let next = text(&world.propose(near).await.expect("a proposal").structured, "actionId");
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &next, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.revisions.len(), 1);
    assert_eq!(page.revisions[0].action.id, id);
    assert_eq!(page.revisions[0].said, Some("Too vague.".into()));
    let places: Vec<&str> = page.revisions[0]
        .rows
        .iter()
        .map(|(place, ..)| place.as_str())
        .collect();
    assert_eq!(places, ["/children/two/title"]);
}

#[tokio::test]
async fn a_revision_closes_the_original_and_shows_its_changes() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let mut revision = under(world.package("k1"), "k2");
    revision["supersedesActionId"] = json!(id);
    revision["children"][0]["description"] = json!("Use a prepared statement.");
    let answer = world.propose(revision).await.expect("a proposal").structured;
    let next = text(&answer, "actionId");
    let old = world.get(&id).await;
    assert_eq!(
        (text(&old, "status"), text(&old, "supersededBy")),
        ("rejected".to_owned(), next.clone())
    );
    assert_eq!(old["reasonCodes"], json!(["superseded"]));
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &next, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.related[0].how, "Replaces");
    let rows = &page.revisions[0].rows;
    assert_eq!(
        rows,
        &[(
            "/children/one/description".into(),
            "d".into(),
            "Use a prepared statement.".into()
        )]
    );
    match world.approve("reviewer", &id, &digest).await {
        Err(Error::AlreadyDecided {
            state: State::Rejected,
            message,
        }) => assert!(message.contains(&next), "{message}"),
        other => panic!("decided: {other:?}"),
    }
}

#[tokio::test]
async fn a_reviewer_leaves_parts_out() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    let prune = async |who: &loopiq::context::Ctx, keep: &[&str], digest: &str| {
        let keep: Vec<String> = keep.iter().map(|name| (*name).to_owned()).collect();
        world
            .engine
            .prune(who, &id, digest, &keep, "One is enough for now.", "")
            .await
    };
    for keep in [&[][..], &["one", "two"], &["three"]] {
        assert!(
            matches!(prune(&reviewer, keep, &digest).await, Err(Error::Wording { .. })),
            "{keep:?}"
        );
    }
    assert!(matches!(
        prune(&reviewer, &["one"], "sha256:0").await,
        Err(Error::DigestMismatch)
    ));
    assert!(matches!(
        prune(&world.person("auditor"), &["one"], &digest).await,
        Err(Error::NotAuthorized { .. })
    ));
    let theirs = world.person_of(&world.globex, "reviewer");
    assert!(matches!(
        prune(&theirs, &["one"], &digest).await,
        Err(Error::NotFound { .. })
    ));
    let outcome = prune(&reviewer, &["one"], &digest).await.expect("pruned");
    let next = outcome.successor.expect("a revision");
    assert_eq!(
        prune(&reviewer, &["one"], &digest)
            .await
            .expect("the same")
            .successor
            .as_ref(),
        Some(&next)
    );
    let page = world
        .engine
        .action_page(&reviewer, &next, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_ne!(page.digest, digest);
    assert!(
        page.claim.asked_by.contains("developer of acme"),
        "the caller is who it was"
    );
    assert_eq!(page.tree[0].children.len(), 1);
    // The reviewer who pruned the action may decide the remaining one, because the proposer is still the agent's caller.
    assert!(
        world
            .approve("reviewer", &next, &page.digest)
            .await
            .expect("approved")
            .done
    );
    assert!(world.execute(&reviewer, &next).await.expect("an outcome").done);
    let answer = world.get(&next).await;
    assert_eq!(answer["result"]["children"].as_array().map(Vec::len), Some(1));
    let old = world.get(&id).await;
    assert_eq!(text(&old, "supersededBy"), next);
    let found = world
        .engine
        .search_audit(&world.person("auditor"), "event:action.pruned", "")
        .await;
    assert_eq!(found.expect("entries").rows.len(), 1);
}

#[tokio::test]
async fn a_question_is_kept_and_answered() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    assert!(matches!(
        world.engine.ask(&reviewer, &id, " ").await,
        Err(Error::Wording { .. })
    ));
    assert!(matches!(
        world.engine.ask(&world.person("auditor"), &id, "Why?").await,
        Err(Error::NotAuthorized { .. })
    ));
    assert!(
        world
            .engine
            .ask(&reviewer, &id, "Why two tasks?")
            .await
            .expect("asked")
            .done
    );
    assert!(
        world
            .engine
            .ask(&reviewer, &id, "Why two tasks?")
            .await
            .expect("asked")
            .message
            .contains("twice")
    );
    let questions = world.get(&id).await["questions"].clone();
    assert_eq!(questions.as_array().map(Vec::len), Some(1));
    let call =
        json!({ "actionId": id, "questionId": questions[0]["id"], "answer": "The test comes from another team." });
    let answer = async |call: &Value| {
        world
            .engine
            .call_tool(&world.client("developer"), "loopiq_answer_question", call.clone())
            .await
    };
    let elsewhere = world
        .engine
        .call_tool(&world.client("lead"), "loopiq_answer_question", call.clone())
        .await;
    assert!(
        matches!(elsewhere, Err(Error::NotFound { .. })),
        "somebody else's action"
    );
    assert!(answer(&call).await.is_ok());
    assert!(answer(&call).await.is_ok(), "the same answer twice is one");
    let mut other = call.clone();
    other["answer"] = json!("Something else.");
    assert!(matches!(answer(&other).await, Err(Error::Invalid { .. })));
    let page = world
        .engine
        .action_page(&reviewer, &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(
        page.questions[0].answer.as_ref().map(|(words, _)| words.as_str()),
        Some("The test comes from another team.")
    );
    world.approve("reviewer", &id, &digest).await.expect("approved");
    assert!(matches!(
        world.engine.ask(&reviewer, &id, "And now?").await,
        Err(Error::AlreadyDecided { .. })
    ));
    for query in ["event:action.answered record:FND-1", "event:action.asked record:FND-1"] {
        let found = world.engine.search_audit(&world.person("auditor"), query, "").await;
        assert_eq!(found.expect("entries").rows.len(), 1, "{query}");
    }
}

#[tokio::test]
async fn repeated_proposals_are_one_line_and_one_decision() {
    let world = World::new().await;
    let (first, digest) = world.proposed("k1").await;
    let mut repeats = Vec::new();
    for n in 0..117 {
        let answer = world
            .propose(under(world.package("k1"), &format!("retry-{n}")))
            .await
            .expect("a proposal")
            .structured;
        let check = answer["checks"]
            .as_array()
            .expect("checks")
            .iter()
            .find(|check| check["id"] == "duplicates")
            .cloned();
        let check = check.expect("a verdict");
        assert_eq!(
            (check["verdict"].clone(), check["facts"][0]["id"].clone()),
            (json!("warn"), json!(first))
        );
        repeats.push((text(&answer, "actionId"), text(&answer, "digest")));
    }
    let reviewer = world.person("reviewer");
    let page = world
        .engine
        .inbox(&reviewer, &InboxQuery::default())
        .await
        .expect("a page");
    assert_eq!((page.rows.len(), page.rows[0].repeats, page.counts[0].1), (1, 117, 1));
    // A reviewer who has acknowledged the warning can decide one repeat separately.
    let (repeat, its_digest) = repeats.swap_remove(5);
    let unseen = world.approve_as(&reviewer, &repeat, &its_digest, &[]).await;
    assert!(matches!(unseen, Err(Error::Refused { .. })), "{unseen:?}");
    assert!(
        world
            .approve("reviewer", &repeat, &its_digest)
            .await
            .expect("approved")
            .done
    );
    reject(
        &world,
        &first,
        &digest,
        &[ReasonCode::Check(CheckId::Titles)],
        "Say what is to be done.",
    )
    .await;
    for (id, _) in &repeats {
        let answer = world.get(id).await;
        assert_eq!(
            (text(&answer, "status"), text(&answer, "supersededBy")),
            ("rejected".to_owned(), first.clone())
        );
        assert_eq!(answer["reasonCodes"], json!(["titles"]));
    }
    let page = world
        .engine
        .inbox(&reviewer, &InboxQuery::default())
        .await
        .expect("a page");
    assert_eq!((page.rows.len(), page.counts[0].1), (0, 0));
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(report.bad, None);
}

#[tokio::test]
async fn repeats_close_with_the_original() {
    let world = World::new().await;
    let ends: [(&str, Value); 3] = [
        ("approve", json!(["superseded"])),
        ("withdraw", json!(["withdrawn"])),
        ("expire", json!(["expired"])),
    ];
    for (how, codes) in ends {
        let (first, digest) = world.proposed(how).await;
        let again = world
            .propose(under(world.package(how), &format!("{how} again")))
            .await
            .expect("a proposal")
            .structured;
        match how {
            "approve" => drop(world.approve("reviewer", &first, &digest).await.expect("approved")),
            "withdraw" => {
                let call = json!({ "actionId": first, "reason": "Not now." });
                world
                    .engine
                    .call_tool(&world.client("developer"), "loopiq_withdraw_action", call)
                    .await
                    .expect("withdrawn");
            }
            _ => {
                world.advance_clock(80 * loopiq::domain::Timestamp::HOUR);
                world.engine.sweep().await.expect("swept");
            }
        }
        let answer = world.get(&text(&again, "actionId")).await;
        assert_eq!(
            (answer["status"].clone(), answer["reasonCodes"].clone()),
            (json!("rejected"), codes),
            "{how}"
        );
    }
}

#[tokio::test]
async fn an_execution_marks_other_actions_about_the_same_records() {
    let world = World::new().await;
    let (first, digest) = world.proposed("k1").await;
    let (second, _) = world.proposed("k2").await;
    let reviewer = world.person("reviewer");
    let page = world
        .engine
        .action_page(&reviewer, &first, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(
        page.related
            .iter()
            .map(|related| related.action.id.clone())
            .collect::<Vec<_>>(),
        std::slice::from_ref(&second)
    );
    world.approve("reviewer", &first, &digest).await.expect("approved");
    assert!(world.execute(&reviewer, &first).await.expect("an outcome").done);
    let row = world
        .engine
        .inbox(&reviewer, &InboxQuery::default())
        .await
        .expect("a page")
        .rows
        .remove(0);
    assert_eq!((row.id.as_str(), row.touched), (second.as_str(), true));
    let page = world
        .engine
        .action_page(&reviewer, &second, Visit::Opened)
        .await
        .expect("a page");
    assert!(
        page.checks
            .iter()
            .any(|check| check.id == CheckId::Duplicates && check.message.contains("WI-")),
        "{:?}",
        page.checks
    );
    assert!(!page.panel.approve, "what was done is not done again");
}
