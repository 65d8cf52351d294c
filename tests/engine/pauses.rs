//! Pauses: who may pause and resume, what a pause stops, and what it leaves possible.

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Error, Visit};
use loopiq::views::Outcome;
use serde_json::json;

const PACKAGE: &str = "tool:loopiq_create_remediation_work_package";

fn paused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.expect_err("refused");
    assert_eq!(error.code(), "paused", "{error}");
    error.to_string()
}

async fn pause(world: &World, who: &str, target: &str) -> Result<Outcome, Error> {
    world
        .engine
        .pause(&world.person(who), target, "It proposes nonsense")
        .await
}

async fn resume(world: &World, who: &str, target: &str) -> Result<Outcome, Error> {
    world.engine.resume(&world.person(who), target).await
}

fn client_target(world: &World) -> String {
    PauseTarget::Client(world.acme.client.id.clone()).to_string()
}

#[tokio::test]
async fn a_pause_stops_proposals_answers_approvals_and_executions() {
    for target in ["agents", PACKAGE, "client"] {
        let world = World::new().await;
        let target = match target {
            "client" => client_target(&world),
            other => other.to_owned(),
        };
        let (approved, digest) = world.proposed("approved").await;
        world.approve("reviewer", &approved, &digest).await.expect("approved");
        let (pending, digest) = world.proposed("pending").await;
        let reviewer = world.person("reviewer");
        let asked = world.engine.ask(&reviewer, &pending, "Why two tasks?").await;
        asked.expect("asked");
        let question = world.get(&pending).await["questions"][0]["id"].clone();
        let consent = world.consent(&pending, &digest).await;
        pause(&world, "operator", &target).await.expect("paused");

        let why = paused(world.propose(world.package("new")).await);
        assert!(why.contains("by operator of acme: \"It proposes nonsense\"."), "{why}");
        assert!(
            why.contains("Nothing was stored") && why.contains("You can still read"),
            "{why}"
        );
        let mut dry = world.package("dry");
        dry["dryRun"] = json!(true);
        paused(world.propose(dry).await);
        let answer = json!({ "actionId": pending, "questionId": question, "answer": "Two files." });
        let agent = world.client("developer");
        paused(
            world
                .engine
                .call_tool(&agent, "loopiq_answer_question", answer.clone())
                .await,
        );
        let why = paused(world.engine.approve(&reviewer, &pending, consent.clone()).await);
        assert!(why.contains("It can be rejected now"), "{why}");
        paused(world.engine.approve_and_execute(&reviewer, &pending, consent).await);
        paused(world.execute(&reviewer, &approved).await);
        assert_eq!(
            world.get(&approved).await["status"],
            "approved",
            "the attempt does not fail it"
        );

        // The key of a proposal from before gives the original, and reading, revoking and rejecting go on.
        let original = world.propose(world.package("pending")).await.expect("the original");
        assert_eq!(text(&original.structured, "actionId"), pending);
        let view = world.opened(&reviewer, &approved).await;
        let revoked = world.engine.revoke(&reviewer, &approved, "Paused first", &view).await;
        assert!(revoked.expect("revoked").done);
        let view = world.opened(&reviewer, &pending).await;
        let codes = [ReasonCode::Declined];
        let rejected = world
            .engine
            .reject(&reviewer, &pending, &digest, &codes, "Nonsense", &view);
        assert!(rejected.await.expect("rejected").done);

        resume(&world, "operator", &target).await.expect("resumed");
        let mut other = world.package("after");
        other["parent"]["title"] = json!("Replace the login form of the shop");
        world.propose(other).await.expect("a proposal");
    }
}

#[tokio::test]
async fn what_is_closed_says_how_it_was_closed_also_in_a_pause() {
    let world = World::new().await;
    let (id, digest) = world.proposed("one").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("executed");
    pause(&world, "lead", "agents").await.expect("paused");
    let again = world
        .execute(&world.person("reviewer"), &id)
        .await
        .expect("the outcome");
    assert!(again.message.contains("nothing was done twice"), "{}", again.message);
}

