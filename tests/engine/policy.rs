//! Who decides: the policy of the day an action was proposed and today's, quorum, and separation of duties.

use crate::world::{World, result, sarif, text};
use loopiq::context::Ctx;
use loopiq::domain::{PlainText, ReasonCode, Role, State, Timestamp};
use loopiq::engine::Visit;
use loopiq::engine::{ApprovalRequest, Error, Switched};
use loopiq::store::Asserted;
use loopiq::views::{InboxQuery, Tab};
use serde_json::json;

/// Two teams must agree to whatever an agent wants.
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

fn refused(outcome: Result<loopiq::views::Outcome, Error>) -> String {
    outcome.expect_err("refused").to_string()
}

#[tokio::test]
async fn two_teams_together_and_one_person_counts_once() {
    let world = two_teams().await;
    let (id, digest) = world.proposed("k1").await;
    // The lead is on both teams, and is one person.
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
async fn a_vote_that_would_not_count_is_not_taken() {
    let world = two_teams().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    // The place of Payments is taken, and reviewer2 is on no other team.
    let idle = refused(world.approve("reviewer2", &id, &digest).await);
    assert!(idle.contains("would not count") && idle.contains("Checkout"), "{idle}");
    let page = world
        .engine
        .action_page(&world.person("reviewer2"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert!(!page.panel.approve && page.panel.reject);
    assert_eq!(world.count("decisions").await, 1);
    // Whoever may decide may still say no.
    let no = world
        .engine
        .reject(&world.person("reviewer2"), &id, &digest, &[], "Not like this.", "")
        .await;
    assert!(no.expect("rejected").done);
    assert_eq!(world.get(&id).await["status"], "rejected");
}

#[tokio::test]
async fn who_is_in_no_group_is_told_so_everywhere() {
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
async fn both_the_policy_of_then_and_todays_must_allow_it() {
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
    // An approval that was given stays, and is judged anew when it runs.
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
        roles: vec![Role::Auditor],
    };
    world.engine.sign_in("acme", asserted).await.expect("a sign-in");
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
    assert!(why.contains("somebody else runs it"), "{why}");
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
    assert!(why.contains("somebody else decides what is left"), "{why}");
}

#[tokio::test]
async fn conditions_on_arguments_give_risk_deciders_and_expiry() {
    let world = World::new().await;
    world
        .policy(
            "[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nwhere = [{ at = \"/children\", at_least = 2 }]\nclass = \"high\"\n\
             [[decide]]\nname = \"Leads\"\nrisk = [\"high\"]\ngroups = [{ name = \"Leads\", roles = [\"lead\"] }]\n\
             [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Reviewers\" }]\n[expiry_hours]\nhigh = 2\n[checks]\ngrounding = \"block\"",
        )
        .await;
    let (id, digest) = world.proposed("k1").await;
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.risk.as_str(), "high");
    assert!(
        page.stakes
            .iter()
            .any(|line| line.contains("Creates 1 story and 2 tasks")),
        "{:?}",
        page.stakes
    );
    assert_eq!(page.panel.word.as_deref(), Some("SHOP-1"));
    let why = refused(world.approve("reviewer", &id, &digest).await);
    assert!(why.contains("\"Leads\""), "{why}");
    // What is only warned of blocks here: nobody had read what the package cites.
    let why = refused(world.approve("lead", &id, &digest).await);
    assert!(why.starts_with("Not approved:") && why.contains("read"), "{why}");
    world.pass(3 * Timestamp::HOUR);
    assert_eq!(world.get(&id).await["status"], "rejected");
}

#[tokio::test]
async fn a_word_is_typed_for_what_is_of_high_risk() {
    let world = World::new().await;
    world
        .policy("[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nclass = \"high\"")
        .await;
    let (id, digest) = world.proposed("k1").await;
    let good = world.consent(&id, &digest).await;
    let unseen = refused(world.engine.approve(&world.person("reviewer"), &id, good.clone()).await);
    assert!(unseen.contains("open the action's page"), "{unseen}");
    world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Opened)
        .await
        .expect("opened");
    for typed in ["", "SHOP", "yes"] {
        let consent = ApprovalRequest {
            typed: typed.to_owned(),
            ..good.clone()
        };
        let why = refused(world.consent_as(&world.person("reviewer"), &id, consent).await);
        assert!(why.contains("typing SHOP-1"), "{why}");
    }
    world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Opened)
        .await
        .expect("opened");
    // Whoever typed the word may not have read the page.
    assert!(good.opened.iter().any(|part| part == "FND-1"), "{:?}", good.opened);
    let unread = ApprovalRequest {
        opened: good.opened[1..].to_vec(),
        ..good.clone()
    };
    let why = refused(world.consent_as(&world.person("reviewer"), &id, unread).await);
    assert!(why.contains("still folded: ") && why.contains(&good.opened[0]), "{why}");
    let mut opened = vec!["a part that the page does not have".to_owned(); 400];
    opened.extend(good.opened.clone());
    let consent = ApprovalRequest {
        typed: " shop-1 ".to_owned(),
        opened,
        ..good
    };
    assert!(
        world
            .consent_as(&world.person("reviewer"), &id, consent)
            .await
            .expect("approved")
            .done
    );
    let entries = world
        .engine
        .search_audit(&world.person("auditor"), "event:action.approved", "")
        .await;
    let seq = entries.expect("entries").rows[0].seq;
    let entry = world
        .engine
        .audit_entry(&world.person("auditor"), seq)
        .await
        .expect("an entry");
    for part in ["\"typed\": \"SHOP-1\"", "\"openedParts\": [\n", "\"openedAt\": \"2026"] {
        assert!(entry.content.contains(part), "{part} in {}", entry.content);
    }
    assert!(!entry.content.contains("does not have"), "{}", entry.content);
}

