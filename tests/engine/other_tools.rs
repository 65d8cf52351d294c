//! The other tools: findings, risks, certifications, notes and current evidence, each from the proposal to the execution.

use crate::propose::added;
use crate::world::{World, result, sarif, text};
use loopiq::context::Ctx;
use loopiq::domain::*;
use loopiq::engine::{Error, Visit};
use serde_json::{Value, json};

async fn read(world: &World, tool: &str, arguments: Value) -> Value {
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await;
    answer.expect("an answer").structured
}

async fn propose(world: &World, tool: &str, key: &str, arguments: &Value) -> Result<Value, Error> {
    let mut arguments = arguments.clone();
    arguments["idempotencyKey"] = json!(key);
    arguments["reason"] = json!("FND-1 asks for it.");
    let answer = world
        .engine
        .call_tool(&world.client("developer"), tool, arguments)
        .await?;
    Ok(answer.structured)
}

async fn approved(world: &World, tool: &str, key: &str, arguments: &Value) -> String {
    let answer = propose(world, tool, key, arguments).await.expect("a proposal");
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    world.approve("reviewer", &id, &digest).await.expect("approved");
    id
}

/// The rows that an execution added or changed, without the rows of the action and its audit entries.
fn written(before: &[String], after: &[String]) -> Vec<String> {
    // What is accepted now follows from the acceptances.
    let own = ["action", "attempts", "audit_", "accepted_risks"];
    added(before, after)
        .iter()
        .filter_map(|row| Some(row.split_once('|')?.0.to_owned()))
        .filter(|table| table == "audit_notes" || !own.iter().any(|prefix| table.starts_with(prefix)))
        .collect()
}

/// Proposes, approves and executes an action; it must write as many rows as its preview says. Returns the tables of these rows.
async fn ran(world: &World, tool: &str, key: &str, arguments: &Value) -> Vec<String> {
    let answer = propose(
        world,
        tool,
        &format!("{key}-look"),
        &with(arguments, "dryRun", json!(true)),
    )
    .await
    .expect("a preview");
    let planned = ["creates", "updates"].map(|kind| answer["preview"][kind].as_array().map_or(0, Vec::len));
    let id = approved(world, tool, key, arguments).await;
    let before = world.dump().await;
    let outcome = world.execute(&world.person("reviewer"), &id).await.expect("an outcome");
    assert!(outcome.done, "{outcome:?}");
    let mut tables = written(&before, &world.dump().await);
    assert_eq!(tables.len(), planned.iter().sum::<usize>(), "{tables:?}");
    tables.sort();
    tables.dedup();
    tables
}

/// Approves two actions with the same arguments. The second execution fails because the first one changed the target, and writes nothing.
async fn the_second_fails(world: &World, tool: &str, arguments: &Value) {
    let (first, second) = (
        approved(world, tool, "first", arguments).await,
        approved(world, tool, "second", arguments).await,
    );
    let reviewer = world.person("reviewer");
    assert!(world.execute(&reviewer, &first).await.expect("an outcome").done);
    world.opened(&reviewer, &second).await;
    let before = world.dump().await;
    let outcome = world.execute(&reviewer, &second).await.expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&second).await["reasonCodes"], json!(["stale_target"]));
    assert_eq!(written(&before, &world.dump().await), [""; 0]);
}

/// The pointers of the invalid fields.
async fn refused(world: &World, tool: &str, arguments: &Value) -> Vec<String> {
    match propose(world, tool, "bad", arguments).await {
        Err(Error::Invalid { fields }) => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("{arguments}: {other:?}"),
    }
}

fn with(arguments: &Value, field: &str, value: Value) -> Value {
    let mut arguments = arguments.clone();
    arguments[field] = value;
    arguments
}

async fn blocker(world: &World) -> Value {
    let blockers = read(
        world,
        "loopiq_list_blockers",
        json!({ "releaseId": world.acme.release }),
    )
    .await;
    let items = blockers["items"].as_array().cloned().unwrap_or_default();
    items
        .into_iter()
        .find(|record| record["id"] == json!(world.acme.blocker))
        .expect("the blocker")
}

