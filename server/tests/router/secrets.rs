//! Secrets of the settings: from a variable or a file, and never in a message, a log or the help.

use crate::command_line::loopiq;
use loopiq_server::file_permissions;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A part of each secret in these tests.
const CANARY: &str = "canary7Qx";

/// Each secret setting with a value for the test, and a command that reads the setting.
fn settings() -> [(&'static str, String, &'static str); 7] {
    let url = format!("postgres://loopiq:{CANARY}@127.0.0.1:1/d");
    let long = format!("{CANARY}-0123456789-0123456789-0123456789");
    [
        ("LOOPIQ_OIDC_CLIENT_SECRET", long.clone(), "serve"),
        ("LOOPIQ_SECRET_KEY", long.clone(), "serve"),
        ("LOOPIQ_DATABASE_URL", url.clone(), "serve"),
        ("LOOPIQ_DATABASE_ADMIN_URL", url.clone(), "schema upgrade"),
        ("LOOPIQ_AUDIT_KEY", long.clone(), "audit keys"),
        ("LOOPIQ_MIGRATE_FROM", url, "migrate"),
        (
            "LOOPIQ_TOKEN",
            long,
            "helix --tenant acme --release R --url http://127.0.0.1:1",
        ),
    ]
}

/// The settings that `serve` needs, except those of the test.
fn production<'a>(command: &'a mut Command, line: &str) -> &'a mut Command {
    command.args(line.split_whitespace()).envs([
        ("LOOPIQ_LISTEN", "127.0.0.1:0"),
        ("LOOPIQ_OIDC_ISSUER", "http://127.0.0.1:1"),
        ("LOOPIQ_OIDC_CLIENT_ID", "loopiq"),
        ("LOOPIQ_MIGRATE_TO", "sqlite://other.db"),
    ])
}

fn printed(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].concat().escape_ascii().to_string()
}

fn file_with(dir: &Path, name: &str, text: &str) -> String {
    let file = dir.join(name);
    file_permissions::write(&file, format!("{text}\n").as_bytes()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn each_secret_can_come_from_a_file_and_only_from_one_place() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    for (variable, value, line) in settings() {
        let file = file_with(dir, variable, &value);
        let output = production(&mut loopiq(dir), line)
            .env("LOOPIQ_OIDC_CLIENT_SECRET", CANARY)
            .env(variable, &value)
            .env(format!("{variable}_FILE"), &file)
            .output()
            .unwrap();
        let says = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{says}");
        let flag = variable.trim_start_matches("LOOPIQ_").trim_start_matches("MIGRATE_");
        let flag = flag.to_ascii_lowercase().replace('_', "-");
        let both =
            format!("{variable} (or --{flag}) and {variable}_FILE (or --{flag}-file) are both set; remove one of them");
        assert!(says.contains(&both), "{variable}: {says}");
        assert!(!says.contains(CANARY), "{variable}: {says}");

        for (unusable, problem) in [("", "is empty"), ("nowhere", "nowhere")] {
            let output = production(&mut loopiq(dir), line)
                .env("LOOPIQ_OIDC_CLIENT_SECRET", CANARY)
                .env_remove(variable)
                .env(format!("{variable}_FILE"), unusable)
                .output()
                .unwrap();
            let says = printed(&output);
            assert!(says.contains(problem), "{variable}: {says}");
        }
    }
}

#[test]
fn a_service_starts_with_its_secrets_in_files() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let mut command = loopiq(dir);
    production(&mut command, "serve --log trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let secret = format!("{CANARY}-0123456789-0123456789-0123456789");
    command
        .env("LOOPIQ_OIDC_CLIENT_SECRET_FILE", file_with(dir, "client", &secret))
        .env("LOOPIQ_SECRET_KEY_FILE", file_with(dir, "key", &secret))
        .env(
            "LOOPIQ_DATABASE_URL_FILE",
            file_with(dir, "url", "sqlite://from-a-file.db"),
        );
    let mut child = command.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    let told = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    child.wait().unwrap();
    assert!(ready.starts_with("ready on "), "{log}");
    assert!(dir.join("from-a-file.db").exists());
    assert!(!log.contains(CANARY), "{log}");
}

#[test]
fn nothing_that_the_binary_prints_contains_a_secret() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    for (_, _, line) in settings() {
        for more in ["", " --help", " --nonsense", " --log trace"] {
            for as_file in [false, true] {
                let mut command = loopiq(dir);
                production(&mut command, &format!("{line}{more}"));
                for (variable, value, _) in settings() {
                    if as_file {
                        command.env(format!("{variable}_FILE"), file_with(dir, variable, &value));
                    } else {
                        command.env(variable, &value);
                    }
                }
                // A database server that is not there, so that no command runs for long.
                let output = command.output().unwrap();
                let says = printed(&output);
                assert!(!says.contains(CANARY), "{line}{more}: {says}");
                let helped = more == " --help";
                assert_eq!(output.status.success(), helped, "{line}{more}: {says}");
            }
        }
    }
}
