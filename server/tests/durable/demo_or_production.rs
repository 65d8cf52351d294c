//! An installation stays a demo or stays production.

use crate::{address, start};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::{InstallationKind, TenantId, Timestamp};
use loopiq::engine::Error;
use loopiq::store::Store;
use loopiq_testing::Database;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The binary on this database, without settings from the environment.
pub(crate) fn loopiq(database: &Database, arguments: &[&str]) -> Command {
    let site = database.folder.path().join("site");
    if !site.exists() {
        loopiq_testing::write_site(&site);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopiq"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOOPIQ_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .args(["--data-dir"])
        .arg(database.folder.path())
        .env("LOOPIQ_DATABASE_URL", &database.url)
        .env("LEPTOS_SITE_ROOT", site)
        .stdin(Stdio::null());
    command
}

pub(crate) const PRODUCTION: [&str; 9] = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--oidc-issuer",
    "https://idp.example",
    "--oidc-client-id",
    "c",
    "--oidc-client-secret",
    "s",
];

pub(crate) fn refused(output: &Output) -> String {
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(output.stdout.is_empty(), "nothing is ready");
    // The error without the log lines before it.
    line.lines()
        .skip_while(|line| !line.starts_with("loopiq: "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Starts the service and waits until it is ready.
pub(crate) fn started(mut command: Command) -> Child {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut ready = String::new();
    let out = child.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut ready).expect("a line");
    assert!(ready.starts_with("ready on "), "{ready}");
    child
}

/// Stops the service and returns its stderr.
pub(crate) fn stopped(child: Child) -> String {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(told.expect("told").success());
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_is_never_served_as_production() {
    let database = Database::new().await;
    let service = start(&database, &address());
    service.token("developer@acme.example").expect("a token");
    service.stop().expect("a graceful stop");
    let before = database.dump().await;
    let output = loopiq(&database, &PRODUCTION).output().expect("the binary");
    let line = refused(&output);
    assert!(
        line.trim().lines().count() == 1 && line.contains("holds a demo") && line.contains("--data-dir"),
        "{line}"
    );
    assert_eq!(before, database.dump().await, "nothing was written");
    assert!(database.folder.path().join("demo-url").exists());
    // The installation is still a demo, and commands for demos work.
    let arguments = ["token", "--tenant", "acme", "--as", "developer@acme.example"];
    let output = loopiq(&database, &arguments).output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    start(&database, &address()).stop().expect("a graceful stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_is_never_served_as_a_demo() {
    let database = Database::new().await;
    let log = stopped(started(loopiq(&database, &PRODUCTION)));
    let empty: Vec<_> = log
        .lines()
        .filter(|line| line.contains("No tenant exists yet"))
        .collect();
    assert_eq!(empty.len(), 1, "{log}");
    assert_eq!(database.count("installation WHERE kind = 'production'").await, 1);
    let before = database.dump().await;
    let demo = ["serve", "--demo", "--listen", "127.0.0.1:0"];
    let line = refused(&loopiq(&database, &demo).output().expect("the binary"));
    assert!(
        line.trim().lines().count() == 1 && line.contains("holds a production installation") && line.contains("--demo"),
        "{line}"
    );
    assert_eq!(before, database.dump().await, "nothing was written");

    // Also not if the file of a demo exists.
    std::fs::write(database.folder.path().join("demo-url"), "http://127.0.0.1:3000\n").expect("the file");
    tenant(&database).await;
    for arguments in [
        vec!["token", "--tenant", "acme", "--as", "developer@acme.example"],
        vec!["helix", "--tenant", "acme", "--release", "R-1"],
    ] {
        let line = refused(&loopiq(&database, &arguments).output().expect("the binary"));
        assert!(line.contains("is not a demo"), "{line}");
    }
    // Other commands work, and with a tenant the warning is not logged.
    for arguments in [
        vec!["policy", "show", "--tenant", "acme"],
        vec!["words", "--tenant", "acme"],
        vec!["audit", "verify"],
    ] {
        let output = loopiq(&database, &arguments).output().expect("the binary");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let log = stopped(started(loopiq(&database, &PRODUCTION)));
    assert!(!log.contains("No tenant exists yet"), "{log}");
    assert!(!database.folder.path().join("demo-url").exists());
}

/// A start with wrong settings does not decide the installation's kind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_fails_decides_nothing() {
    let database = Database::new().await;
    let mut wrong = PRODUCTION;
    wrong[4] = "http://idp.example";
    let line = refused(&loopiq(&database, &wrong).output().expect("the binary"));
    assert!(line.contains("neither https"), "{line}");
    let store = Store::open(&database.url).await.expect("a database");
    assert_eq!(store.installation().await.expect("a look"), None);
    start(&database, &address()).stop().expect("a graceful stop");
    assert_eq!(
        store.installation().await.expect("a look"),
        Some(InstallationKind::Demo)
    );
}

/// A copy has the kind of its source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_demo_is_a_demo() {
    let database = Database::new().await;
    start(&database, &address()).stop().expect("a graceful stop");
    let copy = Database::new().await;
    let migrated = Command::new(env!("CARGO_BIN_EXE_loopiq"))
        .args(["migrate", "--from", &database.url, "--to", &copy.url])
        .output()
        .expect("the binary");
    assert!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    let line = refused(&loopiq(&copy, &PRODUCTION).output().expect("the binary"));
    assert!(line.contains("holds a demo"), "{line}");
    if let Some(file) = file_of(&database) {
        let backup = database.folder.path().join("copied/loopiq.db");
        std::fs::create_dir(backup.parent().expect("a folder")).expect("a folder");
        let made = loopiq(&database, &["backup", backup.to_str().expect("a path")]).output();
        assert!(made.expect("the binary").status.success(), "{file}");
        let mut serve = loopiq(&database, &PRODUCTION);
        serve.env("LOOPIQ_DATABASE_URL", format!("sqlite://{}", backup.display()));
        let line = refused(&serve.output().expect("the binary"));
        assert!(line.contains("holds a demo"), "{line}");
    }
}

/// The database's file; `None` on PostgreSQL.
pub(crate) fn file_of(database: &Database) -> Option<String> {
    let file = database.url.strip_prefix("sqlite://")?.split('?').next()?;
    Path::new(file).exists().then(|| file.to_owned())
}

/// Creates a tenant.
async fn tenant(database: &Database) {
    let store = Store::open(&database.url).await.expect("a database");
    let runtime = Runtime::new(|| Timestamp(1), |bytes| getrandom::fill(bytes).expect("random bytes"));
    let ctx = Ctx::system(TenantId::parse("acme").expect("a name"), &runtime);
    store
        .write::<_, Error, _>(&ctx, |tx| Box::pin(async move { Ok(tx.insert_tenant("Acme").await?) }))
        .await
        .expect("a tenant");
}
