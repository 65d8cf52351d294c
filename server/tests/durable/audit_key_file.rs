//! The key of the audit log in the data directory: created once, never replaced, and kept with the last checkpoint.

use crate::demo_or_production::{PRODUCTION, file_of, loopiq, refused, started, stopped};
use crate::{address, start};
use loopiq_audit_log::SigningKey;
use loopiq_testing::Database;
use std::fs;

const DEMO: [&str; 4] = ["serve", "--demo", "--listen", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_starts_with_the_key_of_its_log_only() {
    let database = Database::new().await;
    let service = start(&database, &address());
    let note = service
        .command(&["audit", "checkpoint", "--tenant", "acme"])
        .expect("a checkpoint");
    assert!(note.contains("/audit/acme\n"), "{note}");
    service
        .token("developer@acme.example")
        .expect("a token, which is an entry");
    let next = service
        .command(&["audit", "checkpoint", "--tenant", "acme"])
        .expect("a checkpoint");
    assert_ne!(note, next);
    // Checkpoints that somebody kept, in a list as a witness's folder has it.
    let list = database.folder.path().join("kept.checkpoints");
    let list_name = list.to_str().expect("a path");
    let verify = ["audit", "verify", "--tenant", "acme", "--checkpoint", list_name];
    fs::write(&list, format!("{}\n\n{}\n\n", note.trim_end(), next.trim_end())).expect("written");
    service.command(&verify).expect("a log that continues both");
    fs::write(&list, format!("{}\n\n{}\n\n", note.trim_end(), "acme\n7\n")).expect("written");
    let cut = service.command(&verify).expect_err("not a list").to_string();
    assert!(cut.contains("kept.checkpoints cannot be used"), "{cut}");
    service.stop().expect("a graceful stop");
    let file = database.folder.path().join("audit-key");
    let key = fs::read_to_string(&file).expect("the key");

    fs::remove_file(&file).expect("removed");
    let missing = refused(&loopiq(&database, &DEMO).output().expect("the binary"));
    assert!(missing.contains("restore the key from your backup"), "{missing}");
    assert!(!file.exists(), "no other key is made");
    let other = SigningKey::new("127.0.0.1/audit", &[3; 32]).expect("a key");
    loopiq_server::file_permissions::write(&file, other.to_secret().as_bytes()).expect("written");
    let wrong = refused(&loopiq(&database, &DEMO).output().expect("the binary"));
    assert!(
        wrong.contains("another one than the one that signed the log of acme"),
        "{wrong}"
    );
    loopiq_server::file_permissions::write(&file, key.as_bytes()).expect("written");
    stopped(started(loopiq(&database, &DEMO)));
}

/// A backup that is restored fits itself; the checkpoint beside the key shows that it is older.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_restored_from_an_older_copy_is_named() {
    let database = Database::new().await;
    let service = start(&database, &address());
    let checkpoint = ["audit", "checkpoint", "--tenant", "acme"];
    service.command(&checkpoint).expect("a checkpoint");
    let copy = database.folder.path().join("copy.db");
    if file_of(&database).is_none() {
        // A cluster is restored as a whole.
        return service.stop().expect("a graceful stop");
    }
    service
        .command(&["backup", copy.to_str().expect("a path")])
        .expect("a backup");
    service
        .token("developer@acme.example")
        .expect("a token, which is an entry");
    service.command(&checkpoint).expect("a checkpoint");
    service.command(&["audit", "verify"]).expect("a whole log");
    service.stop().expect("a graceful stop");

    let file = file_of(&database).expect("a file");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{file}{suffix}"));
    }
    fs::copy(&copy, &file).expect("restored");
    let verified = loopiq(&database, &["audit", "verify", "--tenant", "acme"])
        .output()
        .expect("the binary");
    let line = refused(&verified);
    assert!(
        line.contains("acme: this node has seen a checkpoint") && line.contains("set back"),
        "{line}"
    );
    // An operator who has restored it on purpose removes the file that the service names.
    let signed = refused(&loopiq(&database, &checkpoint).output().expect("the binary"));
    assert!(signed.contains("audit-checkpoints"), "{signed}");
    fs::remove_file(database.folder.path().join("audit-checkpoints/acme")).expect("removed");
    let signed = loopiq(&database, &checkpoint).output().expect("the binary");
    assert!(signed.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_has_a_key_of_its_own() {
    let database = Database::new().await;
    stopped(started(loopiq(&database, &PRODUCTION)));
    let keys = loopiq(&database, &["audit", "keys"]).output().expect("the binary");
    let keys = String::from_utf8(keys.stdout).expect("text");
    assert!(keys.starts_with("127.0.0.1:") && keys.contains("/audit+"), "{keys}");
}
