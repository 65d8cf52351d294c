use crate::propose::added;
use crate::world::{World, text};
use loopiq::domain::{CheckId, ReasonCode};
use loopiq::engine::{Error, Visit};
use serde_json::json;

/// An execution adds to the database only its change set, the action's own rows and audit entries.
#[tokio::test]
async fn an_execution_changes_exactly_what_the_preview_said() {
    let world = World::new().await;
    let answer = world.propose(world.package("k1")).await.expect("a proposal").structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let reviewer = world.person("reviewer");
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    let before = world.dump().await;
    world.execute(&reviewer, &id).await.expect("executed");
    let rows = added(&before, &world.dump().await);

    let creates = answer["preview"]["creates"].as_array().expect("creates");
    let items: Vec<&String> = rows.iter().filter(|row| row.starts_with("work_items|")).collect();
    assert_eq!(items.len(), creates.len());
    let mut references = 0;
    for create in creates {
        let id = text(create, "id");
        let row = items
            .iter()
            .find(|row| row.contains(&format!("|id={id}|")))
            .expect("the item that was shown");
        let fields = &create["fields"];
        for (field, column) in [
            ("title", "title"),
            ("description", "description"),
            ("kind", "kind"),
            ("priority", "priority"),
            ("status", "status"),
            ("releaseId", "release_id"),
            ("teamId", "team_id"),
        ] {
            assert!(
                row.contains(&format!("|{column}={}", text(fields, field))),
                "{field} in {row}"
            );
        }
        let parent = fields["parentId"].as_str().unwrap_or("NULL");
        assert!(row.contains(&format!("|parent_id={parent}|")), "{row}");
        for list in ["findingIds", "controlIds", "evidenceIds", "blockerIds"] {
            for record in fields[list].as_array().expect("a list") {
                references += 1;
                let expected = format!("|work_item_id={id}|record_id={}", record.as_str().expect("an ID"));
                assert!(
                    rows.iter()
                        .any(|row| row.starts_with("work_item_references|") && row.contains(&expected))
                );
            }
        }
    }
    assert_eq!(
        rows.iter()
            .filter(|row| row.starts_with("work_item_references|"))
            .count(),
        references
    );
    // Rows other than records: the number series, the title index, the action, the attempt and the audit entry.
    let own = [
        "work_items",
        "work_item_references",
        "work_item_words",
        "counters",
        "actions",
        "action_counts",
        "attempts",
        "audit_heads",
        "audit_entries",
        "audit_contents",
    ];
    for row in &rows {
        let table = row.split('|').next().unwrap_or_default();
        assert!(own.contains(&table), "{row}");
    }
    assert_eq!(rows.iter().filter(|row| row.starts_with("audit_entries|")).count(), 1);
    assert_eq!(rows.iter().filter(|row| row.starts_with("attempts|")).count(), 1);
}

#[tokio::test]
async fn evidence_is_linked_once() {
    let world = World::new().await;
    let link = |key: &str| {
        json!({ "idempotencyKey": key, "reason": "It shows the control.", "evidenceId": world.acme.evidence,
                "controlId": world.acme.control })
    };
    let reviewer = world.person("reviewer");
    let mut ids = Vec::new();
    for key in ["l1", "l2"] {
        let answer = world
            .engine
            .call_tool(&world.client("developer"), "loopiq_link_evidence", link(key))
            .await
            .expect("a proposal");
        let (id, digest) = (text(&answer.structured, "actionId"), text(&answer.structured, "digest"));
        world
            .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
            .await
            .expect("approved");
        ids.push(id);
    }
    assert!(world.execute(&reviewer, &ids[0]).await.expect("executed").done);
    let second = world.execute(&reviewer, &ids[1]).await.expect("a committed refusal");
    assert!(!second.done, "the constraint prevents it: {second:?}");
    assert_eq!(world.get(&ids[1]).await["status"], "failed");
    assert_eq!(world.count("evidence_links").await, 1);
}

#[tokio::test]
async fn a_task_needs_its_story_and_a_story_has_none() {
    let world = World::new().await;
    let item = |key: &str, kind: &str| {
        json!({ "idempotencyKey": key, "reason": "r", "releaseId": world.acme.release, "teamId": world.acme.team,
                "kind": kind, "title": "Write the test", "description": "d" })
    };
    let developer = world.client("developer");
    let tool = "loopiq_create_work_item";
    let orphan = world
        .engine
        .call_tool(&developer, tool, item("a", "task"))
        .await
        .expect("a stored action")
        .structured;
    let (id, digest) = (text(&orphan, "actionId"), text(&orphan, "digest"));
    let lead = world.person("lead");
    match world.approve_as(&lead, &id, &digest, &world.marks(&id).await).await {
        Err(Error::Refused { code, message }) => {
            assert_eq!(code, ReasonCode::Check(CheckId::Hierarchy));
            assert!(message.contains("Name the story"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(world.execute(&lead, &id).await.is_err(), "nor is it executed");
    let mut story = item("b", "story");
    story["parentId"] = json!(world.acme.story);
    assert!(world.engine.call_tool(&developer, tool, story).await.is_err());
    let mut task = item("c", "task");
    task["parentId"] = json!(world.acme.story);
    let answer = world
        .engine
        .call_tool(&developer, tool, task)
        .await
        .expect("a proposal")
        .structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let reviewer = world.person("reviewer");
    let view = world
        .engine
        .action_page(&reviewer, &id, Visit::Opened)
        .await
        .expect("a page");
    assert_eq!(
        (view.tree.len(), view.tree[0].created, view.tree[0].children.len()),
        (1, false, 1)
    );
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    assert!(world.execute(&reviewer, &id).await.expect("executed").done);
}
