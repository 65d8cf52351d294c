//! Connections, readers and the writer on a real file.

use super::*;
use crate::store::db::error::DatabaseError;
use std::time::Duration;

/// Counts for hours.
const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT COUNT(*) FROM n";

fn file() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("t.db").display());
    let connection = open(&url).expect("a new file");
    connection
        .execute_batch(
            "CREATE TABLE t (a TEXT, b BIGINT, c BLOB); INSERT INTO t VALUES ('x', 1, x'00ff'), (NULL, NULL, NULL)",
        )
        .expect("a table");
    (folder, url)
}

#[test]
fn parameters_are_bound_by_their_numbers() {
    let (_folder, url) = file();
    let mut connection = open(&url).expect("opened");
    let values = ["one".into(), 2.into(), "three".into()];
    // `$3` is the first parameter of the text, `$2` appears twice, and `$1` does not appear.
    let done = connection
        .run("SELECT $3 AS a, $2 AS b, $2 AS c", &values)
        .expect("a row");
    let row: Vec<_> = done.rows[0].values().map(|value| format!("{value:?}")).collect();
    assert_eq!(row, ["Text(\"three\")", "Int(2)", "Int(2)"]);
    let missing = connection.run("SELECT $4", &values);
    assert!(missing.is_err(), "a parameter without a value");
}

#[test]
fn a_statement_is_prepared_once_whatever_its_values() {
    let (_folder, url) = file();
    let mut connection = open(&url).expect("opened");
    connection
        .execute_batch("CREATE INDEX ones ON t (b) WHERE a = 'x'")
        .expect("an index");
    // To decide whether the partial index fits, SQLite would look at the value of `$1`.
    const SQL: &str = "SELECT * FROM t WHERE a = $1 AND b = $2";
    for a in ["x", "y", "x", "z"] {
        let rows = connection.run(SQL, &[a.into(), 1.into()]).expect("rows").rows;
        assert_eq!(rows.len(), usize::from(a == "x"), "{a}");
    }
    assert_eq!(connection.prepared_again(SQL), 0);
}

#[tokio::test]
async fn a_statement_ends_at_its_deadline_and_the_connection_goes_on() {
    let (_folder, url) = file();
    let readers = Readers::new(&url, 1, Duration::from_millis(100));
    let mut reader = readers.get(Duration::from_secs(5)).await.expect("a reader");
    let connection = reader.connection().expect("a connection");
    let ended = connection.run(ENDLESS, &[]).map(drop);
    assert!(matches!(ended, Err(DatabaseError::Deadline(_))), "{ended:?}");
    let rows = connection.run("SELECT * FROM t", &[]).expect("rows").rows;
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn a_cancelled_read_ends_and_does_not_interrupt_the_next_one() {
    let (_folder, url) = file();
    let readers = Readers::new(&url, 1, Duration::from_secs(600));
    let mut reader = readers.get(Duration::from_secs(5)).await.expect("a reader");
    let cancel = reader.connection().expect("a connection").cancel();
    let read = tokio::task::spawn_blocking(move || {
        reader
            .connection()
            .and_then(|connection| connection.run(ENDLESS, &[]))
            .map(drop)
    });
    cancel.cancel();
    let ended = read.await.expect("no panic");
    assert!(matches!(ended, Err(DatabaseError::Sqlite(_))), "{ended:?}");
    // All connections are in use only while the cancelled read runs.
    let mut reader = readers.get(Duration::from_secs(5)).await.expect("a reader");
    let late = reader.connection().expect("a connection").cancel();
    drop(reader);
    let mut reader = readers.get(Duration::from_secs(5)).await.expect("the same connection");
    late.cancel();
    let rows = reader
        .connection()
        .and_then(|connection| connection.run("SELECT * FROM t", &[]));
    assert_eq!(rows.expect("rows").rows.len(), 2);
}

#[tokio::test]
async fn readers_wait_for_a_connection_and_cannot_write() {
    let (_folder, url) = file();
    let readers = Readers::new(&url, 1, Duration::from_secs(5));
    let mut first = readers.get(Duration::from_secs(5)).await.expect("a reader");
    let second = readers.get(Duration::from_millis(20)).await.map(drop);
    assert!(matches!(second, Err(DatabaseError::NoConnection)), "{second:?}");
    let written = first
        .connection()
        .and_then(|connection| connection.run("DELETE FROM t", &[]))
        .map(drop);
    assert!(written.is_err(), "{written:?}");
    drop(first);
    readers
        .get(Duration::from_secs(5))
        .await
        .expect("the connection came back");
    readers.close();
    let closed = readers.get(Duration::from_secs(5)).await.map(drop);
    assert!(matches!(closed, Err(DatabaseError::Closed)), "{closed:?}");
}

#[tokio::test]
async fn the_writer_survives_a_panic_and_keeps_nothing_of_it() {
    let (_folder, url) = file();
    let writer = Writer::start(&url).expect("a writer");
    let broken = writer
        .run::<()>(|connection| {
            connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM t")?;
            panic!("in the middle of a write")
        })
        .await;
    assert!(matches!(broken, Err(DatabaseError::Closed)), "{broken:?}");
    let changed = writer
        .run(|connection| Ok(connection.run("UPDATE t SET b = 7", &[])?.changed))
        .await;
    assert_eq!(changed.expect("a write"), 2, "both rows are still there");
    writer.close().await;
    let closed = writer.run(|connection| connection.execute_batch("SELECT 1")).await;
    assert!(matches!(closed, Err(DatabaseError::Closed)), "{closed:?}");
}
