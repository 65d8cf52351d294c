//! What agents rely on: the names, descriptions and schemas of all tools. A change here is a change of the contract and wants an
//! entry in CHANGELOG.md. `cargo insta review` takes a change over.

use crate::world::World;
use serde_json::{Value, json};

#[tokio::test]
async fn tools_are_as_they_were() {
    let world = World::new().await;
    let specs = world
        .engine
        .catalogue(&world.client("developer"))
        .await
        .expect("a catalogue");
    let tools: Vec<Value> = specs
        .iter()
        .map(|spec| {
            json!({ "name": spec.name, "title": spec.title, "readOnly": spec.read_only, "input": spec.input_schema })
        })
        .collect();
    insta::assert_json_snapshot!(tools);
}

#[tokio::test]
async fn an_answer_to_a_proposal_is_as_it_was() {
    let world = World::new().await;
    // Clock and randomness are the test's own, so every byte of the answer is known.
    let answer = world.propose(world.package("k1")).await.expect("a proposal").structured;
    insta::assert_json_snapshot!(answer);
}
