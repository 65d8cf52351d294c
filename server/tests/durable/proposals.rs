//! An agent that proposes while something fails.

use loopiq_testing::{Agent, Service};
use serde_json::{Value, json};

/// An agent of a developer.
pub(crate) async fn agent(service: &Service) -> Agent {
    let token = service.token("developer@acme.example").expect("a token");
    Agent::connect(&service.url, &token).await.expect("a connection")
}

/// Proposes a work package with this idempotency key.
pub(crate) async fn propose(agent: &mut Agent, package: &Value, key: &str) -> anyhow::Result<Value> {
    let mut arguments = package.clone();
    arguments["idempotencyKey"] = json!(key);
    agent.call("loopiq_create_remediation_work_package", &arguments).await
}

/// Proposes with the keys `k0`, `k1` and so on until a proposal is refused, because the database cannot be used. Returns the IDs of the
/// stored actions.
pub(crate) async fn propose_until_refused(agent: &mut Agent, package: &Value) -> Vec<Value> {
    let mut kept = Vec::new();
    for n in 0..500 {
        match propose(agent, package, &format!("k{n}")).await {
            Ok(answer) => kept.push(answer["actionId"].clone()),
            Err(error) => {
                let refused = error.to_string();
                assert!(refused.contains("cannot be used just now"), "{refused}");
                return kept;
            }
        }
    }
    panic!("no proposal was refused");
}
