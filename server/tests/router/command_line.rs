//! The binary's commands, their output and their errors.

use loopiq_testing::write_site;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The binary in this folder, with a site and without settings from the environment.
pub(crate) fn loopiq(dir: &Path) -> Command {
    write_site(&dir.join("site"));
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

/// The one line on stderr of a command that must fail.
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
fn a_failing_command_prints_one_line_with_the_reason() {
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
        ("serve --demo --listen 0.0.0.0:0".to_owned(), "listens on loopback only"),
        (
            "serve --demo --public-url https://loopiq.example".to_owned(),
            "must be on loopback",
        ),
        ("serve --public-url loopiq.example".to_owned(), "is not a URL"),
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
            "serve --demo --listen 127.0.0.1:0 --database-url postgres://u:secret@127.0.0.1:1/d".to_owned(),
            "Connection refused",
        ),
        (
            "serve --demo --database-url postgres://u:secret@h:port/d".to_owned(),
            "the database URL is not a URL",
        ),
        (
            "schema upgrade --database-url postgres://u:secret@127.0.0.1:1/d".to_owned(),
            "LOOPIQ_DATABASE_ADMIN_URL (or --database-admin-url) is not set",
        ),
        (
            "serve --demo --listen 127.0.0.1:0 --secret-key short".to_owned(),
            "LOOPIQ_SECRET_KEY (or --secret-key)",
        ),
        (
            "serve --demo --listen 127.0.0.1:0 --secret-key-file missing".to_owned(),
            "the secret key in missing cannot be used",
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
        ("policy check missing".to_owned(), "missing cannot be read"),
        (
            "policy check file --tenant acme --data-dir none".to_owned(),
            "there is no installation",
        ),
        (
            "policy show --tenant acme --data-dir none".to_owned(),
            "there is no installation",
        ),
        (
            "policy apply file --tenant acme --data-dir none".to_owned(),
            "there is no installation",
        ),
        (
            "request list --tenant acme --data-dir none".to_owned(),
            "there is no installation",
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
    assert!(!dir.join("none").exists(), "a command creates no installation");
}

#[test]
fn a_service_prints_that_it_is_ready_and_stops_on_sigterm() {
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

    // Commands work while the service runs.
    let audit = run(&mut loopiq(dir), "audit verify");
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
    let schema = run(&mut loopiq(dir), "schema upgrade");
    assert_eq!(String::from_utf8_lossy(&schema.stdout), "the schema is up to date\n");
    policies(dir);
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

/// Policies from files, while the demo runs.
fn policies(dir: &Path) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran = |line: &str| {
        let output = run(&mut loopiq(dir), line);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let built_in = ran("policy show --tenant acme");
    assert!(built_in.ends_with("pending_per_client = 1000\n"), "{built_in}");
    std::fs::write(dir.join("policy.toml"), &built_in).unwrap();
    assert_eq!(ran("policy check policy.toml"), "policy.toml is valid.\n");
    assert_eq!(
        ran("policy apply policy.toml --tenant acme"),
        "acme: no change; version 1 has the same content and is active\n"
    );

    // Every mistake is one line in a format that editors understand, with each command.
    std::fs::write(
        dir.join("bad.toml"),
        "[expiry_hours]\nhigh = 0\nlow = 0\n\n[checks]\nevidence = \"warn\"\n",
    )
    .unwrap();
    for line in [
        "policy check bad.toml",
        "policy check bad.toml --tenant acme",
        "policy apply bad.toml --tenant acme",
    ] {
        let output = run(&mut loopiq(dir), line);
        let error = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(1), ""),
            "{error}"
        );
        assert_eq!(
            error.lines().collect::<Vec<_>>(),
            [
                "bad.toml: line 3, expiry_hours.low: 0 is not between 1 and 720 hours",
                "bad.toml: line 2, expiry_hours.high: 0 is not between 1 and 720 hours",
                "bad.toml: line 6, checks.evidence: protects approvals, so its blocks cannot become warnings",
                "loopiq: bad.toml has 3 mistakes; nothing was changed"
            ],
            "{line}"
        );
    }
    let output = run(&mut loopiq(dir), "policy check bad.toml --json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["mistakes"].as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(output.status.code(), Some(1));

    // With a tenant, team names are checked too.
    let group = |team: &str| {
        format!(
            "[[decide]]\nname = \"All\"\ngroups = [{{ name = \"Payments\", teams = [\"payments\"] }}, \
             {{ name = \"Other\", teams = [\"{team}\"] }}]\n"
        )
    };
    std::fs::write(dir.join("team.toml"), group("chekout")).unwrap();
    ran("policy check team.toml");
    let output = run(&mut loopiq(dir), "policy check team.toml --tenant acme");
    assert!(
        text(&output.stderr).starts_with("team.toml: rule \"All\", group \"Other\": unknown team \"chekout\""),
        "{}",
        text(&output.stderr)
    );
    let error = refused(&run(&mut loopiq(dir), "policy apply team.toml --tenant acme"));
    assert!(
        error.contains("Nothing was changed:") && error.contains("chekout"),
        "{error}"
    );

    std::fs::write(dir.join("team.toml"), group("checkout").replace('\n', "\r\n")).unwrap();
    let printed = ran("policy check team.toml --tenant acme");
    for part in [
        "team.toml is valid.\n",
        "\n+ name = \"All\"\n",
        "\n- name = \"One reviewer or lead\"\n",
        "would have had another outcome:\nact_",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    let report: serde_json::Value = serde_json::from_str(&ran("policy check team.toml --tenant acme --json")).unwrap();
    assert!(report["effects"]["changed"].as_u64() > Some(0), "{report}");
    let mut apply = loopiq(dir);
    apply.args([
        "policy",
        "apply",
        "team.toml",
        "--tenant",
        "acme",
        "--json",
        "--note",
        "Two teams",
    ]);
    // The command only creates a request, which an operator confirms in a browser.
    let applied: serde_json::Value = serde_json::from_slice(&apply.output().unwrap().stdout).unwrap();
    assert_eq!(
        (&applied["before"], &applied["version"]),
        (&1.into(), &serde_json::Value::Null)
    );
    assert_eq!(applied["request"]["loosens"], serde_json::json!([]), "{applied}");
    let confirmers = applied["request"]["confirmers"].to_string();
    assert!(
        confirmers.contains("operator@acme.example") && confirmers.contains("operator2@acme.example"),
        "{confirmers}"
    );
    assert_eq!(ran("policy show --tenant acme"), built_in);
    let id = applied["request"]["id"].as_str().unwrap();
    let list = ran("request list --tenant acme");
    assert!(
        list.starts_with("Waiting for an operator:\n") && list.contains(id),
        "{list}"
    );
    let one = ran(&format!("request show {id} --tenant acme"));
    for part in [
        "requested by an operator at the console",
        "reason: Two teams",
        "It loosens nothing.",
        "\n+ name = \"All\"\n",
    ] {
        assert!(one.contains(part), "{part} in {one}");
    }
    assert!(
        !ran("request list --tenant globex").contains(id),
        "another tenant has its own"
    );
    let foreign = refused(&run(&mut loopiq(dir), &format!("request show {id} --tenant globex")));
    assert!(foreign.contains("There is no operator request"), "{foreign}");
    std::fs::write(dir.join("loose.toml"), "[separation]\ncaller_may_decide = true\n").unwrap();
    let printed = ran("policy check loose.toml --tenant acme");
    assert!(
        printed.contains("What it loosens:\n- The person an action was proposed for may decide it.\n"),
        "{printed}"
    );
    let printed = ran("policy apply loose.toml --tenant acme");
    assert!(
        printed.contains("acme: request req_") && printed.contains("What it loosens:\n- "),
        "{printed}"
    );
    assert_eq!(
        ran("policy show --tenant globex"),
        built_in,
        "another tenant has its own"
    );
    let error = refused(&run(&mut loopiq(dir), "policy show --tenant acme --version 9"));
    assert!(error.contains("there is no version 9"), "{error}");
}
