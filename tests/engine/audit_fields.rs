//! Which fields the entries of each event have: the thirteen of the article about governed actions, and those about the source of the request.
//! Tenant and time are not in the table: every entry has them.

use crate::audit_entries::entries;
use crate::quorum::TWO_TEAMS;
use crate::world::{World, text};
use crate::{catalog, certify, query_plans};
use loopiq::audit::EVENTS;
use loopiq::domain::ReleaseStatus;
use loopiq::engine::FailedSignIn;
use loopiq_testing::fixtures::{browser_session, new_session};
use serde_json::json;
use std::collections::BTreeMap;

/// The fields, as pointers into the content.
const FIELDS: [(&str, &str); 20] = [
    ("user", "/actor"),
    ("request", "/requestId"),
    ("trace", "/traceId"),
    ("workflow", "/workflow"),
    ("calls", "/toolCallChain"),
    ("tool", "/tool"),
    ("approval", "/approvalId"),
    ("key", "/idempotencyKey"),
    ("payload", "/payloadDigest"),
    ("result", "/details/result"),
    ("records", "/records"),
    ("client", "/client"),
    ("agent", "/agent"),
    ("address", "/source/address"),
    ("session", "/source/session"),
    ("client-request", "/clientRequestId"),
    ("client-trace", "/clientTraceId"),
    ("schema", "/schemaVersion"),
    ("policy", "/policyVersion"),
    ("outcome", "/outcome"),
];

/// Events that need a demo, a token, a failing database, a damaged file or another key, or are in the log of another tenant. Their entries are built by the same two functions as the others.
const NOT_IN_THE_STORY: [&str; 10] = [
    "action.attempt_failed",
    "evidence.intact",
    "client.allowed",
    "token.offered",
    "token.issued",
    "token.revoked",
    "agents.paused",
    "agents.resumed",
    "tenant.created",
    "audit.key_rotated",
];

/// An agent reads and proposes in a trace of its own, and people decide and run the action.
async fn traced_story(world: &World) {
    let mut helix = world.client("developer");
    helix.join_trace("0af7651916cd43dd8448eb211c80319c");
    helix.claims.request_id = Some("req-1".to_owned());
    let call = async |tool: &str, arguments| world.engine.call_tool(&helix, tool, arguments).await;
    let release = json!({ "releaseId": world.acme.release });
    call("loopiq_list_findings", release).await.expect("a list");
    let tool = "loopiq_create_remediation_work_package";
    let proposed = call(tool, world.package("traced"))
        .await
        .expect("a proposal")
        .structured;
    call(tool, world.package("traced")).await.expect("the original");
    let (id, digest) = (text(&proposed, "actionId"), text(&proposed, "digest"));
    call(tool, json!({})).await.expect_err("refused");
    world.approve("reviewer", &id, &digest).await.expect("approved");
    world.execute(&world.person("reviewer"), &id).await.expect("executed");
}

/// A catalog, and what a lead decides about releases.
async fn catalog_and_releases(world: &World) {
    let (engine, lead) = (&world.engine, world.person("lead"));
    let console = catalog::console(world, "acme");
    world.sign_in_again("lead", loopiq::domain::Role::Lead).await;
    let applied = catalog::apply(world, &console, "teams: [{ key: new-team }]", false).await;
    applied.expect("applied");
    engine
        .set_release_status(&lead, "SHOP-2", ReleaseStatus::Released)
        .await
        .expect("set");
    engine
        .refuse_certification(&lead, "SOC2-1", "A control fails.")
        .await
        .expect("refused");
    certify::resolve_blockers(world).await;
    engine
        .grant_certification(&lead, "SOC2-1", "All controls pass.")
        .await
        .expect("granted");
}

/// A scan suppresses a finding, and the next one does not.
async fn suppressed_and_reopened(world: &World) {
    let console = loopiq::context::Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    for suppressions in [
        json!([]),
        json!([{ "kind": "external" }]),
        json!([{ "kind": "external", "status": "rejected" }]),
    ] {
        let mut result = crate::world::result("style", "twice.ts", 1);
        result["suppressions"] = suppressions;
        let bytes = crate::world::sarif(json!([result]));
        let imported = world
            .engine
            .import(&console, "SHOP-1", "twice.sarif", bytes, None, None)
            .await;
        imported.expect("an import");
    }
}

