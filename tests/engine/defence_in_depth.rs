//! Second lines of defence. Each test disables the first line.

use crate::world::{World, sarif};
use loopiq::context::Ctx;
use loopiq::domain::{ActionId, Execution, ReasonCode, Refusal, Stage, State, Timestamp, canonical};
use loopiq::engine::{Error, Visit};
use loopiq::store::StoreError;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

/// Evidence with another date or another stored file passes every check, because it is fresh, intact and about this release. Only the
/// approved digests show the difference.
#[tokio::test]
async fn evidence_that_was_replaced_after_the_approval_is_not_relied_on() {
    let other = sarif(json!([]));
    let exchanges = [
        "collected_at = collected_at + 1".to_owned(),
        format!("sha256 = '{}'", canonical::sha256_hex(&other)),
    ];
    for exchange in exchanges {
        let world = World::new().await;
        let operator = Ctx::system(world.acme.tenant.clone(), world.engine.runtime());
        world
            .engine
            .import(&operator, "SHOP-2", "other.sarif", other.clone(), None, None)
            .await
            .expect("an import");
        let (id, digest) = world.proposed("k1").await;
        world.approve("reviewer", &id, &digest).await.expect("approved");
        let sql = format!("UPDATE evidence SET {exchange} WHERE id = '{}'", world.acme.evidence);
        let mut connection = world.database.connect().await;
        connection.execute(AssertSqlSafe(sql)).await.expect("exchanged");

        let lead = world.person("lead");
        let page = world
            .engine
            .action_page(&lead, &id, Visit::Unrecorded)
            .await
            .expect("a page");
        let blocks = page
            .checks
            .iter()
            .filter(|check| !check.warns() && check.verdict.as_str() != "pass");
        assert_eq!(blocks.count(), 0, "{exchange}: no check has anything against it");
        let before = world.count("work_items").await;
        let outcome = world.execute(&lead, &id).await.expect("a committed outcome");
        assert!(!outcome.done, "{exchange}");
        let ended = world.get(&id).await;
        assert_eq!(
            (&ended["status"], &ended["reasonCodes"]),
            (&json!("failed"), &json!(["evidence_changed"])),
            "{exchange}"
        );
        assert_eq!(world.count("work_items").await, before, "{exchange}");
    }
}

/// Commands refuse an expired action when they load the action. The statement that changes the state refuses it independently.
#[tokio::test]
async fn the_statement_that_changes_the_state_refuses_what_has_expired() {
    let world = World::new().await;
    let (pending, _) = world.proposed("k1").await;
    let (approved, digest) = world.story(1).await;
    world.approve("reviewer", &approved, &digest).await.expect("approved");
    let lead = world.person("lead");
    let changes = async |id: &str, to: State| {
        let id = ActionId::parse(id).expect("an ID");
        let changed = world.engine.store().write::<_, Error, _>(&lead, move |tx| {
            Box::pin(async move {
                let action = tx.action(&id).await?.expect("an action");
                let at = tx.ctx().now();
                let done = match to {
                    State::Approved => tx.claim(&action, to).await,
                    State::Executed => {
                        let result = json!({});
                        tx.close(&action, &Stage::Executed(Execution { at, result })).await
                    }
                    _ => {
                        let (codes, message) = (vec![ReasonCode::Expired], "It expired.".to_owned());
                        tx.close(&action, &Stage::Rejected(Refusal { at, codes, message }))
                            .await
                    }
                };
                match done {
                    Ok(()) => Ok(true),
                    Err(StoreError::Conflict(_)) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            })
        });
        changed.await.expect("a committed transaction")
    };
    world.advance_clock(31 * Timestamp::DAY);
    assert!(!changes(&pending, State::Approved).await, "approved after its time");
    assert!(!changes(&approved, State::Executed).await, "executed after its time");
    for id in [&pending, &approved] {
        assert!(changes(id, State::Rejected).await, "an expired action still ends");
    }
}
