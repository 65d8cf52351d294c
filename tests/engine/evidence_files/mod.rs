//! When a modified evidence file is found: by the scrub, and by every execution that relies on the file. In between, the stored result
//! counts.

mod restore;
mod scrub;
mod stored_results;

use crate::world::World;
use loopiq::context::Ctx;
use loopiq::domain::{FileState, Timestamp};
use loopiq::engine::ScrubReport;
use loopiq::store::StoredResult;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, Row};

fn operator(world: &World) -> Ctx {
    Ctx::system(world.acme.tenant.clone(), world.engine.runtime())
}

async fn scrub(world: &World) -> ScrubReport {
    world.engine.scrub().await.expect("a pass")
}

/// A scrub at a time at which every file is due.
async fn scrub_a_day_later(world: &World) -> ScrubReport {
    world.advance_clock(Timestamp::DAY + Timestamp::HOUR);
    scrub(world).await
}

/// Executes a statement as a role that sees every row, as an attacker with access to the database could.
async fn sql(world: &World, statement: &str) {
    let changed = world
        .database
        .connect()
        .await
        .execute(AssertSqlSafe(statement.to_owned()))
        .await;
    assert_eq!(changed.expect(statement).rows_affected(), 1, "{statement}");
}

/// The hash of the file that the evidence of acme's records contains.
async fn file_of(world: &World) -> String {
    let row = sqlx::query("SELECT sha256 FROM evidence WHERE id = $1")
        .bind(world.acme.evidence.as_str().to_owned())
        .fetch_one(&mut world.database.connect().await)
        .await;
    row.expect("evidence").get(0)
}

/// Changes the stored bytes without the service.
async fn overwrite(world: &World, sha256: &str, bytes: &[u8]) {
    let changed = sqlx::query("UPDATE evidence_files SET bytes = $1 WHERE tenant = 'acme' AND sha256 = $2")
        .bind(bytes.to_vec())
        .bind(sha256.to_owned())
        .execute(&mut world.database.connect().await)
        .await;
    assert_eq!(changed.expect("changed").rows_affected(), 1);
}

async fn stored(world: &World, sha256: &str) -> StoredResult {
    let mut tx = world.engine.store().read(&operator(world)).await.expect("a read");
    let mut found = tx.stored_results([sha256]).await.expect("results");
    found.pop().expect("a stored result")
}

/// The number of stored files of all tenants.
async fn files(world: &World) -> u64 {
    world.count("evidence_verifications").await as u64
}

async fn state(world: &World, sha256: &str) -> FileState {
    stored(world, sha256).await.state
}

async fn entries(world: &World, event: &str) -> i64 {
    world.count(&format!("audit_entries WHERE event = '{event}'")).await
}

/// The content of the last audit entry with this event.
async fn entry(world: &World, event: &str) -> Value {
    world.entries(event).await.pop().expect("an entry")
}
