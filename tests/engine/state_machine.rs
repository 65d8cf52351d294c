//! No sequence of commands executes an action twice, or executes an action without an approval.

use crate::world::World;
use loopiq::domain::{State, Timestamp};
use proptest::prelude::*;
use serde_json::json;

#[derive(Debug, Clone, Copy)]
enum Step {
    Propose,
    Approve(usize),
    Reject(usize),
    Revoke(usize),
    Execute(usize),
    Withdraw,
    Wait(i64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Propose),
        4 => (0usize..3).prop_map(Step::Approve),
        1 => (0usize..3).prop_map(Step::Reject),
        1 => (0usize..3).prop_map(Step::Revoke),
        4 => (0usize..3).prop_map(Step::Execute),
        1 => Just(Step::Withdraw),
        1 => (1i64..30).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_runs_twice_or_unapproved(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(steps))?;
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let people = ["reviewer", "reviewer2", "developer"];
    let items = world.count("work_items").await;
    let (mut approved, mut executed, mut last) = (false, 0, State::PendingApproval);
    for step in steps {
        match step {
            Step::Propose => {
                prop_assert_eq!(world.proposed("k1").await, (id.clone(), digest.clone()));
            }
            Step::Approve(who) => {
                let done = world
                    .approve_as(&world.person(people[who]), &id, &digest, &world.marks(&id).await)
                    .await;
                if done.is_ok() {
                    prop_assert!(people[who] != "developer", "the caller, without the role, approved");
                    approved = true;
                }
            }
            Step::Reject(who) => drop(
                world
                    .engine
                    .reject(&world.person(people[who]), &id, &digest, &[], "no", "")
                    .await,
            ),
            Step::Revoke(who) => drop(world.engine.revoke(&world.person(people[who]), &id, "no", "").await),
            Step::Execute(who) => {
                let outcome = world.execute(&world.person(people[who]), &id).await;
                if outcome.is_ok_and(|outcome| outcome.done && outcome.message.starts_with("Executed")) {
                    prop_assert!(approved, "executed without an approval");
                    executed += 1;
                }
            }
            Step::Withdraw => {
                let call = json!({ "actionId": id, "reason": "r" });
                drop(
                    world
                        .engine
                        .call_tool(&world.client("developer"), "loopiq_withdraw_action", call)
                        .await,
                );
            }
            Step::Wait(hours) => world.advance_clock(hours * Timestamp::HOUR),
            Step::Sweep => drop(world.engine.sweep().await),
        }
        let state = State::parse(world.get(&id).await["status"].as_str().unwrap_or_default()).expect("a state");
        prop_assert!(
            !last.is_final() || state == last,
            "left a final state: {:?} to {:?}",
            last,
            state
        );
        last = state;
        prop_assert!(executed <= 1);
        let created = world.count("work_items").await - items;
        prop_assert_eq!(created, if last == State::Executed { 3 } else { 0 });
    }
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    prop_assert_eq!(report.bad, None);
    Ok(())
}
