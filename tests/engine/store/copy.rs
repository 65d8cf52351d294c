//! Copies of a whole installation into another database and back.

use crate::world::{World, text};
use loopiq::domain::{InstallationKind, Timestamp};
use loopiq::engine::Visit;
use loopiq::store::{Store, StoreError};
use loopiq_testing::fixtures::{browser_session, new_session};
use loopiq_testing::{Database, on_postgres};

/// A world with rows in every table.
async fn full() -> World {
    let world = World::new().await;
    let reviewer = world.person("reviewer");
    let answer = world.propose(world.package("k1")).await.expect("a proposal").structured;
    let (id, digest) = (text(&answer, "actionId"), text(&answer, "digest"));
    world
        .engine
        .action_page(&reviewer, &id, Visit::Opened)
        .await
        .expect("a page");
    world
        .approve_as(&reviewer, &id, &digest, &world.marks(&id).await)
        .await
        .expect("approved");
    world.execute(&reviewer, &id).await.expect("executed");
    let developer = world.client("developer");
    let list = world
        .engine
        .call_tool(&developer, "loopiq_list_releases", serde_json::json!({}));
    list.await.expect("a list");
    world.engine.flush_reads().await.expect("written");
    let store = world.engine.store();
    // Only a demo issues tokens.
    let kind = store.decide_installation(InstallationKind::Demo, Timestamp(1)).await;
    assert_eq!(kind.expect("decided"), InstallationKind::Demo);
    let session = browser_session(1, Some((world.acme.tenant.clone(), world.acme.person("reviewer").id)));
    store
        .create_session(new_session("digest", &session, Timestamp(i64::MAX)), "{}")
        .await
        .expect("a session");
    world
        .engine
        .issue_token(&world.acme.tenant, "developer@acme.example", "Helix", "x")
        .await
        .expect("a token");
    world
}

#[tokio::test]
async fn a_copy_holds_the_same_rows_in_either_kind_of_database() {
    let world = full().await;
    let before = world.dump().await;
    let other = Database::new().await;
    let target = Store::open(&other.url).await.expect("a database");
    assert_eq!(target.installation().await.expect("a look"), None);
    let mut steps = Vec::new();
    let report = world
        .engine
        .store()
        .copy_into(&target, |step| steps.push((step.done, step.total)))
        .await
        .expect("copied");
    same(other.dump().await, before.clone());
    let kind = target.installation().await.expect("a look");
    assert_eq!(kind, Some(InstallationKind::Demo), "a copy of a demo is a demo");
    let last = steps.last().expect("progress");
    assert_eq!(
        (last.0, last.1),
        (report.rows, report.rows),
        "the bar ends where it should"
    );
    assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0));

    // A copy into the other kind of database has the same rows.
    let file = Database::sqlite();
    let sqlite = Store::open(&file.url).await.expect("a database");
    let again = target.copy_into(&sqlite, |_| {}).await.expect("copied");
    assert_eq!(again, report);
    let bytes_aside = |rows: Vec<String>| {
        // One database shows bytes as text, and the other shows bytes in hex.
        rows.into_iter()
            .filter(|row| !row.starts_with("evidence_files|"))
            .collect()
    };
    same(bytes_aside(file.dump().await), bytes_aside(before));

    // A copy into a database that is not empty is refused.
    let refused = world.engine.store().copy_into(&target, |_| {}).await;
    assert!(
        matches!(&refused, Err(StoreError::Copy(why)) if why.contains("not empty")),
        "{refused:?}"
    );
}

/// Compares the rows, without counts of zero: triggers leave such rows in the original, and the copy never had them.
fn same(copy: Vec<String>, original: Vec<String>) {
    let original: Vec<String> = original.into_iter().filter(|row| !row.ends_with("|count=0")).collect();
    for (copied, expected) in copy.iter().zip(&original) {
        assert_eq!(copied, expected);
    }
    assert_eq!(copy.len(), original.len());
}

#[tokio::test]
async fn a_copy_leaves_no_table_out() {
    let world = World::new().await;
    let mut copied = loopiq::store::COPIED.to_vec();
    // Tables without a tenant, and counts, which triggers compute in the copy.
    copied.extend(["tenants", "installation", "sessions", "action_counts"]);
    copied.sort_unstable();
    assert_eq!(
        world.database.tables().await,
        copied,
        "a new table is copied, or listed here with its reason"
    );
}

#[tokio::test]
async fn a_copy_that_breaks_off_leaves_nothing() {
    use sqlx::Executor;
    let world = full().await;
    // The target lacks a table, so the copy fails there.
    let other = Database::new().await;
    let target = Store::open(&other.url).await.expect("a database");
    other
        .connect()
        .await
        .execute("DROP TABLE audit_contents")
        .await
        .expect("dropped");
    world
        .engine
        .store()
        .copy_into(&target, |_| {})
        .await
        .expect_err("broken off");
    assert_eq!(other.count("tenants").await, 0);
    assert_eq!(other.count("people").await, 0);
}

#[tokio::test]
async fn a_backup_of_a_running_installation_is_whole() {
    let world = std::sync::Arc::new(full().await);
    let file = world.database.folder.path().join("backup.db");
    let path = file.to_str().expect("a path").to_owned();
    if on_postgres() {
        let refused = world.engine.store().backup(&path).await;
        assert!(
            matches!(&refused, Err(StoreError::Copy(why)) if why.contains("pg_dump")),
            "{refused:?}"
        );
        return;
    }
    let writing = tokio::spawn({
        let world = world.clone();
        async move {
            for n in 0..20 {
                world.proposed(&format!("meanwhile-{n}")).await;
            }
        }
    });
    tokio::task::yield_now().await;
    world.engine.store().backup(&path).await.expect("a backup");
    writing.await.expect("no panic");
    let copy = Store::open(&format!("sqlite://{path}")).await.expect("the backup");
    let engine = loopiq::engine::Engine::new(copy, world.engine.runtime().clone(), "");
    for tenant in [&world.acme.tenant, &world.globex.tenant] {
        let report = engine.verify_audit(tenant, &[]).await.expect("a report");
        assert!(report.bad.is_none() && report.entries > 0, "{report:?}");
    }
    assert!(
        world.engine.store().backup(&path).await.is_err(),
        "nothing is overwritten"
    );
}
