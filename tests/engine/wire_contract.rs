//! The names, descriptions and schemas of all tools, on which agents rely. A change of a snapshot changes the contract and needs an entry
//! in CHANGELOG.md. `cargo insta review` accepts a change.

use crate::world::World;
use loopiq::domain::CheckCode;
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
    // The test controls clock and entropy, so every byte of the response is fixed.
    let answer = world.propose(world.package("k1")).await.expect("a proposal").structured;
    insta::assert_json_snapshot!(answer);
}

#[tokio::test]
async fn answers_with_checks_follow_their_output_schema() {
    let world = World::new().await;
    let developer = world.client("developer");
    let specs = world.engine.catalogue(&developer).await.expect("a catalogue");
    let proposed = world.propose(world.package("k1")).await.expect("a proposal").structured;
    let polled = world.get(proposed["actionId"].as_str().expect("an ID")).await;
    let answers = [
        ("loopiq_create_remediation_work_package", proposed),
        ("loopiq_get_action", polled),
    ];
    for (name, answer) in answers {
        let spec = specs.iter().find(|spec| spec.name == name).expect("a tool");
        let schema = &spec.output_schema;
        let validator = jsonschema::validator_for(schema).expect("a schema");
        assert!(validator.is_valid(&answer), "{name}: {answer}");
        if name != "loopiq_get_action" {
            continue;
        }
        let codes = &schema["properties"]["checks"]["items"]["properties"]["code"]["enum"];
        assert_eq!(*codes, json!(CheckCode::ALL), "{name}");
    }
}
