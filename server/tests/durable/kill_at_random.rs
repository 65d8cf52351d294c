//! `kill -9` at random points while actions are proposed, approved and executed.

use crate::{address, start};
use loopiq_testing::{Agent, Database, Person, Service, fresh, package};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The number of actions that are proposed, approved and executed.
const CYCLES: usize = 500;
/// The number of work items that each action creates.
const ITEMS: i64 = 2;

/// An agent and a reviewer who repeat each request until it succeeds.
struct Worker {
    url: String,
    token: String,
    package: Value,
    agent: Option<Agent>,
    reviewer: Person,
    reconnect: bool,
}

impl Worker {
    /// Proposes until the service answers, and returns the action's ID and digest.
    async fn propose(&mut self, n: usize) -> (String, String) {
        let mut package = fresh(&self.package, n);
        package["idempotencyKey"] = format!("cycle-{n}").into();
        loop {
            if self.agent.is_none() {
                self.agent = Agent::connect(&self.url, &self.token).await.ok();
            }
            if let Some(agent) = &mut self.agent {
                match agent.call("loopiq_create_remediation_work_package", &package).await {
                    Ok(answer) => {
                        let text = |field: &str| answer[field].as_str().expect("a field").to_owned();
                        return (text("actionId"), text("digest"));
                    }
                    Err(_) => self.agent = None,
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends a decision until the service answers with an outcome.
    async fn decide(&mut self, what: &str, id: &str, digest: &str) -> Value {
        // A start takes some hundredths of a second, so a decision that fails a thousand times will never succeed.
        for tries in 0.. {
            if self.reconnect
                && let Ok(again) = self.reviewer.again(&self.url).await
            {
                self.reviewer = again;
                self.reconnect = false;
            }
            let outcome = match self.reviewer.warnings(id).await {
                Ok(marks) => self.reviewer.decide(what, id, digest, &marks).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(outcome) if outcome["done"] == true => return outcome,
                // Database or service stopped during the request: `done` is false and the state is missing.
                Ok(outcome) if outcome["state"].is_null() => assert!(tries < 1_000, "{what} {id}: {outcome}"),
                Ok(outcome) => return outcome,
                Err(error) => {
                    assert!(tries < 1_000, "{what} {id}: {error:#}");
                    self.reconnect = true;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        unreachable!("it has ended or panicked")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_the_service_is_killed() {
    let (database, address) = (Database::new().await, address());
    let service = start(&database, &address);
    let (url, token) = (
        service.url.clone(),
        service.token("developer@acme.example").expect("a token"),
    );
    let mut agent = Agent::connect(&url, &token).await.expect("a connection");
    let package = package(&mut agent, 1).await.expect("a package");
    let reviewer = Person::sign_in(&url, "reviewer@acme.example").await.expect("signed in");
    let before = database.count("work_items").await;

    let (next, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut workers = Vec::new();
    for _ in 0..4 {
        let mut worker = Worker {
            url: url.clone(),
            token: token.clone(),
            package: package.clone(),
            agent: None,
            reviewer: reviewer.again(&url).await.expect("a connection"),
            reconnect: false,
        };
        let (next, done) = (next.clone(), done.clone());
        workers.push(tokio::spawn(async move {
            let mut actions = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= CYCLES {
                    return (worker, actions);
                }
                let (id, digest) = worker.propose(n).await;
                let approved = worker.decide("approve", &id, &digest).await;
                assert_eq!(approved["done"], true, "{approved}");
                let executed = worker.decide("execute", &id, &digest).await;
                assert_eq!(executed["done"], true, "an acknowledged approval was lost: {executed}");
                actions.push((n, id));
                done.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    let (_service, kills) = kill_and_start(service, &database, &address, &done).await;

    let mut actions = Vec::new();
    let mut last = None;
    for worker in workers {
        let (worker, own) = worker.await.expect("a worker");
        actions.extend(own);
        last = Some(worker);
    }
    let mut worker = last.expect("a worker");
    assert_eq!(actions.len(), CYCLES);
    assert!(kills >= 10, "killed only {kills} times");
    // Each idempotency key returns its first action, which was executed.
    for (n, id) in actions.iter().step_by(25) {
        assert_eq!(&worker.propose(*n).await.0, id);
        let agent = worker.agent.as_mut().expect("connected");
        let action = agent
            .call("loopiq_get_action", &json!({ "actionId": id }))
            .await
            .expect("an action");
        assert_eq!(action["status"], "executed");
        assert_eq!(
            action["result"]["createdIds"].as_array().map(Vec::len),
            Some(ITEMS as usize)
        );
    }
    let cycles = CYCLES as i64;
    assert_eq!(database.count("work_items").await, before + cycles * ITEMS);
    let of = |event: &str| {
        format!(
            "audit_entries WHERE tenant = 'acme' AND event = '{event}' AND action_id IN \
        (SELECT id FROM actions WHERE idempotency_key LIKE 'cycle-%')"
        )
    };
    for event in ["action.proposed", "action.approved", "action.executed"] {
        assert_eq!(database.count(&of(event)).await, cycles, "{event}");
    }
    assert_eq!(
        database.count("actions WHERE idempotency_key LIKE 'cycle-%'").await,
        cycles
    );
    eprintln!("{CYCLES} cycles, killed {kills} times");
}

/// Kills and restarts the service at random times until all cycles are done, and checks the audit log. Returns the last service and
/// the number of kills.
async fn kill_and_start(
    mut service: Service,
    database: &Database,
    address: &str,
    done: &AtomicUsize,
) -> (Service, usize) {
    let mut kills = 0;
    while done.load(Ordering::SeqCst) < CYCLES {
        let mut random = [0; 1];
        getrandom::fill(&mut random).expect("random bytes");
        // On a busy machine a start takes long, and so does the work between two kills.
        let lives = service.ready_after + Duration::from_millis(100 + u64::from(random[0]) * 4);
        tokio::time::sleep(lives).await;
        service.kill();
        kills += 1;
        service = tokio::task::block_in_place(|| start(database, address));
    }
    let checked = service
        .command(&["audit", "verify", "--tenant", "acme"])
        .expect("a valid log");
    assert!(checked.contains("all valid"), "{checked}");
    (service, kills)
}
