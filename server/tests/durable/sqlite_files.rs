//! The files of SQLite: a write-ahead log that a reader holds, and a disk that fails while the writer writes.

use crate::proposals::{self, propose, propose_until_refused};
use crate::{address, start, start_on};
use loopiq_testing::{Connection, Database, on_postgres, package};
use serde_json::json;
use sqlx::{AnyConnection, Connection as _, Executor};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The size to which SQLite cuts its write-ahead log, in bytes: `journal_size_limit` of the writer.
const LOG_LIMIT: u64 = 16 << 20;

/// Another process, such as a backup, that reads one state until the connection is closed.
async fn snapshot(database: &Database) -> AnyConnection {
    let mut reader = database.connect().await;
    for sql in ["BEGIN", "SELECT COUNT(*) FROM actions"] {
        reader.execute(sql).await.expect("a snapshot");
    }
    reader
}

fn log_size(database: &Database) -> u64 {
    let file = database.folder.path().join("loopiq.db-wal");
    std::fs::metadata(file).map_or(0, |file| file.len())
}

#[tokio::test]
async fn the_log_grows_while_a_reader_stays_and_shrinks_after_it() {
    if on_postgres() {
        eprintln!("skipped: PostgreSQL has no write-ahead log that a reader holds");
        return;
    }
    let database = Database::sqlite();
    let service = start(&database, &address());
    let mut agent = proposals::agent(&service).await;
    let large = package(&mut agent, 50).await.expect("a package");

    let reader = snapshot(&database).await;
    let mut proposed = 0;
    while log_size(&database) <= LOG_LIMIT + (1 << 20) {
        let answer = propose(&mut agent, &large, &format!("k{proposed}")).await;
        assert_eq!(answer.expect("proposed")["status"], "pending_approval");
        proposed += 1;
        assert!(proposed < 2_000, "the log does not grow: {}", log_size(&database));
    }
    // The reader delays no other request: the newest action can be read.
    let listed = agent
        .call("loopiq_list_actions", &json!({ "limit": 1 }))
        .await
        .expect("actions");
    assert_eq!(listed["items"][0]["idempotencyKey"], format!("k{}", proposed - 1));

    reader.close().await.expect("the end of the snapshot");
    for n in 0..20 {
        propose(&mut agent, &large, &format!("after-{n}"))
            .await
            .expect("proposed");
        if log_size(&database) <= LOG_LIMIT {
            break;
        }
    }
    assert!(log_size(&database) <= LOG_LIMIT, "{} bytes", log_size(&database));
    service.command(&["audit", "verify"]).expect("the log holds");
}

/// A program that starts the service with a limit for the size of each file it writes. A write beyond the limit fails like one on a disk that
/// does not take it (EFBIG instead of EIO).
fn with_limited_files(folder: &Path, kib: usize) -> std::path::PathBuf {
    let script = folder.join("limited");
    let bin = env!("CARGO_BIN_EXE_loopiq");
    // The shell counts blocks of 512 bytes. Without the trap, the signal of the limit would end the process.
    let text = format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f {}\nexec '{bin}' \"$@\"\n", kib * 2);
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("executable");
    script
}

#[tokio::test]
async fn a_write_that_the_disk_refuses_fails_alone_and_loses_nothing() {
    if on_postgres() {
        eprintln!("skipped: PostgreSQL writes its own files");
        return;
    }
    let database = Database::sqlite();
    let address = address();
    let limited = with_limited_files(database.folder.path(), 4_096);
    let service = start_on(&limited, &database, &address, &[]);
    let mut agent = proposals::agent(&service).await;
    let large = package(&mut agent, 50).await.expect("a package");
    // While a snapshot is open, the write-ahead log only grows, and reaches the limit.
    let reader = snapshot(&database).await;
    let kept = propose_until_refused(&mut agent, &large).await;
    let mut connection = Connection::open(&service.url).await.expect("a connection");
    let health = connection.send("GET", "/healthz", &[], "").await.expect("an answer");
    assert_eq!(health.status, 200, "the process is alive");
    let read = json!({ "actionId": kept.last() });
    let read = agent.call("loopiq_get_action", &read).await.expect("an action");
    assert_eq!(read["status"], "pending_approval");

    drop(reader);
    service.kill();
    let service = start(&database, &address);
    let mut agent = proposals::agent(&service).await;
    let again = propose(&mut agent, &large, "again").await.expect("proposed");
    assert!(!kept.contains(&again["actionId"]));
    service.command(&["audit", "verify"]).expect("the log holds");
    assert_eq!(
        database.count("actions WHERE idempotency_key LIKE 'k%'").await,
        kept.len() as i64,
        "no half-written action"
    );
}
