//! `loopiq check-config` with real providers and databases: each fault is named with its fix, and nothing changes.

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_provider_is_named_with_its_fix() {
    let database = Database::new().await;
    let check = async |issuer: &str| report(check_config(&database, issuer)).await;

    says(
        &check("http://127.0.0.1:1").await,
        "provider",
        "problem",
        "Connection refused",
        "openid-configuration",
    );
    says(
        &check("http://idp.example").await,
        "provider settings",
        "problem",
        "neither https",
        "identity-providers.md",
    );
    let issuer = honest_provider().await;
    let slash = check(&format!("{issuer}/")).await;
    says(
        &slash,
        "discovery",
        "problem",
        "unexpected issuer",
        "LOOPIQ_OIDC_ISSUER",
    );
    says(
        &check(&issuer.replace("/idp", "/other")).await,
        "discovery",
        "problem",
        "404",
        "not with the metadata of a provider",
    );
    says(&check(&format!("{issuer} ")).await, "provider", "ok", "answers", "");

    let cases: [(Change, &str, &str, &str, &str); 7] = [
        (
            |_, _, value| value["code_challenge_methods_supported"] = json!(["plain"]),
            "discovery",
            "problem",
            "S256",
            "PKCE",
        ),
        (
            |_, _, value| value["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]),
            "discovery",
            "problem",
            "no client secret",
            "client secret",
        ),
        (
            |path, _, value| {
                if path.ends_with("/openid-configuration") {
                    value["jwks_uri"] = json!("http://keys.example/jwks");
                }
            },
            "provider",
            "problem",
            "keys.example",
            "",
        ),
        (
            |path, _, value| {
                if path.ends_with("/jwks") {
                    *value = json!({ "keys": [] });
                }
            },
            "discovery",
            "problem",
            "no keys",
            "signing key",
        ),
        (
            |_, response, _| date(response, 600),
            "clock",
            "problem",
            "ahead",
            "set-ntp",
        ),
        (
            |_, response, _| date(response, -600),
            "clock",
            "problem",
            "behind",
            "set-ntp",
        ),
        (
            |_, response, _| date(response, 30),
            "clock",
            "warning",
            "ahead",
            "set-ntp",
        ),
    ];
    for (change, about, status, message, fix) in cases {
        let issuer = provider(CALLBACK, change).await;
        says(&check(&issuer).await, about, status, message, fix);
    }

    // Another client secret, and another redirect URL than the registered one.
    let mut command = check_config(&database, &issuer);
    command.env("LOOPIQ_OIDC_CLIENT_SECRET", "another");
    says(
        &report(command).await,
        "client",
        "problem",
        "invalid_client",
        "may have expired",
    );
    let mut command = check_config(&database, &issuer);
    command.env("LOOPIQ_PUBLIC_URL", "https://other.example");
    says(
        &report(command).await,
        "redirect URL",
        "problem",
        "https://other.example/auth/callback",
        "register exactly",
    );
}

/// Moves the time of a response by seconds.
fn date(response: &mut Response, seconds: i64) {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "the provider tells a time near the machine's own"
    )]
    let now = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    response
        .headers_mut()
        .insert("date", now.format(format).unwrap().parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_show_whom_the_service_would_sign_in_and_why_not() {
    let database = Database::new().await;
    let issuer = honest_provider().await;
    let dir = database.folder.path().to_owned();
    let check = async |claims: Value, settings: &[(&str, &str)]| {
        let file = dir.join("claims.json");
        std::fs::write(&file, claims.to_string()).unwrap();
        let mut command = check_config(&database, &issuer);
        command.arg("--claims").arg(&file).envs(settings.iter().copied());
        report(command).await
    };
    let person = json!({
        "sub": "1", "tenant": "acme", "roles": ["reviewer", "cook"], "email": "dana@acme.example", "email_verified": true, "name": "Dana"
    });
    let lines = check(person.clone(), &[]).await;
    says(&lines, "roles", "ok", "reviewer; ignored: cook", "");
    says(&lines, "e-mail", "ok", "dana@acme.example (verified), Dana", "");
    says(
        &lines,
        "tenant",
        "problem",
        "there is no tenant acme here",
        "loopiq tenant create acme",
    );

    let with = |key: &str, value: Value| {
        let mut person = person.clone();
        person[key] = value;
        person
    };
    says(
        &check(with("roles", json!(["cook"])), &[]).await,
        "roles",
        "problem",
        "names no role",
        "developer",
    );
    says(
        &check(with("roles", json!([])), &[]).await,
        "roles",
        "problem",
        "names no role",
        "developer",
    );
    says(
        &check(with("tenant", json!("Acme_Inc.")), &[]).await,
        "tenant",
        "problem",
        "Acme_Inc.",
        "key of a tenant",
    );
    says(
        &check(with("email_verified", json!(false)), &[]).await,
        "e-mail",
        "warning",
        "not verified",
        "VERIFIED_DOMAINS",
    );
    says(
        &check(with("exp", json!("soon")), &[]).await,
        "claims",
        "problem",
        "cannot be read",
        "mapping",
    );
    let lines = check(json!({ "sub": "1", "groups": ["a"], "email": "a@b.example" }), &[]).await;
    says(
        &lines,
        "claims",
        "problem",
        "\"tenant\" is missing",
        "LOOPIQ_OIDC_TENANT_CLAIM",
    );
    says(
        &lines,
        "roles",
        "warning",
        "\"roles\" is missing",
        "LOOPIQ_OIDC_ROLES_CLAIM",
    );
    says(&lines, "groups", "ok", "a", "");
    assert_eq!(with_status(&lines, "problem"), ["claims"], "{lines:#?}");
    let lines = check(json!({}), &[]).await;
    assert_eq!(with_status(&lines, "problem"), ["claims"; 3], "{lines:#?}");
    let mapping = [("LOOPIQ_OIDC_ROLE_MAPPING", "ops=operator")];
    let grouped = json!({ "sub": "1", "tenant": "acme", "email": "a@b.example", "groups": ["ops"] });
    says(&check(grouped, &mapping).await, "roles", "ok", "operator", "");
    let settings = [
        ("LOOPIQ_OIDC_ROLES_CLAIM", "realm_access.roles"),
        ("LOOPIQ_OIDC_VERIFIED_DOMAINS", "b.example"),
    ];
    let nested = json!({ "sub": "1", "tenant": "acme", "email": "a@b.example", "realm_access": { "roles": ["lead"] } });
    let lines = check(nested, &settings).await;
    says(&lines, "roles", "ok", "lead", "");
    says(&lines, "e-mail", "ok", "a@b.example (verified)", "");

    // Files that are no sample.
    let file = dir.join("sample");
    for (flag, content, message) in [
        ("--claims", "[]", "is not a JSON object"),
        ("--sample-token", "opaque", "is not a signed token"),
        ("--sample-token", "e30.e30.e30", "not one that this provider issued"),
    ] {
        std::fs::write(&file, content).unwrap();
        let mut command = check_config(&database, &issuer);
        command.arg(flag).arg(&file);
        says(&report(command).await, "sample", "problem", message, "ID token");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_files_and_addresses_is_named_with_its_fix() {
    let database = Database::new().await;
    let dir = database.folder.path().to_owned();
    let issuer = honest_provider().await;
    let with = async |settings: &[(&str, &str)]| {
        let mut command = check_config(&database, &issuer);
        command.envs(settings.iter().copied());
        report(command).await
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = dir.join("file");
    file_permissions::write(&file, b"short\n").unwrap();
    let (file, below) = (file.to_str().unwrap(), dir.join("file/below"));
    let below = below.to_str().unwrap();

    says(
        &with(&[("LOOPIQ_LISTEN", &taken)]).await,
        "listen address",
        "warning",
        "in use",
        "running service",
    );
    says(
        &with(&[("LOOPIQ_METRICS_LISTEN", &taken)]).await,
        "metrics address",
        "warning",
        "in use",
        "",
    );
    says(
        &with(&[("LOOPIQ_LISTEN", "203.0.113.1:1")]).await,
        "listen address",
        "problem",
        "203.0.113.1",
        "this machine",
    );
    says(
        &with(&[("LOOPIQ_PUBLIC_URL", "http://loopiq.example")]).await,
        "public URL",
        "problem",
        "not https",
        "https",
    );
    says(
        &with(&[("LOOPIQ_PUBLIC_URL", "loopiq.example")]).await,
        "public URL",
        "problem",
        "not a URL",
        "https",
    );
    says(
        &with(&[("LOOPIQ_TRUSTED_PROXIES", "203.0.113.9")]).await,
        "proxies",
        "ok",
        "",
        "",
    );
    says(
        &with(&[("LOOPIQ_SECRET_KEY_FILE", file)]).await,
        "secret key",
        "problem",
        "fewer than 32",
        "openssl rand",
    );
    says(
        &with(&[("LOOPIQ_AUDIT_KEY_FILE", file)]).await,
        "audit key",
        "problem",
        "cannot be used",
        "",
    );
    says(
        &with(&[("LOOPIQ_WITNESSES", below)]).await,
        "witness",
        "problem",
        "is not a folder",
        "",
    );
    says(
        &with(&[("LOOPIQ_WITNESSES", "https://witness.example")]).await,
        "witness",
        "ok",
        "witness.example",
        "",
    );
    says(
        &with(&[("LEPTOS_SITE_ROOT", "/nowhere/site")]).await,
        "site",
        "problem",
        "/nowhere/site",
        "next to the binary",
    );
    let mut command = check_config(&database, &issuer);
    command.env_remove("LOOPIQ_TRUSTED_PROXIES");
    says(
        &report(command).await,
        "proxies",
        "warning",
        "no proxy",
        "LOOPIQ_TRUSTED_PROXIES",
    );
    let mut command = check_config(&database, &issuer);
    command.env_remove("LOOPIQ_OIDC_CLIENT_ID");
    says(
        &report(command).await,
        "provider settings",
        "problem",
        "LOOPIQ_OIDC_CLIENT_ID",
        "identity-providers.md",
    );

    let at = async |dir: &str| {
        let command = check_config(&database, &issuer);
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let named = arguments.iter().position(|argument| argument == "--data-dir").unwrap();
        let mut other = Command::new(command.get_program());
        other.args(&arguments[..=named]).arg(dir).args(&arguments[named + 2..]);
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        report(other).await
    };
    says(
        &at(below).await,
        "data directory",
        "problem",
        "is not a folder",
        "owner",
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        // The folder of the test's site counts as another program's.
        says(
            &with(&[]).await,
            "data directory",
            "warning",
            "folders of other programs",
            "LOOPIQ_DATA_DIR",
        );
        let own = dir.join("own");
        file_permissions::create_dir(&own).unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o750)).unwrap();
        says(
            &at(own.to_str().unwrap()).await,
            "data directory",
            "warning",
            "mode 0750",
            "chmod 700",
        );
        let mode = std::fs::metadata(&own).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o750, "the command changed the mode");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_database_is_named_with_its_fix() {
    let database = Database::new().await;
    let issuer = honest_provider().await;
    let with_url = async |url: &str| {
        let mut command = check_config(&database, &issuer);
        command.env("LOOPIQ_DATABASE_URL", url);
        report(command).await
    };
    let refused = with_url("postgres://loopiq:password-of-the-role@127.0.0.1:1/d").await;
    says(
        &refused,
        "database",
        "problem",
        "Connection refused",
        "host, role, password",
    );
    assert!(!format!("{refused:?}").contains("password-of-the-role"));
    says(
        &with_url("mysql://h/d").await,
        "database",
        "problem",
        "unknown scheme",
        "LOOPIQ_DATABASE_URL",
    );
    let empty = database.folder.path().join("empty.db");
    file_permissions::write(&empty, b"").unwrap();
    let older = with_url(&format!("sqlite://{}", empty.display())).await;
    says(&older, "database", "warning", "older than this version", "backup");
    assert_eq!(std::fs::metadata(&empty).unwrap().len(), 0);
    file_permissions::write(&empty, &[b'x'; 8192]).unwrap();
    says(
        &with_url(&format!("sqlite://{}", empty.display())).await,
        "database",
        "problem",
        "not a database",
        "",
    );

    // A log whose key is gone, and a demo.
    let service = crate::start(&database, &crate::address());
    service.token("developer@acme.example").expect("a token");
    service.stop().expect("a graceful stop");
    std::fs::remove_file(database.folder.path().join("audit-key")).unwrap();
    let lines = report(check_config(&database, &issuer)).await;
    says(&lines, "installation", "problem", "holds a demo", "");
    says(&lines, "audit key", "problem", "Restore it from your backup", "");
    let mut demo = check_config(&database, &issuer);
    demo.args(["--demo", "--public-url", "http://127.0.0.1:3000"]);
    says(&report(demo).await, "provider", "ok", "demo", "");
    if on_postgres() {
        let lines = with_url(&database.owner_url).await;
        // In a demo the role is only a warning of `serve`, but this command checks the settings of production.
        says(&lines, "installation", "problem", "holds a demo", "");
        let production = Database::new().await;
        let mut command = check_config(&production, &issuer);
        command.env("LOOPIQ_DATABASE_URL", &production.owner_url);
        says(
            &report(command).await,
            "database role",
            "problem",
            "owns the tables",
            "two roles",
        );
    }
    let sql = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
               SELECT 9999, 'later', installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
    sqlx::query(sql).execute(&mut database.connect().await).await.unwrap();
    let newer = report(check_config(&database, &issuer)).await;
    says(&newer, "database", "problem", "newer than this loopiq", "");
}
