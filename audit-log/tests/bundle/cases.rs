//! What the verifiers accept, and what they say.

use crate::log::{CREATED, Log, key, key_only, with_checkpoint, with_witness, witness};
use crate::python::{Desk, both, rust};
use loopiq_audit_log::bundle::{NotKeys, Trust, read_keys};
use loopiq_audit_log::{Cosigner, Hash, NotAKey, PublicKey};

fn said(log: &Log, trust: &Trust, valid: bool, expected: &str) {
    assert_eq!(both(&log.bundle(), trust), (valid, expected.to_owned()));
}

pub(crate) fn refused(log: &Log, trust: &Trust, reason: &str) {
    said(log, trust, false, &format!("not valid: {reason}"));
}

fn first_line(entries: &str, contents: &str) -> String {
    let key = key().public().to_string();
    format!("acme: {entries} and {contents} are valid; the root is that of the checkpoint signed by {key}")
}

#[test]
fn the_report() {
    let mut log = Log::new(30, &[10, 20]);
    let older = "\ncheckpoints: the log continues 2 older checkpoints of the bundle";
    let first = first_line("30 entries", "30 contents");
    said(&log, &key_only(), true, &format!("{first}{older}"));
    let kept = with_checkpoint(&log.signed(17));
    let earlier = "\nearlier checkpoint: the log continues it, with its 17 entries unchanged";
    said(&log, &kept, true, &format!("{first}{older}{earlier}"));
    let seen = "\nwitness witness.example/w1: saw the first 20 entries, last at 2026-09-21 14:15:43 UTC";
    said(&log, &with_witness(), true, &format!("{first}{older}{seen}"));
    // The checkpoint that was given counts for the witness, too, and needs no other signature than the witness's.
    let mut by_witness = log.cosigned(25);
    by_witness.signatures.remove(0);
    let trust = Trust {
        witnesses: with_witness().witnesses,
        ..with_checkpoint(&by_witness)
    };
    let earlier = "\nearlier checkpoint: the log continues it, with its 25 entries unchanged";
    let seen = "\nwitness witness.example/w1: saw the first 25 entries, last at 2026-09-21 14:15:48 UTC";
    said(&log, &trust, true, &format!("{first}{older}{earlier}{seen}"));
    log.entries[4].content = None;
    log.entries[6].content = None;
    let purged = "\ncontents: 2 entries without content (purged, or removed from this bundle), the first is entry 5";
    said(
        &log,
        &key_only(),
        true,
        &format!("{}{purged}{older}", first_line("30 entries", "28 contents")),
    );
    log.head.contents = false;
    let without = "\ncontents: the bundle was made without them";
    said(
        &log,
        &key_only(),
        true,
        &format!("{}{without}{older}", first_line("30 entries", "0 contents")),
    );
}

#[test]
fn small_logs() {
    said(
        &Log::new(0, &[]),
        &key_only(),
        true,
        &first_line("0 entries", "0 contents"),
    );
    said(
        &Log::new(1, &[]),
        &key_only(),
        true,
        &first_line("1 entry", "1 content"),
    );
    for size in 2..10 {
        assert!(both(&Log::new(size, &[0, 1]).bundle(), &key_only()).0, "{size}");
    }
    let log = Log::new(3, &[1]);
    let line = "\nearlier checkpoint: the log continues it, with its 3 entries unchanged";
    let older = "\ncheckpoints: the log continues 1 older checkpoint of the bundle";
    let first = first_line("3 entries", "3 contents");
    said(
        &log,
        &with_checkpoint(&log.signed(3)),
        true,
        &format!("{first}{older}{line}"),
    );
}

#[test]
fn more_than_one_file_of_entries() {
    let log = Log::new(10_000, &[4_095, 4_096, 4_097]);
    let (bundle, written) = log.write();
    assert_eq!(
        (written.entries, written.contents, written.fits),
        (10_000, 10_000, true)
    );
    assert_eq!(
        (written.bytes, written.digest),
        (bundle.len() as u64, Hash::of(&bundle))
    );
    let (valid, answer) = both(&bundle, &with_checkpoint(&log.signed(9_000)));
    assert!(valid, "{answer}");
    // The first fault counts, wherever its file begins or ends.
    for (bad, also) in [(5_000, 8_000), (8_000, 9_999), (4_097, 4_098), (8_192, 8_193)] {
        let mut log = log.clone();
        log.entries[bad - 1].at += 1;
        log.entries[also - 1].content = None;
        log.entries[also - 1].at += 1;
        let reason = format!("entry {bad} was changed: its leaf does not have its leaf hash");
        refused(&log, &key_only(), &reason);
    }
}

