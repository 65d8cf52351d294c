//! Runs `verify.py` as a person does, with nothing but Python.

use loopiq_audit_log::bundle::{self, Trust, VERIFIER_TEXT};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The answer of a verifier: whether it accepts the bundle, and its words.
pub(crate) type Answer = (bool, String);

/// The answer of this crate.
pub(crate) fn rust(bundle: &[u8], trust: &Trust) -> Answer {
    match bundle::verify(bundle, trust, |_, _| {}) {
        Ok(report) => (true, report.to_string()),
        Err(fault) => (false, format!("not valid: {fault}")),
    }
}

/// A folder with `verify.py` and the files of a person who verifies.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        desk.put("verify.py", VERIFIER_TEXT.as_bytes());
        desk
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Python in the folder, without the environment's paths and packages (`-I`).
    pub(crate) fn python(&self) -> Command {
        let mut command = Command::new("python3");
        command.arg("-I").current_dir(self.path());
        command
    }

    /// Runs `verify.py` with these arguments: exit code and output.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String) {
        let output = self.python().arg("verify.py").args(args).output();
        let output = output.expect("python3 is installed (scripts/setup test does it)");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        let code = output.status.code().expect("an exit code");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        (
            code,
            if code == 2 {
                err
            } else {
                assert_eq!(err, "");
                out
            },
        )
    }

    /// The answer of `verify.py`.
    pub(crate) fn verify(&self, bundle: &[u8], trust: &Trust) -> Answer {
        let lines = |keys: Vec<String>| keys.join("\n");
        self.put("bundle.tar", bundle);
        self.put(
            "key.txt",
            lines(trust.keys.iter().map(ToString::to_string).collect()).as_bytes(),
        );
        let mut args = vec!["bundle.tar", "--key", "key.txt"];
        if let Some(text) = &trust.checkpoint {
            self.put("kept.txt", text.as_bytes());
            args.extend(["--checkpoint", "kept.txt"]);
        }
        if !trust.witnesses.is_empty() {
            self.put(
                "witness.txt",
                lines(trust.witnesses.iter().map(ToString::to_string).collect()).as_bytes(),
            );
            args.extend(["--witness", "witness.txt"]);
        }
        let (code, text) = self.run(&args);
        assert!(code < 2, "{text}");
        (code == 0, text)
    }
}

/// The answer that both verifiers give.
pub(crate) fn both(bundle: &[u8], trust: &Trust) -> Answer {
    let answer = rust(bundle, trust);
    assert_eq!(answer, Desk::new().verify(bundle, trust), "loopiq, then verify.py");
    answer
}
