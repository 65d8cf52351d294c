//! An execution compares the tables with the audit log first.

use crate::world::{World, drop_trigger};
use loopiq::context::Ctx;
use loopiq::domain::{ReasonCode, State};
use loopiq::engine::Visit;
use loopiq::views::Label;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

/// Executes an action after the test has changed the tables. Returns the state, the reason codes, and the number of new work items.
async fn run_after(world: &World, id: &str, sql: &[String]) -> (State, Vec<ReasonCode>, i64) {
    let mut connection = world.database.connect().await;
    for statement in sql {
        connection
            .execute(AssertSqlSafe(statement.clone()))
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let before = world.count("work_items").await;
    let lead: Ctx = world.person("lead");
    let outcome = world.execute(&lead, id).await.expect("a committed outcome");
    assert!(!outcome.done, "{outcome:?}");
    let page = world
        .engine
        .action_page(&lead, id, Visit::Unrecorded)
        .await
        .expect("a page");
    let message = page.outcome.expect("why");
    let codes = if message.contains(ReasonCode::EnvelopeDamaged.label()) {
        vec![ReasonCode::EnvelopeDamaged]
    } else {
        panic!("{message}")
    };
    (page.state, codes, world.count("work_items").await - before)
}

const DAMAGED: ReasonCode = ReasonCode::EnvelopeDamaged;

#[tokio::test]
async fn text_that_was_not_approved_is_not_written() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let (other, other_digest) = world.story(7).await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    // The whole envelope of another action, with its digest, in every column that the execution reads.
    let swap = vec![
        drop_trigger("envelopes"),
        format!(
            "UPDATE envelopes SET bytes = (SELECT o.bytes FROM envelopes o WHERE o.action_id = '{other}') WHERE action_id = '{id}'"
        ),
        format!(
            "UPDATE actions SET digest = '{other_digest}', payload_digest = (SELECT o.payload_digest FROM actions o WHERE o.id = '{other}'), \
             tool = (SELECT o.tool FROM actions o WHERE o.id = '{other}') WHERE id = '{id}'"
        ),
        format!("UPDATE decisions SET digest = '{other_digest}' WHERE action_id = '{id}'"),
    ];
    let ended = run_after(&world, &id, &swap).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

#[tokio::test]
async fn a_forged_approval_runs_nothing() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    // The forged decision is a copy of the reviewer's real decision about another action.
    let (model, model_digest) = world.story(7).await;
    world
        .approve("reviewer", &model, &model_digest)
        .await
        .expect("approved");
    let forged = vec![
        format!("UPDATE decisions SET action_id = '{id}', digest = '{digest}' WHERE action_id = '{model}'"),
        format!("UPDATE actions SET state = 'approved' WHERE id = '{id}'"),
    ];
    let ended = run_after(&world, &id, &forged).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

#[tokio::test]
async fn a_revoked_action_cannot_be_restored() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let reviewer = world.person("reviewer");
    world.engine.revoke(&reviewer, &id, "No.", "").await.expect("revoked");
    let back = vec![
        format!(
            "UPDATE actions SET state = 'approved', closed_at = NULL, outcome = NULL, reason_codes = '[]' WHERE id = '{id}'"
        ),
        format!("DELETE FROM decisions WHERE action_id = '{id}' AND kind = 'revoke'"),
    ];
    let ended = run_after(&world, &id, &back).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

#[tokio::test]
async fn an_approval_is_that_of_the_person_in_the_log() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let lead = world.acme.person("lead").id;
    let moved = vec![format!(
        "UPDATE decisions SET person_id = '{lead}' WHERE action_id = '{id}'"
    )];
    let ended = run_after(&world, &id, &moved).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

#[tokio::test]
async fn a_proposal_is_for_the_person_in_the_log() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let lead = world.acme.person("reviewer2").id;
    let moved = vec![format!("UPDATE actions SET caller_id = '{lead}' WHERE id = '{id}'")];
    let ended = run_after(&world, &id, &moved).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

#[tokio::test]
async fn an_edited_entry_does_not_count() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    world.approve("reviewer", &id, &digest).await.expect("approved");
    let edited = vec![
        drop_trigger("audit_contents"),
        format!(
            "UPDATE audit_contents SET content = replace(content, 'SHOP-1', 'SHOP-2') WHERE tenant = 'acme' AND seq = \
             (SELECT MIN(seq) FROM audit_entries WHERE action_id = '{id}')"
        ),
    ];
    let ended = run_after(&world, &id, &edited).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
    assert_eq!(json!(DAMAGED), json!("envelope_damaged"));
}

