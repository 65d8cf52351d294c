use crate::world::{World, text};
use loopiq::domain::*;
use loopiq::engine::Error;
use serde_json::{Value, json};

#[tokio::test]
async fn a_proposal_is_kept_and_writes_nothing_else() {
    let world = World::new().await;
    let before = world.dump().await;
    let answer = world.propose(world.package("k1")).await.expect("a proposal");
    let body = &answer.structured;
    assert_eq!(body["status"], "pending_approval");
    assert_eq!(body["pollTool"], "loopiq_get_action");
    assert_eq!(
        body["preview"]["summary"],
        "Creates 1 story and 2 tasks (SHOP-1, team Checkout)."
    );
    assert_eq!(
        text(body, "reviewUrl"),
        format!("http://127.0.0.1:3000/actions/{}", text(body, "actionId"))
    );
    assert!(answer.text.contains("Do not call this tool again"));
    let tables: std::collections::BTreeSet<String> = added(&before, &world.dump().await)
        .iter()
        .map(|row| row.split('|').next().unwrap_or_default().to_owned())
        .collect();
    let expected = [
        "action_counts",
        "action_targets",
        "actions",
        "audit_contents",
        "audit_entries",
        "audit_heads",
        "envelopes",
    ];
    assert_eq!(tables, expected.map(str::to_owned).into());
}

pub(crate) fn added(before: &[String], after: &[String]) -> Vec<String> {
    after
        .iter()
        .filter(|row| before.binary_search(row).is_err())
        .cloned()
        .collect()
}

