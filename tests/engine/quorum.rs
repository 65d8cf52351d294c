//! Quorums: groups, numbers of approvals, and the separation of duties.

use crate::world::{World, refused, text};
use loopiq::domain::{Role, State};
use loopiq::engine::Visit;
use loopiq::store::Asserted;
use loopiq::views::{InboxQuery, Tab};
use serde_json::json;

/// A policy that requires approvals of two teams for every action.
pub(crate) const TWO_TEAMS: &str = r#"
[[decide]]
name = "Both teams"
groups = [{ name = "Payments", teams = ["payments"] }, { name = "Checkout", teams = ["checkout"] }]
"#;

async fn two_teams() -> World {
    let world = World::new().await;
    world.join("reviewer", "payments").await;
    world.join("reviewer2", "payments").await;
    world.join("lead", "payments").await;
    world.join("lead", "checkout").await;
    assert_eq!(world.policy(TWO_TEAMS).await, 2);
    world
}

#[tokio::test]
async fn a_person_on_two_teams_counts_once() {
    let world = two_teams().await;
    let (id, digest) = world.proposed("k1").await;
    // The lead is on both teams, and the lead's approval counts for one team only.
    let first = world.approve("lead", &id, &digest).await.expect("a vote");
    assert_eq!(first.state, Some(State::PendingApproval));
    assert!(first.message.contains("1 more approval is needed"), "{}", first.message);
    let again = world.approve("lead", &id, &digest).await.expect("the same");
    assert!(again.message.contains("nothing was done twice"), "{}", again.message);
    let early = refused(world.execute(&world.person("lead"), &id).await);
    assert!(early.contains("not been approved yet"), "{early}");

    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    let approvals = page.approvals.expect("it waits");
    assert_eq!(approvals.given.len(), 1);
    assert_eq!(approvals.missing.len(), 1);
    assert!(page.panel.approve);

    let second = world.approve("reviewer", &id, &digest).await.expect("the last vote");
    assert_eq!(second.state, Some(State::Approved));
    let late = refused(world.approve("reviewer2", &id, &digest).await);
    assert!(late.contains("already approved by reviewer of acme"), "{late}");
    assert!(
        world
            .execute(&world.person("lead"), &id)
            .await
            .expect("an outcome")
            .done
    );
    let answer = world.get(&id).await;
    let people: Vec<_> = answer["decisions"]
        .as_array()
        .expect("decisions")
        .iter()
        .map(|d| d["by"]["name"].clone())
        .collect();
    assert_eq!(people, [json!("lead of acme"), json!("reviewer of acme")]);
    assert_eq!(
        answer["audit"]["userIdentity"]["approvers"].as_array().map(Vec::len),
        Some(2)
    );
    let entries = world
        .engine
        .search_audit(&world.person("auditor"), "event:action.endorsed", "")
        .await;
    assert_eq!(entries.expect("entries").rows.len(), 1);
}