/// The policy judges an action by the proposal in the log, even if the tables have been changed.
#[tokio::test]
async fn the_policy_judges_an_action_by_its_logged_proposal() {
    for change in [
        "tool_risk = 'low', max_severity = NULL",
        "tool_risk = 'high'",
        "max_severity = 'none'",
        "expires_at = expires_at + 5184000000000",
        "risk = 'low'",
    ] {
        let world = World::new().await;
        let (id, digest) = world.proposed("k1").await;
        world.approve("reviewer", &id, &digest).await.expect("approved");
        let changed = vec![format!("UPDATE actions SET {change} WHERE id = '{id}'")];
        let ended = run_after(&world, &id, &changed).await;
        assert_eq!(ended, (State::Failed, vec![DAMAGED], 0), "{change}");
    }
}

#[tokio::test]
async fn a_revision_is_for_the_person_in_the_log() {
    let world = World::new().await;
    let (id, digest) = world.proposed("k1").await;
    let reviewer = world.person("reviewer2");
    let outcome = world
        .engine
        .prune(&reviewer, &id, &digest, &["one".to_owned()], "less", "")
        .await;
    let pruned = outcome.expect("pruned").successor.expect("a revision");
    let digest = world
        .engine
        .action_page(&reviewer, &pruned, Visit::Unrecorded)
        .await
        .expect("a page")
        .digest;
    world.approve("reviewer", &pruned, &digest).await.expect("approved");
    let auditor = world.acme.person("auditor").id;
    let moved = vec![format!(
        "UPDATE actions SET caller_id = '{auditor}' WHERE id = '{pruned}'"
    )];
    let ended = run_after(&world, &pruned, &moved).await;
    assert_eq!(ended, (State::Failed, vec![DAMAGED], 0));
}

/// The entries of an action are selected by columns. A person who changes such a column, or removes a content, could hide a revocation.
#[tokio::test]
async fn a_hidden_revocation_runs_nothing() {
    for hide in [
        "UPDATE audit_entries SET event = 'action.viewed' WHERE tenant = 'acme' AND seq = {seq}",
        "UPDATE audit_entries SET action_id = NULL WHERE tenant = 'acme' AND seq = {seq}",
        "DELETE FROM audit_contents WHERE tenant = 'acme' AND seq = {seq}",
        "UPDATE audit_heads SET last_seq = {seq} - 1 WHERE tenant = 'acme'",
    ] {
        let world = World::new().await;
        let (id, digest) = world.proposed("k1").await;
        world.approve("reviewer", &id, &digest).await.expect("approved");
        let reviewer = world.person("reviewer");
        world.engine.revoke(&reviewer, &id, "No.", "").await.expect("revoked");
        let seq = {
            let mut connection = world.database.connect().await;
            let sql = "SELECT MAX(seq) FROM audit_entries WHERE tenant = 'acme' AND event = 'action.revoked'";
            let row = connection.fetch_one(sql).await.expect("an entry");
            sqlx::Row::get::<i64, _>(&row, 0)
        };
        // The checkpoint covers the revocation.
        world.engine.sign_checkpoint(&world.acme.tenant).await.expect("signed");
        let mut sql = drop_delete_triggers();
        sql.extend([
            hide.replace("{seq}", &seq.to_string()),
            format!("DELETE FROM decisions WHERE action_id = '{id}' AND kind <> 'approve'"),
            format!(
                "UPDATE actions SET state = 'approved', closed_at = NULL, outcome = NULL, reason_codes = '[]' WHERE id = '{id}'"
            ),
        ]);
        let mut connection = world.database.connect().await;
        for statement in sql {
            let done = connection.execute(AssertSqlSafe(statement.clone())).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        let before = world.count("work_items").await;
        // A head that was set back also makes the numbers of new entries collide: then nothing is committed at all.
        let outcome = world.execute(&world.person("lead"), &id).await;
        assert!(
            !outcome.as_ref().is_ok_and(|outcome| outcome.done),
            "{hide}: {outcome:?}"
        );
        assert_eq!(world.count("work_items").await, before, "{hide}");
    }
}

fn drop_delete_triggers() -> Vec<String> {
    let tables = ["audit_entries", "audit_contents"];
    if loopiq_testing::on_postgres() {
        tables.map(drop_trigger).to_vec()
    } else {
        let drop = |table| ["update", "delete"].map(|what| format!("DROP TRIGGER {table}_no_{what}"));
        tables.into_iter().flat_map(drop).collect()
    }
}