/// What the story of the query plans leaves out.
async fn other_events(world: &World) {
    suppressed_and_reopened(world).await;
    let engine = &world.engine;
    let (auditor, operator) = (world.person("auditor"), world.person("operator"));
    engine.signed_out(&auditor).await.expect("recorded");
    let holder = Some((world.acme.tenant.clone(), world.acme.person("reviewer").id));
    let (session, end) = (browser_session(9, holder), loopiq::domain::Timestamp(i64::MAX));
    let stored = engine
        .store()
        .create_session(new_session("s", &session, end), "{}")
        .await;
    assert!(stored.expect("stored"));
    engine.end_session(&operator, session.id.as_str()).await.expect("ended");
    engine.sign_checkpoint(&world.acme.tenant).await.expect("signed");
    engine
        .reject(&auditor, "act_x", "", &[], "No.", "")
        .await
        .expect_err("denied");
    let words = ["thing".to_owned()];
    let command = loopiq::context::Ctx::command(world.acme.tenant.clone(), engine.runtime());
    engine
        .change_generic_words(&command, &words, &[])
        .await
        .expect("changed");
    let exported = engine.export_bundle(&command, Vec::new(), true, &[], |_, _| ()).await;
    exported.expect("exported");
    let failed = FailedSignIn {
        tenant: "acme".to_owned(),
        code: "bad_signature",
        message: "The token could not be verified.".to_owned(),
        identity: None,
    };
    let origin = loopiq::engine::RequestOrigin {
        address: Some("192.0.2.7".to_owned()),
        ..Default::default()
    };
    engine.sign_in_failed(&origin, failed).await.expect("recorded");
    let ids = ["reviewer", "lead"].map(|who| world.acme.person(who).id.to_string());
    for decline in [false, true] {
        let asked = engine
            .request_link(&operator, &ids[0], &ids[1], Some(true), "They say so.")
            .await;
        let id = asked.expect("asked").id;
        let outcome = if decline {
            engine
                .decline_request(&world.person("operator2"), id.as_str(), "No.")
                .await
        } else {
            engine.withdraw_request(&operator, id.as_str()).await
        };
        outcome.expect("closed");
    }
    let open = engine
        .request_link(&operator, &ids[0], &ids[1], Some(true), "They say so.")
        .await;
    open.expect("asked");
    world.advance_clock(8 * loopiq::domain::Timestamp::DAY);
    engine.sweep().await.expect("swept");
    // Checks that give another result at the execution.
    let (id, digest) = world.proposed("changed").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let sql = format!(
        "UPDATE findings SET status = 'fixed' WHERE tenant = 'acme' AND id = '{}'",
        world.acme.finding
    );
    let mut connection = world.database.connect().await;
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("changed");
    let outcome = world
        .execute(&world.person("reviewer"), &id)
        .await
        .expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    world.join("reviewer", "payments").await;
    world.join("lead", "checkout").await;
    world.policy(TWO_TEAMS).await;
    let (id, digest) = world.story(99).await;
    world.approve("lead", &id, &digest).await.expect("one of two");
}

#[tokio::test]
async fn every_event_has_the_fields_that_apply_to_it() {
    let (traced, other, rest) = (World::new().await, World::new().await, World::new().await);
    traced_story(&traced).await;
    other_events(&other).await;
    query_plans::story(&rest).await;
    catalog_and_releases(&rest).await;
    let mut table: BTreeMap<String, String> = BTreeMap::new();
    let mut all = entries(&traced).await;
    all.extend(entries(&other).await);
    all.extend(entries(&rest).await);
    for (event, content) in all {
        let present = FIELDS
            .iter()
            .filter(|(_, pointer)| content.pointer(pointer).is_some_and(|value| !value.is_null()));
        let names: Vec<&str> = present.map(|(name, _)| *name).collect();
        // What an event without its subject could not do without.
        for always in ["user", "request", "trace", "outcome"] {
            assert!(names.contains(&always), "{event} has no {always}: {content}");
        }
        table.entry(event).or_insert_with(|| names.join(" "));
    }
    let missing: Vec<&str> = EVENTS
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| !table.contains_key(*name))
        .collect();
    assert_eq!(missing, NOT_IN_THE_STORY);
    let lines: Vec<String> = table
        .into_iter()
        .map(|(event, fields)| format!("{event}: {fields}"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
