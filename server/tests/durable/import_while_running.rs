//! `loopiq import` while the service runs: a killed import can be finished, and an import does not block other requests.

use crate::{address, start};
use loopiq_testing::{Database, Person, Service, catalog, junit};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RELEASE: [&str; 4] = ["--tenant", "acme", "--release", "PAY-2026.11"];

fn write(database: &Database, name: &str, bytes: &[u8]) -> PathBuf {
    let path = database.folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Starts an import.
fn import(database: &Database, file: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_loopiq"))
        .arg("import")
        .arg(file)
        .args(RELEASE)
        .args(["--json", "--data-dir"])
        .arg(database.folder.path())
        .env("LOOPIQ_DATABASE_URL", &database.url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_is_finished_by_the_next() {
    let database = Database::new().await;
    let service = start(&database, &address());
    let file = write(&database, "large.xml", &junit(6_000, "large"));
    let mut killed = import(&database, &file);
    // Wait until the import is half done.
    for _ in 0..3_000 {
        if database.count("imports WHERE done > 500").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    killed.kill().expect("killed");
    killed.wait().expect("its end");
    assert_eq!(database.count("imports").await, 1, "it was killed too late");
    assert_eq!(database.count("evidence WHERE complete = 0").await, 1);
    let kept = database.count("findings WHERE rule LIKE 'large%'").await;
    assert!(kept > 0 && kept < 6_000, "{kept}");
    // The incomplete import blocks no sign-in.
    Person::sign_in(&service.url, "reviewer@acme.example")
        .await
        .expect("signed in");

    let path = file.to_str().expect("a path");
    let mut arguments = vec!["import", path, "--json"];
    arguments.extend(RELEASE);
    let report: serde_json::Value =
        serde_json::from_str(&service.command(&arguments).expect("finished")).expect("a report");
    assert_eq!(
        (&report["newFindings"], &report["knownFindings"]),
        (&6_000.into(), &0.into()),
        "{report}"
    );
    assert_eq!(database.count("findings WHERE rule LIKE 'large%'").await, 6_000);
    assert_eq!(database.count("evidence WHERE complete = 0").await, 0);
    assert_eq!(database.count("imports").await, 0);
    let checked = service
        .command(&["audit", "verify", "--tenant", "acme"])
        .expect("a valid log");
    assert!(checked.contains("all valid"), "{checked}");
}

/// Median, 95th percentile and maximum, in milliseconds.
fn spread(mut times: Vec<Duration>) -> (u128, u128, u128) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_millis();
    (at(50), at(95), at(100))
}

async fn sign_in(service: &Service) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "measures how long a person waits")]
    let began = Instant::now();
    Person::sign_in(&service.url, "reviewer@acme.example")
        .await
        .expect("signed in");
    began.elapsed()
}

/// Measures how much longer a sign-in takes while a large import runs. Run it alone:
/// `cargo nextest run -p loopiq-server --run-ignored only sign_ins_during --no-capture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn sign_ins_during_an_import_are_fast() {
    let database = Database::new().await;
    let service = start(&database, &address());
    let mut alone = Vec::new();
    for _ in 0..60 {
        alone.push(sign_in(&service).await);
    }
    let alone = spread(alone);
    eprintln!("alone: median {} ms, p95 {} ms, max {} ms", alone.0, alone.1, alone.2);
    for (what, bytes) in [
        ("40,000 failures (JUnit)", junit(40_000, "large")),
        ("30,000 controls (OSCAL)", catalog(30_000)),
    ] {
        let file = write(&database, "measured", &bytes);
        #[expect(clippy::disallowed_methods, reason = "measures how long an import takes")]
        let began = Instant::now();
        let mut importing = import(&database, &file);
        let mut during = Vec::new();
        while importing.try_wait().expect("a look").is_none() {
            during.push(sign_in(&service).await);
            assert!(began.elapsed() < Duration::from_secs(110), "{what} takes too long");
        }
        let took = began.elapsed();
        let output = importing.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let count = during.len();
        let times = spread(during);
        eprintln!(
            "during {what}, {} kB, {:.1} s: median {} ms, p95 {} ms, max {} ms of {count} sign-ins",
            bytes.len() / 1_000,
            took.as_secs_f64(),
            times.0,
            times.1,
            times.2
        );
        assert!(times.1 <= alone.1 + 200, "{what}: {times:?} during, {alone:?} alone");
    }
}