async fn finding(world: &World) -> Value {
    let findings = read(
        world,
        "loopiq_list_findings",
        json!({ "releaseId": world.acme.release }),
    )
    .await;
    let items = findings["items"].as_array().cloned().unwrap_or_default();
    items
        .into_iter()
        .find(|record| record["id"] == json!(world.acme.finding))
        .expect("the finding")
}

#[tokio::test]
async fn a_finding_gets_another_status_and_its_blockers_follow() {
    let world = World::new().await;
    let tool = "loopiq_update_finding_status";
    let good = json!({ "findingId": world.acme.finding, "expectedVersion": 1, "status": "false_positive", "justification": "Test data." });
    for (bad, pointer) in [
        (with(&good, "status", json!("accepted")), "/status"),
        (with(&good, "status", json!("open")), "/status"),
        (with(&good, "status", json!("gone")), "/status"),
        (with(&good, "expectedVersion", json!(7)), "/expectedVersion"),
        (with(&good, "justification", json!("")), "/justification"),
        (with(&good, "justification", json!("x".repeat(2_001))), "/justification"),
        (with(&good, "justification", json!("a\u{202E}b")), "/justification"),
        (with(&good, "expiresAt", json!("next week")), "/expiresAt"),
        (with(&good, "expiresAt", json!("2020-01-01T00:00:00Z")), "/expiresAt"),
        (with(&good, "expiresAt", json!("2099-01-01T00:00:00Z")), "/expiresAt"),
        (with(&good, "findingId", json!(world.globex.finding)), "/findingId"),
    ] {
        assert_eq!(refused(&world, tool, &bad).await, [pointer], "{bad}");
    }
    let preview = propose(&world, tool, "look", &with(&good, "dryRun", json!(true)))
        .await
        .expect("a preview");
    assert_eq!(
        preview["preview"]["updates"][0]["fields"][0],
        json!({ "field": "status", "before": "open", "after": "false_positive" })
    );
    // A second action is approved before the first one is executed, which then changes the target of the second.
    let late = approved(&world, tool, "late", &with(&good, "status", json!("suppressed"))).await;
    assert_eq!(ran(&world, tool, "k", &good).await, ["blockers", "findings"]);
    let now = finding(&world).await;
    assert_eq!(
        (&now["status"], &now["justification"], &now["version"]),
        (&json!("false_positive"), &json!("Test data."), &json!(2))
    );
    assert_eq!(blocker(&world).await["status"], "resolved");

    let before = world.dump().await;
    let outcome = world
        .execute(&world.person("reviewer"), &late)
        .await
        .expect("a committed refusal");
    assert!(!outcome.done, "{outcome:?}");
    assert_eq!(world.get(&late).await["reasonCodes"], json!(["stale_target"]));
    assert!(
        !added(&before, &world.dump().await)
            .iter()
            .any(|row| row.starts_with("findings|") || row.starts_with("blockers|"))
    );

    let again = json!({ "findingId": world.acme.finding, "expectedVersion": 2, "status": "open", "justification": "It was none." });
    ran(&world, tool, "k2", &again).await;
    assert_eq!(blocker(&world).await["status"], "open");
}