#[tokio::test]
async fn the_same_key_gives_the_same_action_for_ever_and_another_payload_is_refused() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    assert_eq!(world.proposed("k1").await, (id.clone(), digest.clone()));
    world
        .engine
        .reject(&world.person("reviewer"), &id, &digest, &[], "not now", "")
        .await
        .expect("rejected");
    let again = world
        .propose(world.package("k1"))
        .await
        .expect("the original")
        .structured;
    assert_eq!(
        (text(&again, "actionId"), text(&again, "status")),
        (id.clone(), "rejected".to_owned())
    );

    let mut other = world.package("k1");
    other["parent"]["title"] = json!("Something else");
    match world.propose(other.clone()).await {
        Err(error @ Error::IdempotencyConflict { .. }) => {
            let message = error.to_string();
            let first = format!("loopiq_create_remediation_work_package proposed {id} at 2026-11-22T09:00:00");
            assert!(message.contains(&first), "{message}");
            assert!(message.contains("The arguments of this call differ"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let story = json!({
        "idempotencyKey": "k1", "reason": "r", "releaseId": world.acme.release, "teamId": world.acme.team, "kind": "story",
        "title": "Harden the sign-in of the shop", "description": "d", "priority": "low",
    });
    let client = world.client("developer");
    let message = world.engine.call_tool(&client, "loopiq_create_work_item", story).await;
    let message = message.expect_err("the key of another tool's proposal").to_string();
    assert!(
        message.contains(&id) && message.contains("This call is of another tool, loopiq_create_work_item."),
        "{message}"
    );
    assert!(!message.contains("differ"), "{message}");
    // A dry run neither reads nor uses a key.
    other["dryRun"] = json!(true);
    let dry = world.propose(other).await.expect("a dry run").structured;
    assert_eq!(dry["status"], "dry_run");
    assert!(dry.get("actionId").is_none());
    assert_eq!(world.count("actions").await, 1);
}

#[tokio::test]
async fn the_form_of_the_arguments_does_not_matter_for_a_key() {
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    // The same object with its keys in another order.
    let mut fields: Vec<(String, Value)> = world
        .package("k1")
        .as_object()
        .expect("object")
        .clone()
        .into_iter()
        .collect();
    fields.reverse();
    let again = world
        .propose(Value::Object(fields.into_iter().collect()))
        .await
        .expect("the original")
        .structured;
    assert_eq!(text(&again, "actionId"), id);
}

#[tokio::test]
async fn two_callers_of_one_client_can_use_the_same_key_independently() {
    let world = World::new().await;
    let ask = async |who: &str, tool, arguments| world.engine.call_tool(&world.client(who), tool, arguments).await;
    let package = "loopiq_create_remediation_work_package";
    let story = |n| {
        json!({
            "idempotencyKey": "k1", "reason": format!("Evidence {} asks for it.", world.acme.evidence), "kind": "story",
            "releaseId": world.acme.release, "teamId": world.acme.team, "title": loopiq_testing::unlike(n), "description": "d",
            "priority": "low",
        })
    };
    let (first, _) = world.proposed("k1").await;
    let answer = ask("lead", "loopiq_create_work_item", story(1)).await;
    let answer = answer.expect("a proposal of their own");
    let own = text(&answer.structured, "actionId");
    assert!(!answer.structured.to_string().contains(&first) && !answer.text.contains(&first));
    // For each caller the key returns the caller's own action, and a conflict names only that action.
    let again = ask("lead", "loopiq_create_work_item", story(1)).await;
    assert_eq!(text(&again.expect("the original").structured, "actionId"), own);
    assert_eq!(world.proposed("k1").await.0, first);
    let conflict = ask("lead", "loopiq_create_work_item", story(2)).await;
    let message = conflict.expect_err("a key that was used").to_string();
    assert!(message.contains(&own) && !message.contains(&first), "{message}");
    // Two callers may send the same proposal.
    let (first, _) = world.proposed("k2").await;
    let answer = ask("lead", package, world.package("k2"))
        .await
        .expect("a proposal of their own");
    assert_ne!(text(&answer.structured, "actionId"), first);
    assert_eq!(world.count("actions").await, 4);
}

/// The engine refuses each invalid argument with the field's name, stores no action, and writes one audit entry.
#[tokio::test]
async fn an_invalid_argument_is_refused_with_its_field_name() {
    let world = World::new().await;
    let foreign = &world.globex;
    let unknown = FindingId::from_bits(77);
    let child = world.package("x")["children"][0].clone();
    let many: Vec<Value> = (0..51)
        .map(|n| {
            let mut child = child.clone();
            child["clientRef"] = json!(format!("c{n}"));
            child
        })
        .collect();
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("/parent/title", json!(null), "type", "/parent/title"),
        (
            "/parent/title",
            json!("x".repeat(300)),
            "longer than 200",
            "/parent/title",
        ),
        ("/parent/title", json!("   "), "must say something", "/parent/title"),
        ("/parent/title", json!("a\u{202E}b"), "U+202E", "/parent/title"),
        ("/surprise", json!(1), "not a field", "/surprise"),
        ("/parent/surprise", json!(1), "not a field", "/parent/surprise"),
        ("/children", json!(many), "more than 50", "/children"),
        ("/children", json!([]), "at least 1", "/children"),
        ("/reason", json!("x".repeat(501)), "longer than 500", "/reason"),
        ("/releaseId", json!(foreign.release), "no such release", "/releaseId"),
        (
            "/releaseId",
            json!("SHOP-1"),
            "must be the ID of a release",
            "/releaseId",
        ),
        ("/teamId", json!(foreign.team), "no such team", "/teamId"),
        (
            "/certificationId",
            json!(foreign.certification),
            "no such certification",
            "/certificationId",
        ),
        (
            "/blockerIds/0",
            json!(foreign.blocker),
            "no such blocker",
            "/blockerIds/0",
        ),
        (
            "/children/1/findingIds/0",
            json!(unknown),
            "no such finding",
            "/children/1/findingIds/0",
        ),
        (
            "/children/1/evidenceIds/0",
            json!(foreign.evidence),
            "no such evidence",
            "/children/1/evidenceIds/0",
        ),
        (
            "/children/0/owner",
            json!("reviewer@globex.example"),
            "no such person",
            "/children/0/owner",
        ),
        (
            "/children/1/clientRef",
            json!("one"),
            "is in this package twice",
            "/children/1/clientRef",
        ),
        (
            "/application",
            json!("no-such-app"),
            "no such application",
            "/application",
        ),
        (
            "/supersedesActionId",
            json!(ActionId::from_bits(5)),
            "no such action of yours",
            "/supersedesActionId",
        ),
    ];
    for (at, value, says, pointer) in cases {
        let mut package = world.package(&format!("bad {at} {says}"));
        set(&mut package, at, value);
        let entries = world.count("audit_entries").await;
        match world.propose(package).await {
            Err(Error::Invalid { fields }) => {
                let found = fields
                    .iter()
                    .find(|field| field.pointer == pointer && field.message.contains(says));
                assert!(found.is_some(), "{at}: {fields:?}");
            }
            other => panic!("{at} {says}: {other:?}"),
        }
        assert_eq!(world.count("actions").await, 0, "{at}");
        assert_eq!(world.count("audit_entries").await, entries + 1, "{at}");
    }
    let mut missing = world.package("missing");
    missing["parent"].as_object_mut().expect("object").remove("title");
    match world.propose(missing).await {
        Err(Error::Invalid { fields }) => {
            assert_eq!(fields, vec![FieldError::new("/parent/title", "is required")]);
        }
        other => panic!("{other:?}"),
    }
}

fn set(value: &mut Value, at: &str, to: Value) {
    let (parent, name) = at.rsplit_once('/').expect("a pointer");
    let parent = value.pointer_mut(parent).expect("a parent");
    match parent {
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = to,
        other => other[name] = to,
    }
}

#[tokio::test]
async fn only_clients_of_people_with_a_role_can_propose() {
    let world = World::new().await;
    for role in ["nobody", "auditor", "operator"] {
        let refused = world
            .engine
            .call_tool(
                &world.client(role),
                "loopiq_create_remediation_work_package",
                world.package("k"),
            )
            .await;
        assert!(
            matches!(refused, Err(Error::NotAuthorized { .. })),
            "{role}: {refused:?}"
        );
    }
    let tool = "loopiq_create_remediation_work_package";
    let person = world
        .engine
        .call_tool(&world.person("reviewer"), tool, world.package("k"))
        .await;
    assert!(matches!(person, Err(Error::NotAuthorized { .. })));
    assert_eq!(world.count("actions").await, 0);
}

#[tokio::test]
async fn an_unknown_tool_is_named_as_such() {
    let world = World::new().await;
    for name in ["loopiq_approve_action", "loopiq_execute", "rm"] {
        let refused = world
            .engine
            .call_tool(&world.client("developer"), name, json!({}))
            .await;
        assert!(matches!(refused, Err(Error::UnknownTool { .. })), "{name}");
    }
}

#[tokio::test]
async fn records_of_another_release_are_a_block_and_not_an_error() {
    let world = World::new().await;
    let mut package = world.package("k1");
    package["blockerIds"] = json!([world.acme.elsewhere]);
    let answer = world.propose(package).await.expect("a stored action").structured;
    let context = answer["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|c| c["id"] == "unrelated")
        .expect("unrelated");
    assert_eq!(context["verdict"], "block");
    assert_eq!(context["pointers"], json!(["/blockerIds/0"]));
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    match world
        .approve_as(&world.person("reviewer"), &id, &digest, &world.marks(&id).await)
        .await
    {
        Err(Error::Refused { code, .. }) => assert_eq!(code, ReasonCode::Check(CheckId::Unrelated)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.get(&id).await["status"], "pending_approval");
}

#[tokio::test]
async fn a_superseding_proposal_closes_the_old_one() {
    let world = World::new().await;
    let (old, digest) = world.proposed("k1").await;
    let mut package = world.package("k2");
    package["supersedesActionId"] = json!(old);
    let new = text(
        &world.propose(package).await.expect("a proposal").structured,
        "actionId",
    );
    let closed = world.get(&old).await;
    assert_eq!(
        (text(&closed, "status"), text(&closed, "supersededBy")),
        ("rejected".to_owned(), new)
    );
    assert_eq!(closed["reasonCodes"], json!(["superseded"]));
    let late = world
        .approve_as(&world.person("reviewer"), &old, &digest, &world.marks(&old).await)
        .await;
    assert!(matches!(late, Err(Error::AlreadyDecided { .. })));
}

/// The arguments of a refused call must not swell the log: the engine cuts pointers and texts, and scans texts only where the schema
/// accepts them.
#[tokio::test]
async fn hostile_sizes_are_refused_cheaply() {
    let world = World::new().await;
    let many: Vec<Value> = (0..20_000).map(|_| json!("\u{200B}")).collect();
    let mut package = world.package("hostile");
    package[&"k".repeat(100_000)] = json!(many);
    match world.propose(package).await {
        Err(Error::Invalid { fields }) => {
            assert!(fields.len() <= 50);
            assert!(fields.iter().all(|field| field.pointer.chars().count() <= 201));
        }
        other => panic!("{other:?}"),
    }
    let mut package = world.package("large");
    package["workflow"] = json!("w".repeat(300_000));
    assert!(matches!(world.propose(package).await, Err(Error::Invalid { .. })));
    let listing = json!({ "text": "x".repeat(300_000) });
    assert!(
        world
            .engine
            .call_tool(&world.client("developer"), "loopiq_list_releases", listing)
            .await
            .is_err()
    );
    let longest = world
        .dump()
        .await
        .iter()
        .filter(|row| row.starts_with("audit_contents|"))
        .map(String::len)
        .max();
    assert!(longest.is_some_and(|bytes| bytes < 20_000), "{longest:?}");
}

#[tokio::test]
async fn an_action_is_superseded_once() {
    let world = World::new().await;
    let (old, _) = world.proposed("k1").await;
    for (key, fits) in [("k2", true), ("k3", false)] {
        let mut package = world.package(key);
        package["supersedesActionId"] = json!(old);
        assert_eq!(world.propose(package).await.is_ok(), fits, "{key}");
    }
    assert_eq!(world.count("actions").await, 2);
}
