//! Random commands by many people and clients, against a small model of policy, quorum and states: what the engine lets happen is what
//! the model lets happen.

use crate::world::World;
use loopiq::domain::{State, Timestamp};
use loopiq::engine::Error;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

const PEOPLE: [&str; 5] = ["reviewer", "reviewer2", "lead", "auditor", "developer"];

/// The policies that a step can switch to: each group with those who are in it, as the model sees them.
type Groups = &'static [&'static [&'static str]];
const POLICIES: [(&str, Groups, bool); 4] = [
    ("# The built-in one.", &[&["reviewer", "reviewer2", "lead"]], true),
    (
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"a\", teams = [\"payments\"] }, { name = \"c\", teams = [\"checkout\"] }]",
        &[&["reviewer", "lead"], &["lead", "reviewer2"]],
        true,
    ),
    (
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"any\", approvals = 2 }]\n[separation]\napprover_may_execute = false",
        &[&["reviewer", "reviewer2", "lead"], &["reviewer", "reviewer2", "lead"]],
        false,
    ),
    (
        "[[decide]]\nname = \"p\"\ngroups = [{ name = \"lead\", people = [\"lead@acme.example\"] }]",
        &[&["lead"]],
        true,
    ),
];

#[derive(Debug, Clone, Copy)]
enum Step {
    Approve(usize),
    Reject(usize),
    Revoke(usize),
    Execute(usize),
    Withdraw,
    Switch(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PEOPLE.len()).prop_map(Step::Approve),
        1 => (0..PEOPLE.len()).prop_map(Step::Reject),
        1 => (0..PEOPLE.len()).prop_map(Step::Revoke),
        4 => (0..PEOPLE.len()).prop_map(Step::Execute),
        1 => Just(Step::Withdraw),
        2 => (0..POLICIES.len()).prop_map(Step::Switch),
        1 => (1i64..40).prop_map(Step::Wait),
    ]
}

/// What the model knows of the action.
struct Model {
    state: State,
    then: usize,
    today: usize,
    votes: BTreeSet<&'static str>,
    hours: i64,
}

/// Whether these people fill all groups, nobody twice: by trying everybody everywhere.
fn full(groups: Groups, votes: &BTreeSet<&'static str>) -> bool {
    let Some((first, rest)) = groups.split_first() else {
        return true;
    };
    votes.iter().filter(|who| first.contains(*who)).any(|who| {
        let mut others = votes.clone();
        others.remove(who);
        full(rest, &others)
    })
}

/// The most groups that these people fill.
fn filled(groups: Groups, votes: &BTreeSet<&'static str>) -> usize {
    let Some((first, rest)) = groups.split_first() else {
        return 0;
    };
    let taken = votes.iter().filter(|who| first.contains(*who)).map(|who| {
        let mut others = votes.clone();
        others.remove(who);
        1 + filled(rest, &others)
    });
    taken.max().unwrap_or(0).max(filled(rest, votes))
}