#[tokio::test]
async fn a_page_opened_before_the_policy_asked_for_more_was_not_read() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer");
    world
        .engine
        .action_page(&reviewer, &id, Visit::Opened)
        .await
        .expect("opened");
    world
        .policy("[[risk]]\ntool = \"loopiq_create_remediation_work_package\"\nclass = \"high\"")
        .await;
    let read = world.consent(&id, &digest).await;
    let guessed = ApprovalRequest {
        opened: Vec::new(),
        ..read.clone()
    };
    let why = refused(world.consent_as(&reviewer, &id, guessed).await);
    assert!(why.contains("still folded"), "{why}");
    assert!(world.consent_as(&reviewer, &id, read).await.expect("approved").done);
}

#[tokio::test]
async fn a_policy_is_checked_compared_tried_and_switched_on() {
    let world = World::new().await;
    world.join("lead", "checkout").await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.proposed("k2").await;
    let operator = world.person("operator");
    let wrong = world
        .engine
        .check_policy(&operator, "[separation]\ncaller_may = 1")
        .await
        .expect("a report");
    assert!(
        wrong.mistakes[0].starts_with("line 2, separation.caller_may: unknown field"),
        "{:?}",
        wrong.mistakes
    );
    let nowhere = "[[decide]]\nname = \"x\"\ngroups = [{ name = \"y\", teams = [\"nowhere\"] }]";
    let wrong = world.engine.check_policy(&operator, nowhere).await.expect("a report");
    assert!(
        wrong.mistakes[0].contains("no team \"nowhere\""),
        "{:?}",
        wrong.mistakes
    );
    assert!(wrong.effects.is_none());
    match world.engine.switch_policy(&operator, nowhere, "", 1).await {
        Err(error @ Error::Setting { .. }) => assert!(error.to_string().starts_with("Nothing was changed:"), "{error}"),
        other => panic!("switched on: {other:?}"),
    }
    let report = world.engine.check_policy(&operator, TWO_TEAMS).await.expect("a report");
    assert!(report.mistakes[0].contains("no team \"payments\""));
    world.join("reviewer", "payments").await;
    let report = world.engine.check_policy(&operator, TWO_TEAMS).await.expect("a report");
    assert!(report.mistakes.is_empty(), "{:?}", report.mistakes);
    assert!(
        report
            .difference
            .iter()
            .any(|line| line.mark == '+' && line.text.contains("Both teams"))
    );
    let effects = report.effects.expect("effects");
    assert_eq!((effects.looked, effects.changed, effects.more), (2, 2, false));
    let words: Vec<PlainText> = effects.named.iter().flat_map(|one| one.words.clone()).collect();
    assert!(
        words
            .iter()
            .any(|one| one == "it would have waited for 1 more approval"),
        "{words:?}"
    );

    assert_eq!(
        world
            .engine
            .switch_policy(&operator, TWO_TEAMS, "Two pairs of eyes.", 1)
            .await
            .expect("on"),
        Switched::InForce(2)
    );
    let stale = world.engine.switch_policy(&operator, "# other", "", 1).await;
    assert!(
        matches!(
            stale,
            Err(Error::Refused {
                code: ReasonCode::AlreadyDecided,
                ..
            })
        ),
        "{stale:?}"
    );
    let page = world
        .engine
        .policy_page(&operator, Some(1), Some(2))
        .await
        .expect("a page");
    assert_eq!((page.today, page.version, page.versions.len()), (2, 1, 2));
    assert!(
        page.difference
            .iter()
            .any(|line| line.mark == '-' && line.text.contains("Both teams"))
    );
    for who in ["reviewer", "lead", "auditor", "developer"] {
        let refused = world.engine.switch_policy(&world.person(who), "", "", 2).await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{who}");
        assert!(
            world.engine.policy_page(&world.person(who), None, None).await.is_ok(),
            "{who} may read it"
        );
    }
    // Another tenant has its own.
    let theirs = world
        .engine
        .policy_page(&world.person_of(&world.globex, "operator"), None, None)
        .await;
    assert_eq!(theirs.expect("a page").today, 1);
    let entries = world
        .engine
        .search_audit(&world.person("auditor"), "event:policy.switched", "")
        .await;
    assert_eq!(entries.expect("entries").rows.len(), 1);
    assert_eq!(text(&world.get(&id).await, "status"), "approved");
}

