//! The log of a demo as a bundle: exported by the binary, verified by the binary and by Python, neither of which then needs the service.

use crate::{address, start};
use loopiq_audit_log::bundle::VERIFIER_TEXT;
use loopiq_testing::{Database, Service, on_postgres};
use sqlx::Executor;
use std::path::Path;
use std::process::Command;

/// A verifier's exit code, what it prints, and what it complains of.
type Answer = (i32, String, String);

fn answer(command: &mut Command) -> Answer {
    let output = command.output().expect("a program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    (
        output.status.code().expect("an exit code"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Both verifiers, in a folder without an installation. They say the same.
fn verify(folder: &Path, bundle: &str, more: &[&str]) -> (bool, String) {
    let mut loopiq = Command::new(env!("CARGO_BIN_EXE_loopiq"));
    loopiq.args(["audit", "verify", "--export", bundle, "--key", "key.txt"]);
    let (code, out, err) = answer(loopiq.args(more).current_dir(folder));
    let mut python = Command::new("python3");
    python.args(["-I", "verify.py", bundle, "--key", "key.txt"]);
    let (python_code, python_out, python_err) = answer(python.args(more).current_dir(folder));
    assert_eq!((code, python_err.as_str()), (python_code, ""));
    if code == 0 {
        assert_eq!((&out, err.as_str()), (&python_out, ""));
        return (true, out);
    }
    let reason = python_out.strip_prefix("not valid: ").expect("a reason").to_owned();
    assert_eq!(
        (out, err),
        (String::new(), format!("loopiq: {bundle} is not valid: {reason}"))
    );
    (false, reason)
}

/// Exports acme's log to this file of the folder.
fn export(service: &Service, folder: &Path, name: &str) -> anyhow::Result<String> {
    let out = folder.join(name);
    let out = out.to_str().expect("a path");
    service.command(&[
        "audit", "export", "--tenant", "acme", "--format", "bundle", "--out", out,
    ])
}

#[tokio::test]
async fn a_bundle_is_verified_anywhere_and_shows_what_was_changed() {
    let database = Database::new().await;
    let service = start(&database, &address());
    let desk = tempfile::tempdir().expect("a folder");
    let folder = desk.path();
    let put = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
    put("verify.py", VERIFIER_TEXT.to_owned());
    put("key.txt", service.command(&["audit", "keys"]).expect("keys"));
    let kept = service.command(&["audit", "checkpoint", "--tenant", "acme"]);
    put("kept.txt", kept.expect("a checkpoint") + "\n");
    for person in ["developer@acme.example", "reviewer@acme.example"] {
        service.token(person).expect("an entry more");
    }

    let said = export(&service, folder, "log.tar").expect("an export");
    assert!(
        said.contains(" entries of acme and ") && said.contains("sha256:"),
        "{said}"
    );
    let (valid, report) = verify(folder, "log.tar", &["--checkpoint", "kept.txt"]);
    assert!(
        valid && report.starts_with("acme: ") && report.contains("the log continues it"),
        "{report}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = folder.join("log.tar").metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    let error = export(&service, folder, "log.tar")
        .expect_err("the file exists")
        .to_string();
    assert!(error.contains("an export overwrites no file"), "{error}");
    // The service records each export, and the log still holds.
    service
        .command(&["audit", "verify", "--tenant", "acme"])
        .expect("the log holds");
    export(&service, folder, "again.tar").expect("an export");
    let exported = std::fs::read(folder.join("again.tar")).expect("a file");
    let exported = String::from_utf8_lossy(&exported);
    assert!(exported.contains("\"event\":\"audit.exported\""));
    let digest = said.rsplit(' ').next().expect("a digest");
    assert!(exported.contains(&format!("\"digest\":\"{digest}\"")), "{digest}");

    // The bundle is changed on its way: a letter of a content.
    let mut changed = std::fs::read(folder.join("log.tar")).expect("a file");
    let content = b"\"content\":{";
    let at = changed.windows(content.len()).rposition(|place| place == content);
    let at = at.expect("a content");
    changed[at + 14] ^= 1;
    std::fs::write(folder.join("changed.tar"), changed).expect("written");
    let (valid, reason) = verify(folder, "changed.tar", &[]);
    assert!(
        !valid && reason.contains(" was changed: its content does not have the hash"),
        "{reason}"
    );

    // The database is changed before the export.
    let mut owner = database.connect().await;
    let unprotect = if on_postgres() {
        "DROP TRIGGER audit_contents_no_change ON audit_contents"
    } else {
        "DROP TRIGGER audit_contents_no_update"
    };
    owner.execute(unprotect).await.expect("dropped");
    let change =
        "UPDATE audit_contents SET content = replace(content, 'version', 'Version') WHERE tenant = 'acme' AND seq = 2";
    assert_eq!(owner.execute(change).await.expect("changed").rows_affected(), 1);
    // Since no entry was added that is not the service's, it still signs; the verifiers see the change.
    let _ = export(&service, folder, "tampered.tar");
    let (valid, reason) = verify(folder, "tampered.tar", &["--checkpoint", "kept.txt"]);
    assert!(
        !valid && reason.starts_with("entry 2 was changed: its content"),
        "{reason}"
    );
}

#[test]
fn arguments_about_bundles() {
    let desk = tempfile::tempdir().expect("a folder");
    let refused = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loopiq"));
        let (code, out, err) = answer(command.args(["audit"]).args(args).current_dir(desk.path()));
        assert!(code != 0 && out.is_empty(), "{args:?}: {out}");
        err
    };
    for (args, reason) in [
        (["verify", "--export", "log.tar"].as_slice(), "--key <FILE>"),
        (&["verify", "--key", "key.txt"], "--export <PATH>"),
        (
            &["verify", "--export", "log.tar", "--key", "key.txt", "--tenant", "acme"],
            "cannot be used with",
        ),
        (
            &["verify", "--export", "log.tar", "--key", "key.txt"],
            "key.txt cannot be read",
        ),
        (&["verify", "--checkpoint", "kept.txt"], "needs --tenant or --export"),
        (
            &["export", "--tenant", "acme", "--format", "zip", "--out", "log.tar"],
            "bundle",
        ),
        (
            &["export", "--tenant", "acme", "--format", "bundle", "--out", "log.tar"],
            "there is no installation",
        ),
    ] {
        let error = refused(args);
        assert!(error.contains(reason), "{args:?}: {error}");
    }
    assert!(std::fs::read_dir(desk.path()).expect("a folder").next().is_none());
}
