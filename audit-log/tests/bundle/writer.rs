//! What the writer refuses, and what it does with large entries; what the caller of a verifier learns.

use crate::log::{Log, Stored, key_only};
use crate::pack::{files, small};
use crate::python::both;
use loopiq_audit_log::SigningKey;
use loopiq_audit_log::bundle::{self, BundleWriter, WriteError};
use std::io::{self, Read};

#[test]
fn heads_that_no_bundle_can_have() {
    let bad = |change: fn(&mut Log)| {
        let mut log = Log::new(9, &[3, 6]);
        change(&mut log);
        let outcome = BundleWriter::new(Vec::new(), &log.head).err();
        assert!(matches!(outcome, Some(WriteError::Head(_))), "{outcome:?}");
    };
    bad(|log| log.head.tenant = "Acme\n".to_owned());
    bad(|log| log.head.keys.clear());
    bad(|log| log.head.checkpoint.signatures.clear());
    bad(|log| log.head.older.swap(0, 1));
    bad(|log| log.head.older.push(log.signed(9)));
    bad(|log| log.head.older[0].text = "no checkpoint".to_owned());
    bad(|log| log.head.older = vec![log.signed(3); 1_001]);
    // Signatures by keys that the bundle does not list are left out.
    let mut log = Log::new(9, &[3]);
    let stranger = SigningKey::new("stranger", &[1; 32]).expect("a key");
    log.head.checkpoint.sign(&stranger);
    log.head.witnesses.clear();
    log.head.keys.push(log.head.keys[0].clone());
    assert!(both(&log.bundle(), &key_only()).0);
    let bundle = String::from_utf8_lossy(&log.bundle()).into_owned();
    assert!(!bundle.contains("stranger") && !bundle.contains("witness.example"));
}

/// A reader that fails, as a disk does.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_bundle_that_cannot_be_read() {
    let bundle = small();
    let broken = bundle[..700].chain(Broken);
    let fault = bundle::verify(broken, &key_only(), |_, _| {}).expect_err("no bundle");
    assert_eq!(
        fault.to_string(),
        "README.txt: the bundle cannot be read: the disk is gone"
    );
    assert_eq!(fault.entries(), None);
}

#[test]
fn large_entries_get_files_of_their_own() {
    let mut log = Log::new(6, &[]);
    for entry in &mut log.entries {
        let text = "ж".repeat(1_500_000);
        *entry = Stored {
            content: Some(("0".repeat(32), format!("{{\"a\":\"{text}\"}}"))),
            ..entry.clone()
        };
        entry.rehash();
    }
    log.sign();
    let bundle = log.bundle();
    assert_eq!(files(&bundle).len(), 5 + 3);
    assert!(both(&bundle, &key_only()).0);
}

#[test]
fn progress_is_told_after_each_file() {
    let mut told = Vec::new();
    let bundle = Log::new(5_000, &[]).bundle();
    bundle::verify(bundle.as_slice(), &key_only(), |done, of| told.push((done, of))).expect("valid");
    assert_eq!(told, [(0, 5_000), (4_096, 5_000), (5_000, 5_000)]);
}

#[test]
fn faults_name_their_entries() {
    let mut log = Log::new(9, &[3]);
    log.entries[4].at = 1;
    let fault = |log: &Log| bundle::verify(log.bundle().as_slice(), &key_only(), |_, _| {}).expect_err("tampered");
    assert_eq!(fault(&log).entries(), Some(5..=5));
    log.entries[4].rehash();
    assert_eq!(fault(&log).entries(), Some(4..=9));
    log.entries.truncate(3);
    assert_eq!(fault(&log).entries(), Some(4..=4));
}