#[tokio::test]
async fn a_policy_is_tried_on_who_ran_it_and_on_old_evidence() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("ran");
    let operator = world.person("operator");
    let words = async |source: &str| {
        let report = world.engine.check_policy(&operator, source).await.expect("a report");
        let named = report.effects.expect("effects").named;
        named.into_iter().flat_map(|one| one.words).collect::<Vec<_>>()
    };
    let apart = words("[separation]\napprover_may_execute = false").await;
    assert_eq!(apart, ["reviewer of acme could not have run it"]);
    // The scan is of two days before.
    let fresh = words("[evidence]\nmax_age_days = 1").await;
    assert_eq!(fresh, ["evidence that it cites would have been too old"]);
    assert_eq!(words("[evidence]\nmax_age_days = 3").await, [""; 0]);
    world.policy("[evidence]\nmax_age_days = 1").await;
    assert_eq!(
        words("# As built in.").await,
        ["evidence that it cites would not have been too old"]
    );
}

#[tokio::test]
async fn a_policy_says_which_severity_blocks_every_release() {
    let world = World::new().await;
    let operator = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let import = async |file: &str| {
        let scan = sarif(json!([result("style", file, 1)]));
        let report = world
            .engine
            .import(&operator, "SHOP-1", "style.sarif", scan, None, None)
            .await;
        report.expect("an import").blockers
    };
    assert_eq!(import("b.ts").await, 0, "the release itself asks for high");
    world.policy("[severity]\nblocker_from = \"low\"").await;
    assert!(import("c.ts").await > 0);
}

#[tokio::test]
async fn todays_policy_makes_its_own_class_of_risk() {
    let world = World::new().await;
    world.policy("[severity]\nhigh_risk_from = \"critical\"\n[[risk]]\ntool = \"loopiq_update_finding_status\"\nclass = \"low\"").await;
    let status = json!({
        "idempotencyKey": "status", "reason": format!("{} is not reachable.", world.acme.finding), "findingId": world.acme.finding,
        "expectedVersion": 1, "status": "suppressed", "justification": "Behind the firewall.",
    });
    let answer = world
        .engine
        .call_tool(&world.client("developer"), "loopiq_update_finding_status", status)
        .await;
    let answer = answer.expect("a proposal").structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    world
        .policy(
            "[[decide]]\nname = \"Grave\"\nrisk = [\"high\"]\ngroups = [{ name = \"Any\", approvals = 2 }]\n\
             [[decide]]\nname = \"Rest\"\ngroups = [{ name = \"Any\" }]",
        )
        .await;
    let page = world
        .engine
        .action_page(&world.person("lead"), &id, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(
        (page.risk.as_str(), page.panel.word.as_deref()),
        ("high", Some("SHOP-1"))
    );
    let first = world.approve("reviewer", &id, &digest).await.expect("a vote");
    assert_eq!(first.state, Some(State::PendingApproval), "{}", first.message);
    assert_eq!(
        world.approve("lead", &id, &digest).await.expect("a vote").state,
        Some(State::Approved)
    );
}

#[tokio::test]
async fn what_has_enough_approvals_by_now_goes_on() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.policy(TWO_TEAMS_AGAIN).await;
    world.approve("reviewer", &id, &digest).await.expect("a vote");
    world.policy("# One is enough again.").await;
    // Whoever has voted, and whoever has not, may say that it goes on; nobody decides twice.
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
async fn what_is_mine_is_found_behind_a_page_that_is_not() {
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
async fn a_warning_that_came_after_a_vote_is_for_somebody_else() {
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
