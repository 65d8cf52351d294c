//! Many people act on one action at once, over separate connections: the action has one outcome, and every other person is told which.

use crate::quorum::TWO_TEAMS;
use crate::world::{World, text};
use loopiq::domain::{State, Timestamp};
use loopiq::engine::{ApprovalRequest, Engine, Error, Visit};
use loopiq::store::Store;
use serde_json::json;
use std::sync::Arc;

/// The number of rounds: `LOOPIQ_RACE_ROUNDS`, or 24.
fn rounds() -> usize {
    std::env::var("LOOPIQ_RACE_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(24)
}

/// The state after an event of an action's audit entries; `None` if the event may not follow in this state.
fn next(state: State, event: &str) -> Option<State> {
    match (state, event) {
        (_, "action.viewed") | (State::PendingApproval, "action.endorsed" | "action.proposed") => Some(state),
        (State::PendingApproval, "action.approved") => Some(State::Approved),
        (State::PendingApproval, "action.rejected") => Some(State::Rejected),
        (State::PendingApproval | State::Approved, "action.withdrawn" | "action.expired" | "action.superseded") => {
            Some(State::Rejected)
        }
        (State::Approved, "action.revoked") => Some(State::Rejected),
        (State::Approved, "action.executed") => Some(State::Executed),
        (State::Approved, "action.failed") => Some(State::Failed),
        (state, "access.denied" | "action.refused") => Some(state),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_have_one_outcome() {
    let world = Arc::new(World::new().await);
    world.join("reviewer", "payments").await;
    world.join("lead", "checkout").await;
    // Another node on the same database.
    let store = Store::open(&world.database.url).await.expect("a database");
    let other = Engine::new(store, world.engine.runtime().clone(), "");
    let mut outcomes = std::collections::BTreeMap::<&str, usize>::new();
    // The test advances the clock by days, and the evidence must not become stale.
    const PATIENT: &str = "[evidence]\nmax_age_days = 3650\n";
    world.policy(PATIENT).await;
    for round in 0..rounds() {
        if round == rounds() / 2 {
            world.policy(&format!("{PATIENT}{TWO_TEAMS}")).await;
        }
        let items = world.count("work_items").await;
        let (id, digest) = world.story(round).await;
        let consent = world.consent(&id, &digest).await;
        // Some rounds begin with an approved action, so that executions race with revocations, withdrawals and expiries.
        if round % 3 == 0 {
            for who in ["reviewer", "lead"] {
                drop(world.consent_as(&world.person(who), &id, consent.clone()).await);
            }
        }
        let engine = |n: usize| {
            if n.is_multiple_of(2) {
                world.engine.clone()
            } else {
                other.clone()
            }
        };
        let mut tasks = Vec::new();
        for (n, (what, who)) in [
            ("approve", "reviewer"),
            ("approve", "lead"),
            ("approve", "reviewer"),
            ("reject", "reviewer2"),
            ("reject", "lead"),
            ("execute", "lead"),
            ("execute", "reviewer"),
            ("revoke", "lead"),
            ("withdraw", "developer"),
            ("supersede", "developer"),
            ("expire", "developer"),
        ]
        .into_iter()
        .enumerate()
        {
            // Each round runs other commands. Commands that close the action are rare, or no action would ever be executed.
            let ends = !matches!(what, "approve" | "execute");
            if (ends && (round * 3 + n) % 5 != 0) || (!ends && (round + n) % 4 == 0) {
                continue;
            }
            let (engine, world) = (engine(n + round), world.clone());
            let (id, digest, consent) = (id.clone(), digest.clone(), consent.clone());
            tasks.push(tokio::spawn(async move {
                let person = world.person(who);
                // The delays vary, so that another command is first in each round.
                let late = (round * 911 + n * 577) % 4_000 + if what == "execute" { 1_500 } else { 0 };
                tokio::time::sleep(std::time::Duration::from_micros(late as u64)).await;
                match what {
                    "approve" => {
                        let view = world.opened(&person, &id).await;
                        let consent = ApprovalRequest { view, ..consent };
                        engine.approve(&person, &id, consent).await.map(|outcome| outcome.done)
                    }
                    "reject" => engine
                        .reject(&person, &id, &digest, &[], "no", "")
                        .await
                        .map(|outcome| outcome.done),
                    "execute" => {
                        let view = world.opened(&person, &id).await;
                        engine.execute(&person, &id, &view).await.map(|outcome| outcome.done)
                    }
                    "revoke" => engine.revoke(&person, &id, "no", "").await.map(|outcome| outcome.done),
                    "withdraw" => {
                        let call = json!({ "actionId": id, "reason": "r" });
                        engine
                            .call_tool(&world.client(who), "loopiq_withdraw_action", call)
                            .await
                            .map(|_| true)
                    }
                    "supersede" => {
                        let mut arguments = world.package(&format!("in place of {round}"));
                        arguments["supersedesActionId"] = json!(id);
                        let tool = "loopiq_create_remediation_work_package";
                        engine
                            .call_tool(&world.client(who), tool, arguments)
                            .await
                            .map(|_| true)
                    }
                    _ => {
                        world.advance_clock(73 * Timestamp::HOUR);
                        engine.sweep().await.map(|_| true)
                    }
                }
            }));
        }
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(_)
                | Err(
                    Error::AlreadyDecided { .. }
                    | Error::Refused { .. }
                    | Error::Invalid { .. }
                    | Error::NotAuthorized { .. },
                ) => {}
                Err(other) => panic!("round {round}: {other:?}"),
            }
        }
        let state = judge(&world, &id, round).await;
        *outcomes.entry(state.as_str()).or_default() += 1;
        let created = world.count("work_items").await - items;
        assert_eq!(created, i64::from(state == State::Executed), "round {round}: {state:?}");
        // The lead rejects the actions that replaced this one, so that the next round starts with an empty inbox.
        let page = world
            .engine
            .inbox(&world.person("lead"), &loopiq::views::InboxQuery::default())
            .await
            .expect("a page");
        for row in page.rows {
            let digest = world
                .engine
                .action_page(&world.person("lead"), &row.id, Visit::Unrecorded)
                .await
                .expect("a page")
                .digest;
            drop(
                world
                    .engine
                    .reject(&world.person("lead"), &row.id, &digest, &[], "no", "")
                    .await,
            );
        }
    }
    eprintln!("{} rounds: {outcomes:?}", rounds());
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(report.bad, None);
    assert!(rounds() < 20 || outcomes.len() > 1, "nothing raced: {outcomes:?}");
}

/// The events of the action's entries must be a valid sequence, and the action's state must be the last state of that sequence.
async fn judge(world: &World, id: &str, round: usize) -> State {
    let page = world
        .engine
        .action_page(&world.person("auditor"), id, Visit::Unrecorded)
        .await
        .expect("a page");
    let mut state = State::PendingApproval;
    for step in &page.timeline {
        let next_state = next(state, &step.event);
        state =
            next_state.unwrap_or_else(|| panic!("round {round}: {} after {state:?}: {:?}", step.event, page.timeline));
    }
    let answer = world.get(id).await;
    let stored = State::parse(&text(&answer, "status")).expect("a state");
    // The action may have expired before a sweep has written the expiry.
    assert!(
        stored == state || (stored == State::Rejected && !state.is_final()),
        "round {round}: {stored:?} and {state:?}"
    );
    let decisions = answer["decisions"].as_array().cloned().unwrap_or_default();
    let count = |kind: &str| decisions.iter().filter(|decision| decision["decision"] == kind).count();
    assert!(
        count("reject") <= 1 && count("revoke") <= 1 && count("approve") <= 2,
        "round {round}: {decisions:?}"
    );
    let mut people: Vec<String> = decisions
        .iter()
        .filter(|decision| decision["decision"] == "approve")
        .map(|decision| decision["by"]["id"].to_string())
        .collect();
    people.sort();
    let all = people.len();
    people.dedup();
    assert_eq!(people.len(), all, "round {round}: nobody decides twice");
    stored
}
