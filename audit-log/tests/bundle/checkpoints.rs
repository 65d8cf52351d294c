//! Checkpoints, keys and witnesses that the verifiers refuse.

use crate::cases::refused;
use crate::log::{Log, ORIGIN, key, key_only, with_checkpoint, witness};
use crate::python::both;
use loopiq_audit_log::bundle::Trust;
use loopiq_audit_log::{Checkpoint, Hash, Note, SigningKey};

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