#[tokio::test]
async fn a_pause_covers_only_what_it_names() {
    let world = World::new().await;
    pause(&world, "operator", "tool:loopiq_accept_risk")
        .await
        .expect("paused");
    let (id, digest) = world.proposed("one").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    // The other tenant has pauses of its own.
    pause(&world, "operator", "agents").await.expect("paused");
    let stranger = world.person_of(&world.globex, "operator");
    assert!(
        world
            .engine
            .pauses_page(&stranger)
            .await
            .expect("a page")
            .pauses
            .is_empty()
    );
    let foreign = world.engine.pause(&stranger, &client_target(&world), "theirs").await;
    assert_eq!(foreign.expect_err("of another tenant").code(), "not_found");
    let ended = world.engine.resume(&stranger, "agents").await.expect("no pause there");
    assert!(ended.message.contains("not paused"), "{}", ended.message);
    paused(world.propose(world.package("two")).await);
    let resumed = resume(&world, "operator", "agents").await.expect("resumed").message;
    assert!(resumed.contains("One other pause is still in force"), "{resumed}");
}

#[tokio::test]
async fn leads_and_operators_pause_and_only_operators_resume() {
    let world = World::new().await;
    for who in ["developer", "reviewer", "auditor"] {
        let refused = pause(&world, who, "agents").await.expect_err("refused");
        assert_eq!(refused.code(), "not_authorized", "{who}");
    }
    let agent = world.engine.pause(&world.client("lead"), "agents", "mine").await;
    assert_eq!(agent.expect_err("no token pauses").code(), "not_authorized");
    assert!(pause(&world, "lead", "agents").await.expect("paused").done);
    let refused = resume(&world, "lead", "agents").await.expect_err("refused");
    assert_eq!(refused.code(), "not_authorized");
    // The role of the session counts no more once it is gone.
    let operator = world.person("operator");
    world.sign_in_again("operator", Role::Developer).await;
    let refused = world.engine.resume(&operator, "agents").await.expect_err("refused");
    assert_eq!(refused.code(), "not_authorized");
    world.sign_in_again("operator", Role::Operator).await;
    world.engine.resume(&operator, "agents").await.expect("resumed");
    let console = Ctx::command(world.acme.tenant.clone(), world.engine.runtime());
    world
        .engine
        .pause(&console, "agents", "At night")
        .await
        .expect("paused");
    let why = paused(world.propose(world.package("one")).await);
    assert!(why.contains("by an operator at the console: \"At night\""), "{why}");
}

#[tokio::test]
async fn pausing_twice_changes_nothing_and_each_change_is_on_record() {
    let world = World::new().await;
    pause(&world, "lead", "agents").await.expect("paused");
    let again = world
        .engine
        .pause(&world.person("operator"), "agents", "Another reason")
        .await;
    let message = again.expect("paused before").message;
    assert!(
        message.contains("by lead of acme: \"It proposes nonsense\"") && message.contains("Nothing was changed"),
        "{message}"
    );
    resume(&world, "operator", "agents").await.expect("resumed");
    let again = resume(&world, "operator", "agents").await.expect("nothing to do");
    assert!(again.message.contains("not paused"), "{}", again.message);
    let [entry] = world.entries("agents.paused").await.try_into().expect("one entry");
    assert_eq!(
        (&entry["details"]["target"], &entry["headline"]),
        (&json!("agents"), &json!("All agents"))
    );
    assert_eq!(
        (&entry["note"], &entry["actor"]["email"]),
        (&json!("It proposes nonsense"), &json!("lead@acme.example"))
    );
    let [entry] = world.entries("agents.resumed").await.try_into().expect("one entry");
    assert_eq!(entry["details"]["pauseReason"], "It proposes nonsense");
    assert_eq!(entry["actor"]["email"], "operator@acme.example");
}

#[tokio::test]
async fn a_paused_client_sends_no_evidence_and_no_catalog() {
    let world = World::new().await;
    let scopes = Scopes::parse("loopiq:import loopiq:catalog").0;
    let client = world.acme.client.clone();
    let program = Ctx::new(
        Principal::Program {
            tenant: world.acme.tenant.clone(),
            client,
            scopes,
        },
        world.engine.runtime(),
    );
    let import = async || {
        let scan = crate::world::sarif(json!([crate::world::result("a/rule", "src/a.rs", 1)]));
        world
            .engine
            .import(&program, "SHOP-1", "a.sarif", scan, None, None)
            .await
    };
    // A pause of all agents is not about programs of the tenant.
    pause(&world, "operator", "agents").await.expect("paused");
    import().await.expect("imported");
    pause(&world, "operator", &client_target(&world)).await.expect("paused");
    let why = paused(world.engine.check_import(&program, "SHOP-1").await);
    assert!(
        why.contains("is paused since") && why.contains("Repeat it after"),
        "{why}"
    );
    paused(import().await);
    let team = loopiq::catalog::SourceFile {
        name: "a.yaml".to_owned(),
        text: "teams:\n  - { key: new, name: New }\n".to_owned(),
    };
    paused(
        world
            .engine
            .apply_catalog(&program, std::slice::from_ref(&team), false, None)
            .await,
    );
    world
        .engine
        .preview_catalog(&program, &[team], false)
        .await
        .expect("a preview changes nothing");
}

