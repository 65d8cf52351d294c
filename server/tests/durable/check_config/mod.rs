//! `loopiq check-config` with real providers and databases: each fault is named with its fix, and nothing changes.

mod claims;
mod database;
mod files;
mod provider;

use crate::demo_or_production::{loopiq, started, stopped};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use loopiq_server::demo_idp::{DemoIdp, router};
use loopiq_server::file_permissions;
use loopiq_testing::{Database, on_postgres};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tower::ServiceExt as _;

const SECRET: &str = "a-client-secret";
const PUBLIC_URL: &str = "https://loopiq.example";
const CALLBACK: &str = "https://loopiq.example/auth/callback";

/// What a test changes in the responses of a provider.
type Change = fn(&str, &mut Response, &mut Value);

/// A provider that knows one client. Its JSON responses and their headers pass through `change`, with the path.
async fn provider(redirect_url: &str, change: Change) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let issuer = format!("{origin}/idp");
    let idp = DemoIdp::new(
        &issuer,
        "loopiq",
        SECRET,
        vec![redirect_url.to_owned()],
        Vec::new(),
        Arc::new(|| 0),
    );
    let honest = Router::new().nest("/idp", router(idp.unwrap()));
    let changed = async move |request: Request| {
        let path = request.uri().path().to_owned();
        let mut response = honest.oneshot(request).await.unwrap();
        let body = std::mem::take(response.body_mut());
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        match serde_json::from_slice(&bytes) {
            Ok(mut value) => {
                change(&path, &mut response, &mut value);
                response.headers_mut().remove("content-length");
                *response.body_mut() = value.to_string().into();
            }
            Err(_) => *response.body_mut() = bytes.into(),
        }
        response
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(changed)).await.unwrap() });
    issuer
}

async fn honest_provider() -> String {
    provider(CALLBACK, |_, _, _| {}).await
}

/// The command with the settings of a service for this provider.
fn check_config(database: &Database, issuer: &str) -> Command {
    let mut command = loopiq(database, &["check-config", "--json"]);
    command.envs([
        ("LOOPIQ_OIDC_ISSUER", issuer),
        ("LOOPIQ_OIDC_CLIENT_ID", "loopiq"),
        ("LOOPIQ_OIDC_CLIENT_SECRET", SECRET),
        ("LOOPIQ_PUBLIC_URL", PUBLIC_URL),
        ("LOOPIQ_LISTEN", "127.0.0.1:0"),
        ("LOOPIQ_TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    command
}

/// The report's lines. The command fails exactly if one of them is a problem.
async fn report(mut command: Command) -> Vec<Value> {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    let lines = report["checks"].as_array().unwrap().clone();
    let problems = lines.iter().filter(|line| line["status"] == "problem").count();
    assert_eq!(output.status.code(), Some(i32::from(problems > 0)), "{report} {error}");
    assert!(!format!("{report} {error}").contains(SECRET), "{report} {error}");
    lines
}

/// Lines with this status.
fn with_status<'a>(lines: &'a [Value], status: &str) -> Vec<&'a str> {
    let found = lines.iter().filter(|line| line["status"] == status);
    found.map(|line| line["check"].as_str().unwrap()).collect()
}

/// The report has one line about this check with this status, whose message and fix contain these words.
#[track_caller]
fn says(lines: &[Value], check: &str, status: &str, message: &str, fix: &str) {
    let contains = |line: &&Value, key: &str, words: &str| line[key].as_str().unwrap_or_default().contains(words);
    let found = lines.iter().find(|line| {
        line["check"] == check
            && line["status"] == status
            && contains(line, "message", message)
            && contains(line, "fix", fix)
    });
    assert!(found.is_some(), "{check} {status} {message} {fix}: {lines:#?}");
}

/// Names, sizes and modes of the installation's files.
fn files(dir: &Path) -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| {
            let metadata = entry.metadata().unwrap();
            format!(
                "{:?} {} {:?}",
                entry.file_name(),
                metadata.len(),
                metadata.permissions()
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_would_start_has_no_problem_and_nothing_changes() {
    let database = Database::new().await;
    let dir = database.folder.path();
    let issuer = honest_provider().await;
    // The test's own files.
    loopiq(&database, &[]);
    let before = files(dir);
    let lines = report(check_config(&database, &issuer)).await;
    assert_eq!(with_status(&lines, "problem"), Vec::<&str>::new(), "{lines:#?}");
    says(&lines, "redirect URL", "ok", CALLBACK, "");
    says(&lines, "redirect URL", "ok", "redirects to it", "");
    says(&lines, "client", "ok", "accepts", "");
    says(&lines, "discovery", "ok", "PKCE with S256", "");
    says(&lines, "clock", "ok", "", "");
    says(&lines, "secret key", "ok", "first start creates it", "");
    says(&lines, "audit key", "ok", "first start creates it", "");
    assert_eq!(files(dir), before, "the command created files");

    // The same settings start a service.
    let mut serve = check_config(&database, &issuer);
    let settings: Vec<_> = serve
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
        .collect();
    serve = loopiq(&database, &["serve"]);
    for (name, value) in settings {
        if let Some(value) = value {
            serve.env(name, value);
        }
    }
    stopped(started(serve));
    let (before, rows) = (files(dir), database.dump().await);
    let lines = report(check_config(&database, &issuer)).await;
    assert_eq!(with_status(&lines, "problem"), Vec::<&str>::new(), "{lines:#?}");
    assert_eq!(with_status(&lines, "warning"), ["tenants"], "{lines:#?}");
    says(
        &lines,
        "tenants",
        "warning",
        "nobody can sign in",
        "loopiq tenant create",
    );
    says(&lines, "installation", "ok", "production", "");
    says(&lines, "audit key", "ok", "it can be read", "");
    if on_postgres() {
        says(&lines, "database role", "ok", "row-level security", "");
    }
    assert_eq!(files(dir), before, "the command changed files");
    assert_eq!(database.dump().await, rows, "the command changed the database");

    // As text: one line for each check.
    let mut text = check_config(&database, &issuer);
    text.args(["--log", "error"]);
    let output = tokio::task::spawn_blocking(move || {
        let arguments: Vec<_> = text
            .get_args()
            .filter(|argument| *argument != "--json")
            .map(ToOwned::to_owned)
            .collect();
        let mut plain = Command::new(text.get_program());
        plain
            .args(arguments)
            .envs(text.get_envs().filter_map(|(name, value)| Some((name, value?))));
        plain.output().unwrap()
    });
    let output = output.await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed.lines().count(), lines.len(), "{printed}");
    assert!(
        printed.contains("\nwarning  tenants: there is none, so nobody can sign in. To do: `loopiq tenant create"),
        "{printed}"
    );
}
