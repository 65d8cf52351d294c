//! Only the service's account can use the files that the binary creates, whatever its umask and the modes of existing files.

use crate::command_line::loopiq;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    let metadata = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The command with umask 000.
fn with_open_umask(command: &mut Command, arguments: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(arguments)
        .stdin(Stdio::null());
    if let Some(dir) = command.get_current_dir() {
        shell.current_dir(dir);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// A running demo.
struct Running(Child);

impl Running {
    fn start(dir: &Path, more: &[&str]) -> Self {
        let arguments = [&["serve", "--demo", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = with_open_umask(&mut loopiq(dir), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut ready).unwrap();
        let mut running = Self(child);
        if !ready.starts_with("ready on ") {
            panic!("not ready: {}", running.log());
        }
        running
    }

    fn log(&mut self) -> String {
        let told = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        self.0.wait().unwrap();
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Checks the modes of the data directory and everything in it while the demo runs.
fn assert_private(data: &Path, files: &[&str]) {
    for file in files {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    // The service creates the search index after it is ready.
    let index = data.join("search/1/meta.json");
    for _ in 0..200 {
        if index.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(mode(&index), 0o600);
    assert_private_folder(data);
}

fn assert_private_folder(folder: &Path) {
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_private_folder(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

const FILES: [&str; 4] = ["loopiq.db", "loopiq.db-wal", "loopiq.db-shm", "demo-url"];

#[test]
fn new_files_are_only_for_the_service_s_account() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let mut running = Running::start(dir, &["--data-dir", "a/data"]);
    let data = dir.join("a/data");
    assert_private(&data, &FILES);
    assert_eq!(mode(&dir.join("a")), 0o700);
    let backup = ["backup", "copy.db", "--data-dir", "a/data"];
    let ran = with_open_umask(&mut loopiq(dir), &backup).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(mode(&dir.join("copy.db")), 0o600);
    let source = format!("sqlite://{}", data.join("loopiq.db").display());
    let target = format!("sqlite://{}", dir.join("other.db").display());
    let ran = with_open_umask(&mut loopiq(dir), &["migrate", "--from", &source, "--to", &target])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(mode(&dir.join("other.db")), 0o600);
    let log = running.log();
    assert!(!log.contains("the mode was corrected"), "{log}");
}

#[test]
fn other_modes_are_corrected_and_logged() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let data = dir.join("loopiq-data");
    // A directory that existed before.
    fs::create_dir(&data).unwrap();
    set(&data, 0o755);
    let mut running = Running::start(dir, &[]);
    assert_private(&data, &FILES);
    let log = running.log();
    assert!(log.contains("the mode was corrected") && log.contains("0755"), "{log}");
    // An installation of an earlier version that was killed, so that the database's WAL still exists.
    let running = Running::start(dir, &[]);
    drop(running);
    for file in FILES {
        set(&data.join(file), 0o644);
    }
    set(&data, 0o755);
    let mut running = Running::start(dir, &[]);
    assert_private(&data, &FILES);
    let log = running.log();
    for part in ["loopiq.db ", "loopiq.db-wal", "demo-url", "0644", "0600"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    // Commands correct modes too.
    set(&data.join("loopiq.db"), 0o664);
    let ran = loopiq(dir).args(["audit", "verify"]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(mode(&data.join("loopiq.db")), 0o600);
}

#[test]
fn the_target_of_a_symbolic_link_is_not_changed() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    let data = dir.join("loopiq-data");
    fs::create_dir(&data).unwrap();
    let outside = dir.join("outside.txt");
    fs::write(&outside, "unrelated").unwrap();
    set(&outside, 0o644);
    for name in ["demo-url", ".probe", "demo-url.new", ".probe.new"] {
        symlink(&outside, data.join(name)).unwrap();
    }
    let database = dir.join("real.db");
    fs::write(&database, "").unwrap();
    set(&database, 0o644);
    symlink(&database, data.join("loopiq.db")).unwrap();
    let mut running = Running::start(dir, &[]);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "unrelated");
    assert_eq!((mode(&outside), mode(&database)), (0o644, 0o644));
    assert!(
        fs::read_to_string(data.join("demo-url"))
            .unwrap()
            .starts_with("http://127.0.0.1")
    );
    assert_eq!(mode(&data.join("demo-url")), 0o600);
    let log = running.log();
    assert!(log.contains("symbolic link") && log.contains("loopiq.db"), "{log}");
}

#[test]
fn a_directory_of_other_programs_keeps_its_mode() {
    let temp = TempDir::new().unwrap();
    let dir = temp.path();
    for (name, mode_before, subfolder) in [("shared", 0o755, true), ("sticky", 0o1777, false)] {
        let data = dir.join(name);
        fs::create_dir(&data).unwrap();
        if subfolder {
            fs::create_dir(data.join("theirs")).unwrap();
        }
        set(&data, mode_before);
        let mut running = Running::start(dir, &["--data-dir", name]);
        assert_eq!(mode(&data), mode_before);
        for file in FILES {
            assert_eq!(mode(&data.join(file)), 0o600, "{file}");
        }
        let log = running.log();
        assert!(log.contains("a directory of its own"), "{log}");
    }
}
