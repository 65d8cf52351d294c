//! The binary itself, as somebody at a console sees it.

use crate::support::site;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The binary in a folder of its own, with a site and without any setting from outside.
fn loopiq(dir: &Path) -> Command {
    site::write(&dir.join("site"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopiq"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOOPIQ_")) {
        command.env_remove(name);
    }
    command
        .current_dir(dir)
        .env("LEPTOS_SITE_ROOT", dir.join("site"))
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command, line: &str) -> Output {
    command.args(line.split_whitespace()).output().unwrap()
}

/// What the one line on stderr says, for a command that failed as it should.
fn refused(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.starts_with("loopiq: ") && error.trim_end().lines().count() == 1,
        "{error}"
    );
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    error
}

#[test]
fn what_cannot_be_started_says_why_in_one_line() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = taken.local_addr().unwrap().to_string();
    std::fs::write(dir.join("file"), "").unwrap();
    let cases = [
        (
            "serve --demo --data-dir file/below".to_owned(),
            "the data directory file/below cannot be written",
        ),
        (format!("serve --demo --listen {in_use}"), "in use by another program"),
        ("serve --demo --listen 0.0.0.0:0".to_owned(), "loopback alone"),
        (
            "serve --demo --public-url https://loopiq.example".to_owned(),
            "must be on loopback",
        ),
        ("serve --public-url loopiq.example".to_owned(), "is no URL"),
        ("serve".to_owned(), "LOOPIQ_OIDC_ISSUER (or --oidc-issuer) is not set"),
        ("serve --oidc-issuer https://i".to_owned(), "LOOPIQ_OIDC_CLIENT_ID"),
        (
            "serve --oidc-issuer https://i --oidc-client-id c".to_owned(),
            "LOOPIQ_OIDC_CLIENT_SECRET",
        ),
        (
            "serve --listen 127.0.0.1:0 --oidc-issuer http://i --oidc-client-id c --oidc-client-secret s".to_owned(),
            "neither https",
        ),
        (
            "serve --demo --database-url postgres://u:secret@127.0.0.1:1/d".to_owned(),
            "Connection refused",
        ),
        (
            "serve --demo --database-url postgres://u:secret@h:port/d".to_owned(),
            "the database URL is no URL",
        ),
        (
            "schema upgrade --database-url postgres://u:secret@127.0.0.1:1/d".to_owned(),
            "LOOPIQ_DATABASE_ADMIN_URL (or --database-admin-url) is not set",
        ),
        ("--log nonsense=loud serve --demo".to_owned(), "LOOPIQ_LOG"),
        (
            "token --tenant acme --as a@b --data-dir none".to_owned(),
            "there is no installation at none/loopiq.db",
        ),
        (
            "import file --tenant acme --release R --data-dir none".to_owned(),
            "there is no installation",
        ),
        (
            "import missing --tenant acme --release R".to_owned(),
            "missing cannot be read",
        ),
        ("audit verify --data-dir none".to_owned(), "there is no installation"),
    ];
    for (line, says) in cases {
        let error = refused(&run(&mut loopiq(dir), &line));
        assert!(error.contains(says), "{line}: {error}");
        assert!(!error.contains("secret@"), "{error}");
    }
    let error = refused(&run(
        loopiq(dir).env("LEPTOS_SITE_ROOT", "/nowhere/site"),
        "serve --demo",
    ));
    assert!(error.contains("/nowhere/site") && error.contains("missing"), "{error}");
    assert!(!dir.join("none").exists(), "a command makes no installation");
}

#[test]
fn a_service_tells_when_it_is_ready_and_ends_when_it_is_told() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let mut serve = loopiq(dir);
    serve
        .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = serve.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    let url = ready.trim().strip_prefix("ready on ").expect("ready").to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");

    // Commands work beside it.
    let audit = run(&mut loopiq(dir), "audit verify");
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
    let schema = run(&mut loopiq(dir), "schema upgrade");
    assert_eq!(String::from_utf8_lossy(&schema.stdout), "the schema is up to date\n");
    let nobody = refused(&run(&mut loopiq(dir), "token --tenant nowhere --as a@b"));
    assert!(nobody.contains("no tenant nowhere"), "{nobody}");

    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("told to stop") && log.contains("stopped"), "{log}");
}