#[tokio::test]
async fn an_approval_that_would_not_count_is_refused() {
    let world = two_teams().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    // Payments has its approval already, and reviewer2 is on no other team.
    let idle = refused(world.approve("reviewer2", &id, &digest).await);
    assert!(idle.contains("would not count") && idle.contains("Checkout"), "{idle}");
    let page = world
        .engine
        .action_page(&world.person("reviewer2"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(!page.panel.approve && page.panel.reject);
    assert_eq!(world.count("decisions").await, 1);
    // A person whose approval would not count can still reject.
    let no = world
        .engine
        .reject(&world.person("reviewer2"), &id, &digest, &[], "Not like this.", "")
        .await;
    assert!(no.expect("rejected").done);
    assert_eq!(world.get(&id).await["status"], "rejected");
}

#[tokio::test]
async fn a_person_in_no_group_is_told_so_everywhere() {
    let world = World::new().await;
    world.join("lead", "checkout").await;
    world
        .policy("[[decide]]\nname = \"Checkout alone\"\ngroups = [{ name = \"Checkout\", teams = [\"checkout\"] }]")
        .await;
    let (id, digest) = world.proposed("k1").await;
    let why = refused(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("Checkout alone"), "{why}");
    let why = refused(
        world
            .engine
            .reject(&world.person("reviewer"), &id, &digest, &[], "no", "")
            .await,
    );
    assert!(why.contains("Checkout alone"), "{why}");
    let inbox = async |who: &str, tab: Tab| {
        let query = InboxQuery {
            tab,
            ..InboxQuery::default()
        };
        world.engine.inbox(&world.person(who), &query).await.expect("a page")
    };
    let all = inbox("reviewer", Tab::Pending).await;
    assert!(all.rows[0].not_mine.as_ref().expect("a reason").contains("Checkout"));
    assert!(inbox("reviewer", Tab::Mine).await.rows.is_empty());
    let counted = |page: &loopiq::views::InboxPage| {
        page.counts
            .iter()
            .find(|(tab, _)| *tab == Tab::Mine)
            .map(|(_, count)| *count)
    };
    assert_eq!(counted(&all), Some(0));
    let of_lead = inbox("lead", Tab::Mine).await;
    assert_eq!((of_lead.rows.len(), counted(&of_lead)), (1, Some(1)));
}

#[tokio::test]
async fn the_policies_of_the_proposal_and_of_today_must_both_allow_it() {
    let world = World::new().await;
    world.join("lead", "checkout").await;
    let (id, digest) = world.proposed("k1").await;
    world
        .policy("[[decide]]\nname = \"New\"\ngroups = [{ name = \"Checkout\", teams = [\"checkout\"] }]")
        .await;
    let why = refused(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("\"New\""), "today's forbids it: {why}");
    let (second, its_digest) = world.proposed("k2").await;
    world.policy("# As it was built in.").await;
    let why = refused(world.approve("reviewer", &second, &its_digest).await);
    assert!(
        why.contains("\"New\""),
        "that of the day it was proposed forbids it: {why}"
    );
    assert!(
        world
            .approve("lead", &second, &its_digest)
            .await
            .expect("approved")
            .done
    );
    let inbox = world
        .engine
        .inbox(
            &world.person("reviewer"),
            &InboxQuery {
                tab: Tab::Mine,
                ..InboxQuery::default()
            },
        )
        .await;
    let ids: Vec<String> = inbox.expect("a page").rows.into_iter().map(|row| row.id).collect();
    assert_eq!(
        ids,
        std::slice::from_ref(&id),
        "the first was proposed under the built-in policy, and today's is the same again"
    );
    // The approval stays recorded, and the engine judges it by the new policy at the execution.
    assert!(world.approve("reviewer", &id, &digest).await.expect("approved").done);
    world.policy(TWO_TEAMS_AGAIN).await;
    let outcome = world.execute(&world.person("lead"), &id).await.expect("an outcome");
    assert!(!outcome.done, "{}", outcome.message);
    assert_eq!(world.get(&id).await["reasonCodes"], json!(["policy_refused"]));
}

const TWO_TEAMS_AGAIN: &str = r#"
[[decide]]
name = "Two"
groups = [{ name = "Any", approvals = 2 }]
"#;

#[tokio::test]
async fn an_approver_who_lost_their_role_counts_no_more() {
    let world = two_teams().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    world.approve("lead", &id, &digest).await.expect("the last vote");
    let reviewer = world.acme.person("reviewer");
    let asserted = Asserted {
        issuer: "https://idp.example".into(),
        subject: reviewer.email.to_string(),
        email: reviewer.email,
        name: reviewer.name.to_string(),
        roles: Some(vec![Role::Auditor]),
        groups: Vec::new(),
    };
    world
        .engine
        .sign_in("acme", asserted, &loopiq::engine::RequestOrigin::default())
        .await
        .expect("a sign-in");
    let outcome = world.execute(&world.person("lead"), &id).await.expect("an outcome");
    assert!(!outcome.done);
    assert_eq!(world.get(&id).await["reasonCodes"], json!(["not_authorized"]));
}

#[tokio::test]
async fn duties_are_separated_as_the_policy_says() {
    let world = World::new().await;
    world
        .policy("[separation]\napprover_may_execute = false\npruner_may_decide = false")
        .await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let why = refused(world.execute(&world.person("reviewer"), &id).await);
    assert!(why.contains("another person has to execute it"), "{why}");
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(!page.panel.execute && page.panel.revoke, "{:?}", page.panel);
    assert!(
        world
            .execute(&world.person("lead"), &id)
            .await
            .expect("an outcome")
            .done
    );

    let (id, digest) = world.proposed("k2").await;
    let outcome = world
        .engine
        .prune(
            &world.person("reviewer"),
            &id,
            &digest,
            &["two".to_owned()],
            "One is enough.",
            "",
        )
        .await;
    let next = outcome.expect("pruned").successor.expect("a revision");
    let digest = world
        .engine
        .action_page(&world.person("lead"), &next, Visit::Unrecorded)
        .await
        .expect("a page")
        .digest;
    let why = refused(world.approve("reviewer", &next, &digest).await);
    assert!(why.contains("another person has to decide the rest"), "{why}");
}

#[tokio::test]
async fn an_action_continues_when_a_policy_change_leaves_no_approval_missing() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.policy(TWO_TEAMS_AGAIN).await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    world.policy("# One is enough again.").await;
    // The reviewer, who has approved already, lets the action continue; the engine stores no second decision.
    let outcome = world.approve("reviewer", &id, &digest).await.expect("approved");
    assert_eq!(outcome.state, Some(State::Approved), "{}", outcome.message);
    assert_eq!(world.count("decisions").await, 1);
    assert!(
        world
            .execute(&world.person("lead"), &id)
            .await
            .expect("an outcome")
            .done
    );
}

#[tokio::test]
async fn my_actions_are_found_behind_a_page_of_others() {
    let world = two_teams().await;
    for n in 0..55 {
        let (id, digest) = world.story(n).await;
        let consent = world.consent(&id, &digest).await;
        world
            .consent_as(&world.person("reviewer"), &id, consent)
            .await
            .expect("a vote");
    }
    let (last, _) = world.story(99).await;
    let query = InboxQuery {
        tab: Tab::Mine,
        ..InboxQuery::default()
    };
    let page = world
        .engine
        .inbox(&world.person("reviewer2"), &query)
        .await
        .expect("a page");
    let ids: Vec<String> = page.rows.into_iter().map(|row| row.id).collect();
    assert_eq!((ids, page.next), (vec![last], None));
}

#[tokio::test]
async fn a_warning_after_an_approval_is_left_to_another_approver() {
    let world = World::new().await;
    let story = async |key: &str, title: &str| {
        let arguments = json!({
            "idempotencyKey": key, "reason": format!("Evidence {} asks for it.", world.acme.evidence), "kind": "story",
            "releaseId": world.acme.release, "teamId": world.acme.team, "title": title, "description": "d", "priority": "low",
            "evidenceIds": [world.acme.evidence],
        });
        let answer = world
            .engine
            .call_tool(&world.client("developer"), "loopiq_create_work_item", arguments)
            .await;
        let answer = answer.expect("a proposal").structured;
        (text(&answer, "actionId"), text(&answer, "digest"))
    };
    let (first, its_digest) = story("k1", "Limit failed attempts at signing in").await;
    world.approve("lead", &first, &its_digest).await.expect("approved");
    let (id, digest) = story("k2", "Limit the failed attempts at signing in again").await;
    world.policy(TWO_TEAMS_AGAIN).await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    world.policy("# One is enough again.").await;
    assert!(
        world
            .execute(&world.person("lead"), &first)
            .await
            .expect("an outcome")
            .done
    );
    let why = refused(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("come up since you approved it"), "{why}");
    assert!(world.approve("lead", &id, &digest).await.expect("approved").done);
    assert!(
        world
            .execute(&world.person("lead"), &id)
            .await
            .expect("an outcome")
            .done
    );
}