#[test]
fn files_of_keys() {
    let line = key().public().to_string();
    let text = format!("# the log's key\r\n\n  {line}\n");
    assert_eq!(read_keys::<PublicKey>(&text), Ok(vec![key().public().clone()]));
    assert_eq!(read_keys::<PublicKey>("# nothing\n"), Err(NotKeys::None));
    let cosigner = witness().cosigner().to_string();
    assert_eq!(
        read_keys::<PublicKey>(&format!("\n{cosigner}")),
        Err(NotKeys::Line(2, NotAKey::Kind))
    );
    assert_eq!(read_keys::<Cosigner>(&line), Err(NotKeys::Line(1, NotAKey::Kind)));
    let desk = Desk::new();
    desk.put("bundle.tar", &Log::new(5, &[2]).bundle());
    desk.put("key.txt", text.as_bytes());
    desk.put("witness.txt", cosigner.as_bytes());
    desk.put("none.txt", b"# nothing\n");
    assert_eq!(desk.run(&["bundle.tar", "--key", "key.txt"]).0, 0);
    for (args, reason) in [
        (
            ["bundle.tar", "--key", "none.txt"].as_slice(),
            "none.txt: the file contains no key",
        ),
        (
            &["bundle.tar", "--key", "bundle.tar"],
            "bundle.tar: line 1: not a public key: name+hash+base64",
        ),
        (
            &["bundle.tar", "--key", "witness.txt"],
            "witness.txt: line 1: this is the key of a witness",
        ),
        (
            &["bundle.tar", "--key", "key.txt", "--witness", "key.txt"],
            "key.txt: line 3: this is not the key of a witness",
        ),
        (&["bundle.tar", "--key", "missing.txt"], "No such file or directory"),
        (&["missing.tar", "--key", "key.txt"], "No such file or directory"),
        (&["bundle.tar"], "the following arguments are required: --key"),
    ] {
        let (code, text) = desk.run(args);
        assert!(code == 2 && text.contains(reason), "{args:?}: {text}");
    }
}

#[test]
fn the_program_answers_with_its_exit_code() {
    let mut log = Log::new(30, &[10, 20]);
    let trust = Trust {
        witnesses: with_witness().witnesses,
        ..with_checkpoint(&log.signed(17))
    };
    let desk = Desk::new();
    for code in [0, 1] {
        let bundle = log.bundle();
        let args = desk.arguments(&bundle, &trust);
        assert_eq!(desk.run(&args), (code, rust(&bundle, &trust).1));
        log.entries[29].at += 1;
    }
}

#[test]
fn the_instructions_are_true() {
    use std::process::Command;
    let desk = Desk::new();
    let log = Log::new(3, &[]);
    let path = desk.put("bundle.tar", &log.bundle());
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(&path)
        .current_dir(desk.path())
        .output()
        .expect("tar");
    assert!(unpacked.status.success() && unpacked.stderr.is_empty(), "{unpacked:?}");
    let modified = desk
        .path()
        .join("README.txt")
        .metadata()
        .and_then(|file| file.modified())
        .expect("a file");
    assert_eq!(
        modified,
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(CREATED)
    );
    let readme = std::fs::read_to_string(desk.path().join("README.txt")).expect("instructions");
    let by_hand = readme.split("By hand\n").nth(1).expect("the part");
    let commands: String = by_hand
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| format!("{line}\n"))
        .collect();
    let output = Command::new("sh")
        .arg("-ec")
        .arg(&commands)
        .current_dir(desk.path())
        .output()
        .expect("sh");
    let hash = |hash: &str| format!("{}  -\n", hash.trim_start_matches("sha256:"));
    let expected = hash(&log.entries[0].leaf_hash) + &hash(&log.entries[0].content_hash);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    // The program that is in the bundle accepts the bundle.
    desk.put("key.txt", key().public().to_string().as_bytes());
    assert_eq!(desk.run(&["bundle.tar", "--key", "key.txt"]).0, 0);
}