#[tokio::test]
async fn a_risk_is_accepted_by_a_named_person_until_a_date() {
    let world = World::new().await;
    let tool = "loopiq_accept_risk";
    let until = world.person("lead").now().plus(90 * Timestamp::DAY).rfc3339();
    let good = json!({
        "releaseId": world.acme.release, "findingIds": [world.acme.finding], "controlIds": [], "justification": "Behind the firewall.",
        "compensatingControls": ["The route is closed from outside."], "owner": "lead@acme.example", "expiresAt": until,
    });
    for (bad, pointer) in [
        (with(&good, "findingIds", json!([])), "/findingIds"),
        (
            with(&good, "findingIds", json!([world.globex.finding])),
            "/findingIds/0",
        ),
        (
            with(&good, "findingIds", json!([world.globex.finding, world.acme.finding])),
            "/findingIds/0",
        ),
        (
            with(&good, "controlIds", json!([world.globex.control])),
            "/controlIds/0",
        ),
        (with(&good, "justification", json!(" ")), "/justification"),
        (with(&good, "owner", json!("nobody@nowhere.example")), "/owner"),
        (with(&good, "expiresAt", json!("soon")), "/expiresAt"),
        (with(&good, "expiresAt", json!("2020-01-01")), "/expiresAt"),
        (with(&good, "expiresAt", json!("2090-01-01")), "/expiresAt"),
        (
            with(&good, "compensatingControls", json!([""])),
            "/compensatingControls/0",
        ),
        (with(&good, "releaseId", json!(world.globex.release)), "/releaseId"),
    ] {
        assert_eq!(refused(&world, tool, &bad).await, [pointer], "{bad}");
    }
    let look = with(&good, "justification", json!("Only to look at."));
    let answer = propose(&world, tool, "look", &look).await.expect("a proposal");
    let page = world
        .engine
        .action_page(&world.person("reviewer"), &text(&answer, "actionId"), Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(
        (page.risk, page.headline.as_str()),
        (
            Risk::High,
            "Accept risk: SQL injection (FND-1, critical) until 20 Feb 2027"
        )
    );
    assert_eq!(
        ran(&world, tool, "k", &good).await,
        ["blockers", "findings", "risk_acceptances"]
    );
    let release = read(&world, "loopiq_get_release", json!({ "releaseId": world.acme.release })).await;
    let acceptance = &release["riskAcceptances"][0];
    assert_eq!(acceptance["ownerId"], json!(world.acme.person("lead").id));
    assert_eq!(acceptance["compensatingControls"], good["compensatingControls"]);
    let now = finding(&world).await;
    assert_eq!(
        (&now["status"], &now["statusExpiresAt"]),
        (&json!("accepted"), &json!(until))
    );
    assert_eq!(blocker(&world).await["status"], "accepted");
    assert_eq!(
        refused(&world, tool, &good).await,
        ["/findingIds/0"],
        "it is accepted already"
    );
}

#[tokio::test]
async fn a_repeated_change_fails_and_writes_nothing() {
    let world = World::new().await;
    let until = world.person("lead").now().plus(Timestamp::DAY).rfc3339();
    the_second_fails(&world, "loopiq_accept_risk", &json!({
        "releaseId": world.acme.release, "controlIds": [world.acme.control], "findingIds": [world.acme.finding], "justification": "j",
        "owner": "lead@acme.example", "expiresAt": until,
    })).await;
    let world = World::new().await;
    let request = json!({ "certificationId": world.acme.certification, "statement": "s" });
    world.policy("[checks]\nblockers = \"warn\"").await;
    the_second_fails(&world, "loopiq_request_certification", &request).await;
    let world = World::new().await;
    let evidence = read(
        &world,
        "loopiq_search_evidence",
        json!({ "releaseId": world.acme.release }),
    )
    .await["items"][0]
        .clone();
    let refresh =
        json!({ "releaseId": world.acme.release, "provider": evidence["provider"], "kind": evidence["kind"] });
    the_second_fails(&world, "loopiq_refresh_release_evidence", &refresh).await;
}

/// The execution of a risk acceptance after its expiry date fails and writes nothing.
#[tokio::test]
async fn an_acceptance_that_expired_before_its_execution_does_nothing() {
    let world = World::new().await;
    let until = world.person("lead").now().plus(Timestamp::HOUR).rfc3339();
    let arguments = json!({
        "releaseId": world.acme.release, "findingIds": [world.acme.finding], "justification": "For an hour.",
        "owner": "lead@acme.example", "expiresAt": until,
    });
    let id = approved(&world, "loopiq_accept_risk", "k", &arguments).await;
    world.advance_clock(2 * Timestamp::HOUR);
    let outcome = world
        .execute(&world.person("reviewer"), &id)
        .await
        .expect("a committed refusal");
    assert!(!outcome.done && outcome.message.contains("in the past"), "{outcome:?}");
    assert_eq!(finding(&world).await["status"], "open");
}

#[tokio::test]
async fn a_certification_is_requested_once_and_never_granted_here() {
    let world = World::new().await;
    let tool = "loopiq_request_certification";
    let good = json!({ "certificationId": world.acme.certification, "statement": "All blockers are gone." });
    assert_eq!(
        refused(&world, tool, &with(&good, "statement", json!(""))).await,
        ["/statement"]
    );
    assert_eq!(
        refused(
            &world,
            tool,
            &with(&good, "certificationId", json!(world.globex.certification))
        )
        .await,
        ["/certificationId"]
    );
    let asked = propose(&world, tool, "blocked", &good).await.expect("a proposal");
    let blockers = asked["checks"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["id"] == "blockers").cloned());
    let blockers = blockers.expect("a check");
    assert_eq!(
        (&blockers["code"], &blockers["verdict"]),
        (&json!("blockers.open"), &json!("block"))
    );
    assert_eq!(blockers["facts"][0]["id"], json!(world.acme.blocker));
    assert!(text(&blockers, "message").contains("2 open blockers"), "{blockers}");
    let refusal = world
        .approve("reviewer", &text(&asked, "actionId"), &text(&asked, "digest"))
        .await;
    assert!(!refusal.is_ok_and(|outcome| outcome.done), "an open blocker");
    world.policy("[checks]\nblockers = \"warn\"").await;
    assert_eq!(ran(&world, tool, "k", &good).await, ["certifications"]);
    let release = read(&world, "loopiq_get_release", json!({ "releaseId": world.acme.release })).await;
    let certification = &release["certifications"][0];
    assert_eq!(
        (&certification["status"], &certification["statement"]),
        (&json!("requested"), &json!("All blockers are gone."))
    );
    assert_eq!(
        refused(&world, tool, &good).await,
        ["/certificationId"],
        "it is requested already"
    );
}

