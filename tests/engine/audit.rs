use crate::world::{World, drop_trigger, text};
use loopiq::engine::{Error, Visit};
use serde_json::json;

async fn executed(world: &World) -> (String, String, String) {
    let mut developer = world.client("developer");
    developer.trace_id = "0af7651916cd43dd8448eb211c80319c".into();
    developer.trace_given = true;
    let tool = "loopiq_create_remediation_work_package";
    let answer = world
        .engine
        .call_tool(&developer, tool, world.package("k1"))
        .await
        .expect("a proposal")
        .structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    let reviewer = world.person("reviewer");
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.execute(&reviewer, &id).await.expect("executed");
    let record = text(&world.get(&id).await["result"], "parentId");
    (id, developer.trace_id, record)
}

#[tokio::test]
async fn an_execution_is_found_by_every_search_field() {
    let world = World::new().await;
    let (id, trace, record) = executed(&world).await;
    let auditor = world.person("auditor");
    for query in [
        format!("trace:{trace} event:action.executed"),
        "person:reviewer@acme.example event:action.executed".to_owned(),
        "person:reviewer state:executed".to_owned(),
        format!("record:{record}"),
        "record:WI-2 event:action.executed".to_owned(),
        format!("action:{id} event:action.executed"),
        "key:k1 event:action.executed".to_owned(),
        "release:SHOP-1 event:action.executed".to_owned(),
        "tool:loopiq_create_remediation_work_package event:action.executed".to_owned(),
        "parameterize hostile event:action.executed".to_owned(),
        "event:action.executed after:2026-11-22 before:2026-11-23".to_owned(),
    ] {
        let page = world.engine.search_audit(&auditor, &query, "").await.expect("a page");
        assert!(page.errors.is_empty(), "{query}: {:?}", page.errors);
        assert!(
            page.rows.iter().any(|row| row.event == "action.executed"),
            "{query}: {:?}",
            page.rows
        );
    }
    for query in [
        "trace:00000000000000000000000000000001",
        "event:action.executed after:2026-11-23",
        "key:k2",
        "nonsense",
    ] {
        let page = world.engine.search_audit(&auditor, query, "").await.expect("a page");
        assert_eq!(page.rows.len(), 0, "{query}");
    }
    let wrong = world
        .engine
        .search_audit(&auditor, "colour:red", "")
        .await
        .expect("a page");
    assert_eq!(
        (wrong.errors[0].at, wrong.errors[0].length, wrong.rows.len()),
        (0, 6, 0)
    );
    let stranger = world.person_of(&world.globex, "auditor");
    let page = world
        .engine
        .search_audit(&stranger, &format!("trace:{trace}"), "")
        .await
        .expect("a page");
    assert!(page.rows.is_empty(), "another tenant's log");
}

#[tokio::test]
async fn only_permitted_roles_can_search_the_trail() {
    let world = World::new().await;
    for role in ["developer", "reviewer", "nobody"] {
        let refused = world.engine.search_audit(&world.person(role), "", "").await;
        assert!(matches!(refused, Err(Error::NotAuthorized { .. })), "{role}");
    }
    for role in ["auditor", "lead", "operator"] {
        assert!(
            world.engine.search_audit(&world.person(role), "", "").await.is_ok(),
            "{role}"
        );
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::new().await;
    for n in 0..60 {
        world.proposed(&format!("k{n}")).await;
    }
    let auditor = world.person("auditor");
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = world
            .engine
            .search_audit(&auditor, "event:action.proposed", &after)
            .await
            .expect("a page");
        seen.extend(page.rows.iter().map(|row| row.seq));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));

    let reviewer = world.person("reviewer");
    let (mut query, mut ids) = (loopiq::views::InboxQuery::default(), Vec::new());
    loop {
        let page = world.engine.inbox(&reviewer, &query).await.expect("a page");
        ids.extend(page.rows.iter().map(|row| row.id.clone()));
        match page.next {
            Some(next) => query.after = next,
            None => break,
        }
    }
    assert_eq!(ids.len(), 60);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "oldest first");
}

