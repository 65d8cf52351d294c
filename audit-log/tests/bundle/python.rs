//! Runs `verify.py` as a person does, with nothing but Python.

use loopiq_audit_log::bundle::{self, Trust, VERIFIER_TEXT};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

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

    /// Writes the files of a person who verifies, and returns the arguments of `verify.py`.
    pub(crate) fn arguments(&self, bundle: &[u8], trust: &Trust) -> Vec<&'static str> {
        let put = |name: &str, keys: Vec<String>| self.put(name, keys.join("\n").as_bytes());
        self.put("bundle.tar", bundle);
        put("key.txt", trust.keys.iter().map(ToString::to_string).collect());
        let mut args = vec!["bundle.tar", "--key", "key.txt"];
        if let Some(text) = &trust.checkpoint {
            self.put("kept.txt", text.as_bytes());
            args.extend(["--checkpoint", "kept.txt"]);
        }
        if !trust.witnesses.is_empty() {
            put("witness.txt", trust.witnesses.iter().map(ToString::to_string).collect());
            args.extend(["--witness", "witness.txt"]);
        }
        args
    }
}

/// Runs `main` of `verify.py` for each line of arguments, because starting Python takes longer than verifying a small bundle.
const LOOP: &str = r#"
import contextlib, io, json, runpy, sys
main = runpy.run_path("verify.py")["main"]
for line in sys.stdin:
    sys.argv = ["verify.py"] + line.split()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main()
    print(json.dumps([code, out.getvalue().rstrip()]), flush=True)
"#;

/// A Python that waits for arguments. It ends when this process does, because its input ends.
struct Waiting {
    desk: Desk,
    python: Child,
    answers: BufReader<ChildStdout>,
}

static WAITING: LazyLock<Mutex<Waiting>> = LazyLock::new(|| {
    let desk = Desk::new();
    desk.put("loop.py", LOOP.as_bytes());
    let python = desk
        .python()
        .arg("loop.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = python.expect("python3 is installed (scripts/setup test does it)");
    let answers = BufReader::new(python.stdout.take().expect("its output"));
    Mutex::new(Waiting { desk, python, answers })
});

/// The answer of `verify.py`.
pub(crate) fn python(bundle: &[u8], trust: &Trust) -> Answer {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let args = waiting.desk.arguments(bundle, trust).join(" ");
    writeln!(waiting.python.stdin.as_mut().expect("its input"), "{args}").expect("Python runs");
    let mut answer = String::new();
    waiting.answers.read_line(&mut answer).expect("Python runs");
    let (code, text): (i32, String) = serde_json::from_str(&answer).expect("an answer");
    assert!(code < 2, "{text}");
    (code == 0, text)
}

/// The answer that both verifiers give.
pub(crate) fn both(bundle: &[u8], trust: &Trust) -> Answer {
    let answer = rust(bundle, trust);
    assert_eq!(answer, python(bundle, trust), "loopiq, then verify.py");
    answer
}
