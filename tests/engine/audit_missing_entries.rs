//! Entries that are deleted from a tenant's log: a deletion in the middle leaves a gap in the numbers, and after a deletion at the end the
//! head row counts more entries than the log has.

use crate::world::World;
use sqlx::{AssertSqlSafe, Executor};

/// A world after the database's owner has dropped the triggers and deleted these entries, and the number of entries before.
async fn without(entries: &str) -> (World, i64) {
    let world = World::new().await;
    world.proposed("k1").await;
    let whole = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(whole.bad, None);
    let mut connection = world.database.connect().await;
    for table in ["contents", "entries"] {
        let drop = if loopiq_testing::on_postgres() {
            format!("DROP TRIGGER audit_{table}_no_change ON audit_{table}")
        } else {
            format!("DROP TRIGGER audit_{table}_no_delete")
        };
        connection.execute(AssertSqlSafe(drop)).await.expect("dropped");
        let delete = format!("DELETE FROM audit_{table} WHERE tenant = 'acme' AND seq {entries}");
        connection.execute(AssertSqlSafe(delete)).await.expect("deleted");
    }
    (world, whole.entries)
}

#[tokio::test]
async fn entries_that_are_missing_at_the_end_are_named() {
    for count in [1, 2] {
        let last = "(SELECT last_seq FROM audit_heads WHERE tenant = 'acme')";
        let (world, entries) = without(&format!("> {last} - {count}")).await;
        let report = world
            .engine
            .verify_audit(&world.acme.tenant, &[])
            .await
            .expect("a report");
        let first = entries - count + 1;
        assert_eq!(report.bad, Some((first, "is missing".to_owned())));
        assert_eq!(report.entries, first - 1, "those before it were checked");
        let other = world
            .engine
            .verify_audit(&world.globex.tenant, &[])
            .await
            .expect("a report");
        assert_eq!(other.bad, None);
    }
}

#[tokio::test]
async fn an_empty_log_is_not_whole_if_its_head_counts_entries() {
    let (world, _) = without("> 0").await;
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(report.bad, Some((1, "is missing".to_owned())));
}

#[tokio::test]
async fn an_entry_that_is_missing_in_the_middle_is_named() {
    let (world, _) = without("= 2").await;
    let report = world
        .engine
        .verify_audit(&world.acme.tenant, &[])
        .await
        .expect("a report");
    assert_eq!(report.bad, Some((2, "is missing".to_owned())));
}