impl Model {
    fn policies(&self) -> [(&'static str, Groups, bool); 2] {
        [POLICIES[self.then], POLICIES[self.today]]
    }

    fn may(&self, who: &str) -> bool {
        self.policies()
            .iter()
            .all(|(_, groups, _)| groups.iter().any(|group| group.contains(&who)))
    }

    fn is_overdue(&self) -> bool {
        self.hours >= 72
    }

    fn complete(&self) -> bool {
        self.policies().iter().all(|(_, groups, _)| full(groups, &self.votes))
    }

    fn approve(&mut self, who: &'static str) -> bool {
        if self.state != State::PendingApproval || self.is_overdue() {
            return false;
        }
        // A policy that has become content lets it go on, without another vote.
        if self.complete() {
            self.state = if self.may(who) { State::Approved } else { self.state };
            return self.may(who);
        }
        let mut with = self.votes.clone();
        let helps = with.insert(who)
            && self
                .policies()
                .iter()
                .any(|(_, groups, _)| filled(groups, &with) > filled(groups, &self.votes));
        if !self.may(who) || !helps {
            return false;
        }
        self.votes = with;
        if self.complete() {
            self.state = State::Approved;
        }
        true
    }

    fn execute(&mut self, who: &str) -> bool {
        let separated = self.votes.contains(who) && self.policies().iter().any(|(_, _, approver)| !approver);
        if self.state != State::Approved
            || self.is_overdue()
            || !["reviewer", "reviewer2", "lead"].contains(&who)
            || separated
        {
            return false;
        }
        self.state = if self.complete() {
            State::Executed
        } else {
            State::Failed
        };
        self.state == State::Executed
    }

    fn close(&mut self, from: State, may: bool) -> bool {
        let closes = self.state == from && !self.is_overdue() && may;
        if closes {
            self.state = State::Rejected;
        }
        closes
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_does_what_the_model_does(first in 0..POLICIES.len(), steps in prop::collection::vec(step(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(first, steps))?;
    }
}

async fn run(first: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let world = World::new().await;
    for (who, team) in [
        ("reviewer", "payments"),
        ("lead", "payments"),
        ("lead", "checkout"),
        ("reviewer2", "checkout"),
    ] {
        world.join(who, team).await;
    }
    world.policy(POLICIES[first].0).await;
    let (id, digest) = world.story(1).await;
    let consent = world.consent(&id, &digest).await;
    let mut model = Model {
        state: State::PendingApproval,
        then: first,
        today: first,
        votes: BTreeSet::new(),
        hours: 0,
    };
    for step in steps {
        // What is said twice is answered as the first time, and changes nothing.
        let new = |outcome: Result<loopiq::domain::view::Outcome, Error>| {
            outcome.is_ok_and(|outcome| outcome.done && !outcome.message.contains("nothing was done twice"))
        };
        let (did, may) = match step {
            Step::Approve(who) => (
                new(world
                    .engine
                    .consent(&world.person(PEOPLE[who]), &id, consent.clone())
                    .await),
                model.approve(PEOPLE[who]),
            ),
            Step::Execute(who) => (
                new(world.engine.execute(&world.person(PEOPLE[who]), &id).await),
                model.execute(PEOPLE[who]),
            ),
            Step::Reject(who) => {
                let may = model.may(PEOPLE[who]);
                (
                    new(world
                        .engine
                        .reject(&world.person(PEOPLE[who]), &id, &digest, &[], "no")
                        .await),
                    model.close(State::PendingApproval, may),
                )
            }
            Step::Revoke(who) => {
                let may = model.may(PEOPLE[who]);
                (
                    new(world.engine.revoke(&world.person(PEOPLE[who]), &id, "no").await),
                    model.close(State::Approved, may),
                )
            }
            Step::Withdraw => {
                let before = model.state;
                let call = json!({ "actionId": id, "reason": "r" });
                let done = world
                    .engine
                    .call(&world.client("developer"), "loopiq_withdraw_action", call)
                    .await
                    .is_ok();
                let may = model.close(State::PendingApproval, true) || model.close(State::Approved, true);
                // Withdrawn twice is withdrawn.
                (done && !before.is_final(), may)
            }
            Step::Switch(to) => {
                world
                    .policy(&format!("# {}\n{}", world.count("policies").await, POLICIES[to].0))
                    .await;
                model.today = to;
                continue;
            }
            Step::Wait(hours) => {
                world.pass(hours * Timestamp::HOUR);
                model.hours += hours;
                continue;
            }
        };
        prop_assert_eq!(
            did,
            may,
            "{:?} in {:?}, votes {:?}, policies {} and {}",
            step,
            model.state,
            model.votes,
            model.then,
            model.today
        );
        let shown = State::parse(world.get(&id).await["status"].as_str().unwrap_or_default());
        let expected = if model.is_overdue() && !model.state.is_final() {
            State::Rejected
        } else {
            model.state
        };
        prop_assert_eq!(shown, Some(expected));
    }
    let report = world.engine.verify_audit(&world.acme.tenant).await.expect("a report");
    prop_assert_eq!(report.bad, None);
    Ok(())
}
