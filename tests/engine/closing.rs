//! Every way to close an action has the same consequences: an audit entry, closed repeats, and a link to the action that replaces the
//! closed one.

use crate::world::{World, text};
use loopiq::domain::{ActionId, ReasonCode, Timestamp};
use loopiq::engine::Visit;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

/// A way to close a pending action, with the event of the audit entry and the reason codes of the repeats.
const ENDS: [(&str, &str, &[&str]); 6] = [
    ("reject", "action.rejected", &["declined"]),
    ("withdraw", "action.withdrawn", &["withdrawn"]),
    ("expire", "action.expired", &["expired"]),
    ("expire by a command", "action.expired", &["expired"]),
    ("supersede", "action.superseded", &["superseded"]),
    ("prune", "action.superseded", &["superseded"]),
];

#[tokio::test]
async fn every_end_of_a_pending_action_has_the_same_consequences() {
    for (how, event, codes) in ENDS {
        let world = World::new().await;
        let (first, digest) = world.proposed("k1").await;
        let mut package = world.package("k1");
        package["idempotencyKey"] = json!("k2");
        let answer = world.propose(package.clone()).await.expect("a repeat").structured;
        let repeat = text(&answer, "actionId");
        let successor = close(&world, how, &first, &digest, package).await;

        let closed = world.get(&first).await;
        assert_eq!(closed["status"], "rejected", "{how}");
        assert_eq!(
            closed.get("supersededBy").and_then(Value::as_str),
            successor.as_deref(),
            "{how}"
        );
        assert_eq!(last_event(&world, &first).await, event, "{how}");
        let repeated = world.get(&repeat).await;
        assert_eq!(
            (&repeated["status"], &repeated["reasonCodes"]),
            (&json!("rejected"), &json!(codes)),
            "{how}"
        );
        assert_eq!(repeated["supersededBy"], json!(first), "{how}");
        assert_eq!(last_event(&world, &repeat).await, "action.superseded", "{how}");
        // An auditor finds the end of each action by the key of a record.
        for (action, event) in [(&first, event), (&repeat, "action.superseded")] {
            let query = format!("record:FND-1 event:{event} action:{action}");
            let page = world.engine.search_audit(&world.person("auditor"), &query, "").await;
            assert_eq!(page.expect("a page").rows.len(), 1, "{how}: {query}");
        }
        // The verification of the log knows this end, and finds that its words were changed in the tables.
        assert_eq!(difference(&world).await, None, "{how}");
        let sql = format!("UPDATE actions SET outcome = 'Somebody else did it.' WHERE id = '{first}'");
        let changed = world.database.connect().await.execute(AssertSqlSafe(sql)).await;
        assert_eq!(changed.expect("changed").rows_affected(), 1);
        let why = difference(&world).await.expect("a difference");
        assert!(
            why.contains(&first) && why.contains("the text of its end"),
            "{how}: {why}"
        );
    }
}

/// Closes the action; returns the ID of the action that replaces it, if one does.
async fn close(world: &World, how: &str, id: &str, digest: &str, mut package: Value) -> Option<String> {
    let (engine, reviewer) = (&world.engine, world.person("reviewer"));
    match how {
        "reject" => {
            let reason = [ReasonCode::Declined];
            let rejected = engine.reject(&reviewer, id, digest, &reason, "Not now.", "").await;
            assert!(rejected.expect("rejected").done);
        }
        "withdraw" => {
            let call = json!({ "actionId": id, "reason": "Not now." });
            let client = world.client("developer");
            let withdrawn = engine.call_tool(&client, "loopiq_withdraw_action", call).await;
            withdrawn.expect("withdrawn");
        }
        "expire" => {
            world.advance_clock(80 * Timestamp::HOUR);
            engine.sweep().await.expect("swept");
        }
        "expire by a command" => {
            world.advance_clock(80 * Timestamp::HOUR);
            let late = engine.ask(&reviewer, id, "Is it still wanted?").await;
            assert!(late.expect_err("expired").to_string().contains("expired"), "{how}");
        }
        "supersede" => {
            package["idempotencyKey"] = json!("k3");
            package["supersedesActionId"] = json!(id);
            return Some(text(
                &world.propose(package).await.expect("a revision").structured,
                "actionId",
            ));
        }
        "prune" => {
            let page = engine.action_page(&reviewer, id, Visit::Opened).await.expect("a page");
            let keep = [page.panel.prune[0].0.clone()];
            let pruned = engine.prune(&reviewer, id, digest, &keep, "One is enough.", "").await;
            return pruned.expect("pruned").successor;
        }
        other => unreachable!("{other}"),
    }
    None
}

/// The first difference that the verification of the log finds.
async fn difference(world: &World) -> Option<String> {
    let report = world.engine.verify_audit(&world.acme.tenant, &[]).await;
    report.expect("a report").bad.map(|(_, why)| why)
}

async fn last_event(world: &World, id: &str) -> String {
    let id = ActionId::parse(id).expect("an ID");
    let store = world.engine.store();
    let mut tx = store.read(&world.person("auditor")).await.expect("a transaction");
    let log = tx.audit_of_action(&id).await.expect("the log");
    log.last().expect("an entry").event.clone()
}