#[tokio::test]
async fn a_changed_entry_is_named_and_triggers_refuse_changes() {
    use sqlx::Executor;
    let world = World::new().await;
    executed(&world).await;
    let whole = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!((whole.bad, whole.entries > 5), (None, true));
    let mut connection = world.database.connect().await;
    for sql in [
        "UPDATE audit_contents SET content = '{}' WHERE seq = 3",
        "DELETE FROM audit_contents WHERE seq = 3",
        "UPDATE audit_entries SET at = 0 WHERE seq = 3",
        "DELETE FROM audit_entries WHERE seq = 3",
        "UPDATE envelopes SET bytes = '{}'",
        "DELETE FROM envelopes",
    ] {
        assert!(connection.execute(sql).await.is_err(), "{sql}");
    }
    // The owner of the database can drop the trigger, but the hashes still show the change.
    connection
        .execute(sqlx::AssertSqlSafe(drop_trigger("audit_contents")))
        .await
        .expect("dropped");
    connection
        .execute(
            "UPDATE audit_contents SET content = replace(content, 'acme', 'evil') WHERE tenant = 'acme' AND seq = 3",
        )
        .await
        .expect("changed");
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(report.bad.map(|(seq, _)| seq), Some(3));
    let other = world
        .engine
        .verify_audit(&world.globex.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(other.bad, None);
}

#[tokio::test]
async fn the_entry_of_a_proposal_keeps_all_required_fields() {
    let world = World::new().await;
    let (id, _, _) = executed(&world).await;
    let view = world
        .engine
        .action_page(&world.person("reviewer"), &id, Visit::Opened)
        .await
        .expect("a page");
    let seq = view
        .timeline
        .iter()
        .find(|step| step.event == "action.proposed")
        .expect("proposed")
        .seq;
    let entry = world
        .engine
        .audit_entry(&world.person("auditor"), seq)
        .await
        .expect("an entry");
    assert!(entry.intact);
    let content: serde_json::Value = serde_json::from_str(entry.content.as_str()).expect("JSON");
    for pointer in [
        "/actor/callerEmail",
        "/requestId",
        "/traceId",
        "/workflow",
        "/tool",
        "/approvalId",
        "/idempotencyKey",
        "/payloadDigest",
        "/schemaVersion",
        "/policyVersion",
        "/client/name",
        "/source/kind",
        "/outcome",
        "/details/digest",
        "/release/key",
    ] {
        assert!(
            content.pointer(pointer).is_some_and(|value| !value.is_null()),
            "{pointer}"
        );
    }
    let (payload, _) = entry.payload.expect("the submitted payload");
    let payload: serde_json::Value = serde_json::from_str(payload.as_str()).expect("JSON");
    assert_eq!(payload["parent"]["title"], json!("Remove injection findings in login"));
}

#[tokio::test]
async fn an_entry_shows_the_payload_that_its_digest_names() {
    use sqlx::Executor;
    let world = World::new().await;
    let (id, _) = world.proposed("k1").await;
    let auditor = world.person("auditor");
    let seq = proposed_entry(&world, &id).await;
    let entry = world.engine.audit_entry(&auditor, seq).await.expect("an entry");
    let (payload, is_same) = entry.payload.expect("a payload");
    assert!(is_same && payload.to_string().contains("\"children\""), "{payload:?}");
    assert!(
        !entry.content.to_string().contains("\"children\""),
        "an entry refers to the payload by its digest: {:?}",
        entry.content
    );
    let mut connection = world.database.connect().await;
    for sql in [
        drop_trigger("envelopes"),
        format!("UPDATE envelopes SET bytes = replace(bytes, '\"children\"', '\"kids\"') WHERE action_id = '{id}'"),
    ] {
        connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("changed");
    }
    let entry = world.engine.audit_entry(&auditor, seq).await.expect("an entry");
    let (payload, is_same) = entry.payload.expect("a payload");
    assert!(!is_same && payload.to_string().contains("\"kids\""), "{payload:?}");
}

/// The number of the entry that records the proposal.
async fn proposed_entry(world: &World, id: &str) -> i64 {
    let id = loopiq::domain::ActionId::parse(id).expect("an ID");
    let mut tx = world
        .engine
        .store()
        .read(&world.person("auditor"))
        .await
        .expect("a transaction");
    let log = tx.audit_of_action(&id).await.expect("the log");
    log.first().expect("an entry").seq
}