#[tokio::test]
async fn a_note_is_bound_to_an_action_and_changes_no_entry() {
    let world = World::new().await;
    let (noted, _) = world.proposed("noted").await;
    let good = json!({ "actionId": noted, "text": "See the minutes of <b>Monday</b>." });
    let tool = "loopiq_add_audit_note";
    let (foreign, _) = world.story(9).await;
    let unknown = foreign.replace(&foreign[foreign.len() - 1..], "0");
    assert_eq!(refused(&world, tool, &with(&good, "text", json!(""))).await, ["/text"]);
    if unknown != foreign {
        assert_eq!(
            refused(&world, tool, &with(&good, "actionId", json!(unknown))).await,
            ["/actionId"]
        );
    }
    assert_eq!(ran(&world, tool, "k", &good).await, ["audit_notes"]);
    let action = world.get(&noted).await;
    assert_eq!(action["notes"][0]["text"], good["text"]);
    let page = world
        .engine
        .action_page(&world.person("auditor"), &noted, Visit::Unrecorded)
        .await
        .expect("a page");
    assert_eq!(page.notes, ["See the minutes of <b>Monday</b>."]);
    assert_eq!(
        world
            .engine
            .verify_audit(&world.acme.tenant, &[])
            .await
            .expect("a report")
            .bad,
        None
    );
}

#[tokio::test]
async fn a_release_goes_by_the_newest_evidence_of_a_kind() {
    let world = World::new().await;
    let tool = "loopiq_refresh_release_evidence";
    let release = json!({ "releaseId": world.acme.release });
    let evidence = read(&world, "loopiq_search_evidence", release.clone()).await["items"][0].clone();
    let good = json!({ "releaseId": world.acme.release, "provider": evidence["provider"], "kind": evidence["kind"] });
    assert_eq!(
        refused(&world, tool, &with(&good, "provider", json!("another"))).await,
        ["/provider"]
    );
    assert_eq!(
        refused(&world, tool, &with(&good, "kind", json!("junit"))).await,
        ["/provider"]
    );
    assert_eq!(ran(&world, tool, "k1", &good).await, ["current_evidence"]);
    let current = async || read(&world, "loopiq_get_release", release.clone()).await["currentEvidence"][0].clone();
    assert_eq!(current().await["evidenceId"], evidence["id"]);
    assert_eq!(
        refused(&world, tool, &good).await,
        ["/provider"],
        "it is current already"
    );

    let ctx = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
    let mut scan: Value = serde_json::from_slice(&sarif(json!([result("style", "b.ts", 2)]))).expect("JSON");
    scan["runs"][0]["invocations"] = json!([{ "executionSuccessful": true, "endTimeUtc": ctx.now().rfc3339() }]);
    let bytes = scan.to_string().into_bytes();
    world
        .engine
        .import(&ctx, "SHOP-1", "newer.sarif", bytes, None, None)
        .await
        .expect("an import");
    assert_eq!(ran(&world, tool, "k2", &good).await, ["current_evidence"]);
    let newest = current().await;
    assert_ne!(newest["evidenceId"], evidence["id"]);
    assert_eq!(newest["version"], 2);
}
