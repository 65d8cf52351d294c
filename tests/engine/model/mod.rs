//! Random commands by many people and clients, against a small model of policy, quorum and states: the engine accepts what the model
//! accepts, and after each command all actions have the states that the model gives.

mod reference;

use crate::world::{World, text};
use loopiq::context::Ctx;
use loopiq::domain::{Client, Principal, State, Timestamp};
use loopiq::engine::{Error, Visit};
use loopiq::views::Outcome;
use proptest::prelude::*;
use reference::{CALLERS, Model, PEOPLE, POLICIES, Proposal, Proposed, Shape};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The time, in hours, for which every check accepts the evidence as fresh.
const FRESH_HOURS: i64 = 240;

/// A step. A step names an action by a number, modulo the number of actions, or names the newest action.
#[derive(Debug, Clone, Copy)]
enum Step {
    Propose(Proposal),
    Approve(usize, usize),
    Reject(usize, usize),
    Revoke(usize, usize),
    Execute(usize, usize),
    Prune(usize, usize),
    Withdraw(usize, usize),
    Switch(usize),
    Wait(i64),
}

fn proposal() -> impl Strategy<Value = Proposal> {
    let shape = prop_oneof![2 => (0..3usize).prop_map(Shape::Story), 3 => Just(Shape::Package)];
    let supersedes = prop_oneof![4 => Just(None), 1 => (0..64usize).prop_map(Some), 1 => Just(Some(usize::MAX))];
    (0..CALLERS.len(), 0..2usize, 0..12usize, shape, supersedes).prop_map(|(caller, client, key, shape, supersedes)| {
        Proposal {
            caller: CALLERS[caller],
            client,
            key,
            shape,
            supersedes,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    // Mostly people who can decide, and mostly the newest action.
    let who = || prop_oneof![5 => 0..3usize, 1 => 3..PEOPLE.len()];
    let which = || prop_oneof![2 => Just(usize::MAX), 1 => 0..64usize];
    let pair = || (who(), which());
    prop_oneof![
        6 => proposal().prop_map(Step::Propose),
        12 => pair().prop_map(|(who, n)| Step::Approve(who, n)),
        1 => pair().prop_map(|(who, n)| Step::Reject(who, n)),
        1 => pair().prop_map(|(who, n)| Step::Revoke(who, n)),
        5 => pair().prop_map(|(who, n)| Step::Execute(who, n)),
        3 => pair().prop_map(|(who, n)| Step::Prune(who, n)),
        1 => (0..CALLERS.len(), which()).prop_map(|(who, n)| Step::Withdraw(who, n)),
        3 => (0..POLICIES.len()).prop_map(Step::Switch),
        1 => (1i64..40).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_engine_does_what_the_model_does(first in 0..POLICIES.len(), steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(first, steps))?;
    }
}

/// The number of sequences: `LOOPIQ_MODEL_CASES`.
fn cases() -> u32 {
    let set = std::env::var("LOOPIQ_MODEL_CASES").ok();
    set.and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

/// The world of the model's people, with the engine's ID and digest of each action of the model.
struct Stage {
    world: World,
    connection: sqlx::AnyConnection,
    clients: Vec<Client>,
    actions: Vec<(String, String)>,
}

impl Stage {
    async fn set(first: usize) -> Self {
        let world = World::new().await;
        for (who, team) in [
            ("reviewer", "payments"),
            ("lead", "payments"),
            ("lead", "checkout"),
            ("reviewer2", "checkout"),
        ] {
            world.join(who, team).await;
        }
        let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
        let other = world.engine.store().write::<_, Error, _>(&ctx, |tx| {
            Box::pin(async move { Ok(tx.ensure_named_client("Otto").await?) })
        });
        let clients = vec![world.acme.client.clone(), other.await.expect("a client")];
        world.policy(POLICIES[first].source).await;
        Self {
            connection: world.database.connect().await,
            world,
            clients,
            actions: Vec::new(),
        }
    }

    fn client(&self, caller: &str, client: usize) -> Ctx {
        let principal = Principal::Client {
            tenant: self.world.acme.tenant.clone(),
            caller: self.world.acme.person(caller),
            client: self.clients[client].clone(),
            scopes: loopiq::domain::Scopes::of_agents(),
        };
        Ctx::new(principal, self.world.engine.runtime())
    }

    fn arguments(&self, proposal: Proposal) -> (&'static str, Value) {
        let acme = &self.world.acme;
        let mut arguments = json!({
            "idempotencyKey": format!("k{}", proposal.key), "reason": "Somebody asked for it.",
            "releaseId": acme.release, "teamId": acme.team,
        });
        if let Some(old) = proposal.supersedes {
            arguments["supersedesActionId"] = json!(self.actions[old].0);
        }
        let title = loopiq_testing::unlike;
        if let Shape::Story(n) = proposal.shape {
            for (field, value) in [
                ("kind", json!("story")),
                ("title", json!(title(n))),
                ("priority", json!("low")),
            ] {
                arguments[field] = value;
            }
            arguments["description"] = json!("d");
            arguments["evidenceIds"] = json!([acme.evidence]);
            return ("loopiq_create_work_item", arguments);
        }
        let child = |name: &str, n: usize| {
            json!({ "clientRef": name, "title": title(n), "description": "d", "controlIds": [], "findingIds": [],
                    "evidenceIds": [acme.evidence] })
        };
        arguments["certificationId"] = json!(acme.certification);
        arguments["application"] = json!("shop");
        arguments["parent"] = json!({ "title": title(10), "description": "d", "owner": "developer@acme.example",
                                      "priority": "low", "acceptanceCriteria": ["Done."] });
        arguments["children"] = json!([child("one", 11), child("two", 12)]);
        arguments["blockerIds"] = json!([]);
        ("loopiq_create_remediation_work_package", arguments)
    }

    async fn propose(&mut self, proposal: Proposal) -> Proposed {
        let (tool, arguments) = self.arguments(proposal);
        let ctx = self.client(proposal.caller, proposal.client);
        let known = |id: &str| self.actions.iter().position(|(known, _)| known == id);
        match self.world.engine.call_tool(&ctx, tool, arguments).await {
            Ok(answer) => {
                let id = text(&answer.structured, "actionId");
                match known(&id) {
                    Some(n) => Proposed::Original(n),
                    None => {
                        self.actions.push((id, text(&answer.structured, "digest")));
                        Proposed::New
                    }
                }
            }
            Err(Error::IdempotencyConflict { .. }) => Proposed::Conflict,
            Err(Error::RejectedBefore { action, .. }) => {
                Proposed::DeclinedBefore(known(action.as_str()).expect("a known action"))
            }
            Err(Error::Invalid { .. }) => Proposed::Invalid,
            Err(other) => panic!("{proposal:?}: {other:?}"),
        }
    }

    async fn prune(&mut self, who: &str, n: usize) -> Result<Outcome, Error> {
        let (id, digest) = self.actions[n].clone();
        let reviewer = self.world.person(who);
        let keep = ["one".to_owned()];
        let outcome = self
            .world
            .engine
            .prune(&reviewer, &id, &digest, &keep, "one is enough", "")
            .await?;
        let next = outcome.successor.clone().expect("a revision");
        // A second prune with the same items succeeds and changes nothing.
        if !self.actions.iter().any(|(known, _)| *known == next) {
            let page = self
                .world
                .engine
                .action_page(&reviewer, &next, Visit::Unrecorded)
                .await?;
            self.actions.push((next, page.digest));
            return Ok(outcome);
        }
        Err(Error::internal("it was pruned before"))
    }

    async fn withdraw(&self, caller: &str, n: usize) -> bool {
        let call = json!({ "actionId": self.actions[n].0, "reason": "r" });
        let ctx = self.client(caller, n % 2);
        self.world
            .engine
            .call_tool(&ctx, "loopiq_withdraw_action", call)
            .await
            .is_ok()
    }

    /// The states of all actions.
    async fn states(&mut self) -> Vec<State> {
        let rows = sqlx::query("SELECT id, state FROM actions")
            .fetch_all(&mut self.connection)
            .await;
        let rows = rows.expect("actions");
        let text = |row: &sqlx::any::AnyRow, name: &str| sqlx::Row::get::<String, _>(row, name);
        let states: BTreeMap<String, String> = rows.iter().map(|row| (text(row, "id"), text(row, "state"))).collect();
        let state = |(id, _): &(String, String)| State::parse(&states[id]).expect("a state");
        self.actions.iter().map(state).collect()
    }
}

async fn run(first: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut stage = Stage::set(first).await;
    let mut model = Model {
        today: first,
        ..Model::default()
    };
    let mut waited = 0;
    for step in steps {
        // The engine answers a repeated command like the first one and changes nothing, so a repeated command is not new.
        let new = |outcome: Result<Outcome, Error>| {
            outcome.is_ok_and(|outcome| outcome.done && !outcome.message.contains("nothing was done twice"))
        };
        let count = model.actions.len();
        let named = |n: usize| match n {
            usize::MAX => count.checked_sub(1),
            n => n.checked_rem(count),
        };
        let (did, may) = match step {
            Step::Propose(mut proposal) => {
                proposal.supersedes = proposal.supersedes.and_then(named);
                let expected = model.propose(proposal);
                prop_assert_eq!(
                    stage.propose(proposal).await,
                    expected,
                    "{:?} of {:#?}",
                    proposal,
                    model
                );
                (true, true)
            }
            Step::Switch(to) => {
                let source = format!("# {}\n{}", stage.world.count("policies").await, POLICIES[to].source);
                stage.world.policy(&source).await;
                model.today = to;
                (true, true)
            }
            Step::Wait(hours) if waited + hours < FRESH_HOURS => {
                waited += hours;
                stage.world.advance_clock(hours * Timestamp::HOUR);
                stage.world.engine.sweep().await.expect("swept");
                model.wait(hours);
                (true, true)
            }
            Step::Wait(_) => continue,
            Step::Withdraw(who, n) => {
                let Some(n) = named(n) else { continue };
                let open = !model.actions[n].state.is_final();
                (
                    stage.withdraw(CALLERS[who], n).await && open,
                    model.withdraw(CALLERS[who], n),
                )
            }
            Step::Prune(who, n) => {
                let Some(n) = named(n) else { continue };
                (stage.prune(PEOPLE[who], n).await.is_ok(), model.prune(PEOPLE[who], n))
            }
            Step::Approve(who, n) | Step::Reject(who, n) | Step::Revoke(who, n) | Step::Execute(who, n) => {
                let Some(n) = named(n) else { continue };
                let (world, (id, digest)) = (&stage.world, &stage.actions[n]);
                let (person, name) = (world.person(PEOPLE[who]), PEOPLE[who]);
                match step {
                    Step::Approve(..) => {
                        let consent = world.consent(id, digest).await;
                        (
                            new(world.consent_as(&person, id, consent).await),
                            model.approve(name, n),
                        )
                    }
                    Step::Reject(..) => {
                        let outcome = world.engine.reject(&person, id, digest, &[], "no", "").await;
                        (new(outcome), model.reject(name, n))
                    }
                    Step::Revoke(..) => (
                        new(world.engine.revoke(&person, id, "no", "").await),
                        model.revoke(name, n),
                    ),
                    _ => (new(world.execute(&person, id).await), model.execute(name, n)),
                }
            }
        };
        prop_assert_eq!(did, may, "{:?} of {:#?}", step, model);
        let expected: Vec<State> = model.actions.iter().map(|action| action.state).collect();
        prop_assert_eq!(stage.states().await, expected, "after {:?} of {:#?}", step, model);
    }
    let report = stage
        .world
        .engine
        .verify_audit(&stage.world.acme.tenant, &[])
        .await
        .expect("a report");
    prop_assert_eq!(report.bad, None);
    Ok(())
}