#[tokio::test]
async fn what_cannot_be_paused_is_refused_by_name() {
    let world = World::new().await;
    for wrong in [
        "",
        "agent",
        "tool:loopiq_get_action",
        "tool:",
        "client:Helix",
        "tool:\u{202e}x",
    ] {
        let refused = pause(&world, "operator", wrong).await.expect_err("refused").to_string();
        assert!(
            refused.contains("cannot be paused") && !refused.contains('\u{202e}'),
            "{refused}"
        );
    }
    let absent = PauseTarget::Client(ClientId::from_bits(99)).to_string();
    assert_eq!(
        pause(&world, "operator", &absent).await.expect_err("refused").code(),
        "not_found"
    );
    let operator = world.person("operator");
    for (reason, says) in [
        (" ", "write why"),
        (&*"x".repeat(501), "longer than"),
        ("a\u{202e}b", "what you wrote"),
    ] {
        let refused = world
            .engine
            .pause(&operator, "agents", reason)
            .await
            .expect_err("refused")
            .to_string();
        assert!(refused.contains(says), "{refused}");
    }
    assert!(
        world
            .engine
            .pauses_page(&operator)
            .await
            .expect("a page")
            .pauses
            .is_empty()
    );
}

#[tokio::test]
async fn pages_say_what_is_paused_and_offer_no_approval() {
    let world = World::new().await;
    let (id, _) = world.proposed("one").await;
    let reviewer = world.person("reviewer");
    let open = async || {
        world
            .engine
            .action_page(&reviewer, &id, Visit::Opened)
            .await
            .expect("a page")
            .panel
    };
    assert!(open().await.approve);
    pause(&world, "lead", &client_target(&world)).await.expect("paused");
    let panel = open().await;
    assert!(panel.reject && !panel.approve, "{panel:?}");
    let why = panel.why_not.expect("why").to_string();
    assert!(
        why.starts_with("Can't be approved or run until an operator resumes. The client "),
        "{why}"
    );
    let inbox = world
        .engine
        .inbox(&reviewer, &loopiq::views::InboxQuery::default())
        .await
        .expect("an inbox");
    assert_eq!(inbox.paused.len(), 1);
    let clients = world
        .engine
        .clients_page(&world.person("operator"))
        .await
        .expect("a page");
    assert!(
        clients
            .others
            .expect("all")
            .iter()
            .all(|grant| grant.is_paused == (grant.client == world.acme.client.id.to_string()))
    );
    let page = world.engine.pauses_page(&reviewer).await.expect("a page");
    assert!(page.pauses.len() == 1 && !page.may_pause && page.clients.is_empty());
}

#[tokio::test]
async fn no_proposal_is_stored_after_a_pause_that_began_before_it() {
    let world = World::new().await;
    for round in 0..12 {
        let proposals = (0..3).map(|n| world.propose(world.package(&format!("r{round}-{n}"))));
        let (outcomes, paused) = futures::join!(
            futures::future::join_all(proposals),
            pause(&world, "operator", "agents")
        );
        paused.expect("paused");
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), "paused", "{error}");
        }
        resume(&world, "operator", "agents").await.expect("resumed");
    }
    // The log has one order on every database: nothing is proposed between a pause and its end.
    let sql = "SELECT event FROM audit_entries WHERE tenant = 'acme' AND event IN ('action.proposed', 'agents.paused', 'agents.resumed') ORDER BY seq";
    let events: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(&mut world.database.connect().await)
        .await
        .expect("events");
    assert_eq!(events.iter().filter(|event| *event == "agents.paused").count(), 12);
    for pair in events.windows(2) {
        assert!(pair[0] != "agents.paused" || pair[1] == "agents.resumed", "{events:?}");
    }
}
