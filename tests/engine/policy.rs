//! Policies: checks, comparisons, trials, activation, and risk classes.

use crate::quorum::TWO_TEAMS;
use crate::world::{World, refused, result, sarif, text};
use loopiq::context::Ctx;
use loopiq::domain::{PlainText, ReasonCode, State, Timestamp};
use loopiq::engine::{Error, Switched, Visit};
use serde_json::json;

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
    // This policy turns a warning into a block: the client had not read the records that the package cites.
    let why = refused(world.approve("lead", &id, &digest).await);
    assert!(why.starts_with("Not approved:") && why.contains("read"), "{why}");
    world.advance_clock(3 * Timestamp::HOUR);
    assert_eq!(world.get(&id).await["status"], "rejected");
}

#[tokio::test]
async fn a_policy_is_checked_compared_tried_and_activated() {
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
        wrong.mistakes[0].contains("unknown team \"nowhere\""),
        "{:?}",
        wrong.mistakes
    );
    assert!(wrong.effects.is_none());
    match world.engine.switch_policy(&operator, nowhere, "", 1).await {
        Err(error @ Error::Setting { .. }) => assert!(error.to_string().starts_with("Nothing was changed:"), "{error}"),
        other => panic!("switched on: {other:?}"),
    }
    let report = world.engine.check_policy(&operator, TWO_TEAMS).await.expect("a report");
    assert!(report.mistakes[0].contains("unknown team \"payments\""));
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
    let words: Vec<PlainText> = effects.named.iter().flat_map(|action| action.words.clone()).collect();
    assert!(
        words
            .iter()
            .any(|text| text == "it would have waited for 1 more approval"),
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
    // Another tenant has its own policy.
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
async fn a_policy_trial_covers_executors_and_old_evidence() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("ran");
    let operator = world.person("operator");
    let words = async |source: &str| {
        let report = world.engine.check_policy(&operator, source).await.expect("a report");
        let named = report.effects.expect("effects").named;
        named.into_iter().flat_map(|action| action.words).collect::<Vec<_>>()
    };
    let apart = words("[separation]\napprover_may_execute = false").await;
    assert_eq!(apart, ["reviewer of acme could not have run it"]);
    // The scan was collected two days before.
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
async fn todays_policy_computes_its_own_risk_class() {
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
