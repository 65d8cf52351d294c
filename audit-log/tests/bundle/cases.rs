//! What the verifiers accept and say, and which checkpoints, keys and witnesses they refuse.

use crate::log::{CREATED, Log, ORIGIN, key, key_only, with_checkpoint, with_witness, witness};
use crate::python::{Desk, both, rust};
use loopiq_audit_log::bundle::{NotKeys, Trust, read_keys};
use loopiq_audit_log::{Checkpoint, Cosigner, Hash, NotAKey, Note, PublicKey, SigningKey};

fn said(log: &Log, trust: &Trust, valid: bool, expected: &str) {
    assert_eq!(both(&log.bundle(), trust), (valid, expected.to_owned()));
}

fn refused(log: &Log, trust: &Trust, reason: &str) {
    said(log, trust, false, &format!("not valid: {reason}"));
}

fn first_line(entries: &str, contents: &str) -> String {
    let key = key().public().to_string();
    format!("acme: {entries}, {contents}, all valid; the root is that of the checkpoint signed by {key}")
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
    let purged = "\ncontents: 2 entries without content (purged), the first is entry 5";
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
fn wrong_keys() {
    let log = Log::new(5, &[2]);
    let other = SigningKey::new("loopiq.example/audit/other", &[1; 32]).expect("a key");
    let same_name = SigningKey::new(ORIGIN, &[1; 32]).expect("a key");
    for wrong in [other, same_name] {
        let trust = Trust {
            keys: vec![wrong.public().clone()],
            ..Trust::default()
        };
        refused(
            &log,
            &trust,
            "the checkpoint of the bundle: no key that was given signed it",
        );
        // Beside the right key, another one does no harm.
        let trust = Trust {
            keys: vec![wrong.public().clone(), key().public().clone()],
            ..Trust::default()
        };
        assert!(both(&log.bundle(), &trust).0);
    }
    let other = SigningKey::new("witness.example/w2", &[1; 32])
        .expect("a key")
        .cosigner();
    let trust = Trust {
        witnesses: vec![witness().cosigner(), other],
        ..key_only()
    };
    let reason =
        "the witness witness.example/w2 cosigned neither a checkpoint of the bundle nor the one that was given";
    refused(&log, &trust, reason);
}

#[test]
fn a_key_that_was_replaced() {
    let mut log = Log::new(9, &[3, 6]);
    let new = SigningKey::new(ORIGIN, &[11; 32]).expect("a key");
    log.head.checkpoint = log.checkpoint(9).to_note();
    log.head.checkpoint.sign(&new);
    log.head.keys.push(new.public().clone());
    let trust = Trust {
        keys: vec![new.public().clone()],
        ..Trust::default()
    };
    let (valid, answer) = both(&log.bundle(), &trust);
    assert!(
        valid && answer.ends_with("of the bundle; 2 of them signed by other keys than those given"),
        "{answer}"
    );
    let (valid, answer) = both(
        &log.bundle(),
        &Trust {
            keys: log.head.keys.clone(),
            ..Trust::default()
        },
    );
    assert!(
        valid && answer.ends_with("2 older checkpoints of the bundle"),
        "{answer}"
    );
}

#[test]
fn checkpoints_that_are_refused() {
    let log = Log::new(20, &[10]);
    let given = "the checkpoint that was given";
    let bad = |text: String, reason: &str| {
        let trust = Trust {
            checkpoint: Some(text),
            ..key_only()
        };
        refused(&log, &trust, &format!("{given}: {reason}"));
    };
    for text in ["", "\n", "a\n1\nb\n", "\u{2014} a b\n", &log.checkpoint(5).to_string()] {
        bad(text.to_owned(), "this is not a signed checkpoint");
    }
    bad(format!("{}\n", log.signed(5)), "this is not a signed checkpoint");
    bad(
        log.signed(5).to_string().replace('\n', "\r\n"),
        "this is not a signed checkpoint",
    );
    // Forged: another root under the same signature, or a signature by a key that is not the log's.
    let other = log.checkpoint(6);
    let forged = Note {
        text: Checkpoint {
            size: 5,
            ..other.clone()
        }
        .to_string(),
        ..log.signed(5)
    };
    bad(
        forged.to_string(),
        &format!("the signature by {ORIGIN} does not fit it"),
    );
    let mut foreign = log.checkpoint(5).to_note();
    foreign.sign(&SigningKey::new(ORIGIN, &[1; 32]).expect("a key"));
    bad(foreign.to_string(), "no key that was given signed it");
    // A witness alone vouches for it only if the person who verifies trusts the witness.
    let mut by_witness = log.cosigned(5);
    by_witness.signatures.remove(0);
    bad(by_witness.to_string(), "no key that was given signed it");
    let mut elsewhere = Checkpoint {
        origin: "loopiq.example/audit/globex".to_owned(),
        ..other
    }
    .to_note();
    elsewhere.sign(&key());
    bad(elsewhere.to_string(), "it belongs to another log");
    // A checkpoint of the same size and another root: the log was forked.
    let mut fork = Checkpoint {
        root: Hash::of(b"fork"),
        ..log.checkpoint(20)
    }
    .to_note();
    fork.sign(&key());
    let reason = "one or more of the entries 11 to 20 were replaced with new hashes: the first 20 entries do not have the root of";
    refused(&log, &with_checkpoint(&fork), &format!("{reason} {given}"));
    // An empty log has one root.
    let mut empty = Checkpoint {
        root: Hash::of(b"fork"),
        ..log.checkpoint(0)
    }
    .to_note();
    empty.sign(&key());
    refused(
        &log,
        &with_checkpoint(&empty),
        &format!("{given}: its root is not that of an empty log"),
    );
}

#[test]
fn checkpoints_of_the_bundle_that_are_refused() {
    let log = Log::new(20, &[10]);
    let forge = |size: usize| Note {
        text: log.checkpoint(size).to_string(),
        ..log.cosigned(3)
    };
    let mut forged = log.clone();
    forged.head.checkpoint = forge(20);
    let reason = format!("the signature by {ORIGIN} does not fit it");
    refused(&forged, &key_only(), &format!("the checkpoint of the bundle: {reason}"));
    let mut forged = log.clone();
    forged.head.older = vec![forge(10)];
    refused(
        &forged,
        &key_only(),
        &format!("the older checkpoint checkpoints/10.txt: {reason}"),
    );
    // The log's signature is right and the witness's is not.
    let mut forged = log.clone();
    forged.head.older[0].signatures[1] = log.cosigned(9).signatures[1].clone();
    let reason = "the signature by witness.example/w1 does not fit it";
    refused(
        &forged,
        &key_only(),
        &format!("the older checkpoint checkpoints/10.txt: {reason}"),
    );
    // An older root of another log, signed by the right key.
    let mut forged = log.clone();
    let mut fork = Checkpoint {
        root: Hash::of(b"fork"),
        ..log.checkpoint(10)
    }
    .to_note();
    fork.sign(&key());
    forged.head.older = vec![fork];
    let reason = "one or more of the entries 1 to 10 were replaced with new hashes: the first 10 entries do not have the root of the \
        older checkpoint checkpoints/10.txt";
    refused(&forged, &key_only(), reason);
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
