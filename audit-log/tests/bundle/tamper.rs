//! What a person who can write to the database does to a log before it is exported. The service signs what it then finds.

use crate::log::{Log, Stored, key, key_only, with_checkpoint, with_witness};
use crate::python::both;
use loopiq_audit_log::bundle::Trust;
use loopiq_audit_log::{Note, SigningKey};

const SIZE: usize = 40;
/// The checkpoint that an auditor kept before the tampering.
const KEPT: usize = 36;

/// The honest log.
fn honest() -> Log {
    Log::new(SIZE as i64, &[10, 25])
}

fn kept() -> Trust {
    with_checkpoint(&honest().signed(KEPT))
}

/// Numbers the entries again and computes all hashes again.
fn renumber(log: &mut Log) {
    for (seq, entry) in (1..).zip(&mut log.entries) {
        entry.seq = seq;
        entry.rehash();
    }
}

/// Lets the tampering happen, the service sign the result, and both verifiers judge it by the kept checkpoint.
fn refused(tamper: impl FnOnce(&mut Log), reason: &str) {
    let mut log = honest();
    tamper(&mut log);
    if log.entries.len() != SIZE {
        log.head.older.retain(|note| size(note) < log.entries.len());
    }
    log.sign();
    expect(&log, &kept(), reason);
}

fn size(note: &Note) -> usize {
    note.text
        .lines()
        .nth(1)
        .and_then(|line| line.parse().ok())
        .expect("a size")
}

fn expect(log: &Log, trust: &Trust, reason: &str) {
    let (valid, answer) = both(&log.bundle(), trust);
    assert_eq!(
        (valid, answer.as_str()),
        (false, format!("not valid: {reason}").as_str())
    );
}

const CONTENT: &str = "was changed: its content does not have the hash that its leaf contains";
const REPLACED: &str = "one or more of the entries 11 to 25 were replaced with new hashes: the first 25 entries do not have the root of \
    the older checkpoint checkpoints/25.txt";
const SINCE_KEPT: &str =
    "were replaced with new hashes: the first 36 entries do not have the root of the checkpoint that was given";

#[test]
fn the_honest_log_is_accepted() {
    for trust in [key_only(), kept(), with_witness()] {
        let (valid, answer) = both(&honest().bundle(), &trust);
        assert!(valid, "{answer}");
    }
}

#[test]
fn content_edited_hashes_left() {
    refused(
        |log| {
            let content = log.entries[11].content_mut();
            *content = content.replace("Reviewer 12", "Reviewer 13");
        },
        &format!("entry 12 {CONTENT}"),
    );
}

#[test]
fn another_entrys_content_put_in_its_place() {
    refused(
        |log| log.entries[11].content = log.entries[15].content.clone(),
        &format!("entry 12 {CONTENT}"),
    );
}

#[test]
fn content_that_is_not_json() {
    for content in ["", "\n", "{}\n{}", "\"", "{},\"leaf\":{}", "\u{feff}{}"] {
        refused(
            |log| content.clone_into(log.entries[11].content_mut()),
            &format!("entry 12 {CONTENT}"),
        );
    }
}

#[test]
fn last_entry_deleted_head_left() {
    // The head still says 40, so the service has nothing new to sign.
    let mut log = honest();
    log.entries.pop();
    let reason = "entry 40 is missing, and all after it: the checkpoint of the bundle has 40 entries";
    expect(&log, &key_only(), reason);
}

#[test]
fn middle_entry_deleted() {
    refused(
        |log| drop(log.entries.remove(19)),
        "entry 20 is missing or out of order: entry 21 is in its place",
    );
}

#[test]
fn content_edited_hashes_recomputed() {
    let edit = |log: &mut Log| {
        let content = log.entries[11].content_mut();
        *content = content.replace("Reviewer 12", "Mallory");
        log.entries[11].rehash();
    };
    refused(edit, REPLACED);
    // The older checkpoints are deleted as well, and their keeper's tells.
    let delete = |log: &mut Log| {
        edit(log);
        log.head.older.clear();
    };
    refused(delete, &format!("one or more of the entries 1 to 36 {SINCE_KEPT}"));
    // With a checkpoint of each size, the entry has a name.
    let mut log = honest();
    log.head.older = (1..SIZE).map(|size| log.signed(size)).collect();
    edit(&mut log);
    log.sign();
    let reason = "entry 12 was replaced with new hashes: the first 12 entries do not have the root of the older checkpoint \
        checkpoints/12.txt";
    expect(&log, &key_only(), reason);
}

#[test]
fn event_and_time_changed() {
    let edit = |log: &mut Log| {
        log.entries[11].event = "action.rejected".to_owned();
        log.entries[11].at += 1;
    };
    refused(edit, "entry 12 was changed: its leaf does not have its leaf hash");
    let recompute = |log: &mut Log| {
        edit(log);
        log.entries[11].rehash();
    };
    refused(recompute, REPLACED);
}

#[test]
fn every_field_of_a_leaf_is_covered() {
    let changes: [fn(&mut Stored); 6] = [
        |entry| entry.at = 1,
        |entry| entry.event.push('x'),
        |entry| entry.action = None,
        |entry| entry.action = Some(String::new()),
        |entry| entry.content_hash = entry.leaf_hash.clone(),
        |entry| entry.leaf_hash = entry.content_hash.clone(),
    ];
    for change in changes {
        refused(
            |log| {
                change(&mut log.entries[13]);
                log.entries[13].content = None;
            },
            "entry 14 was changed: its leaf does not have its leaf hash",
        );
    }
    let damaged = "is damaged: its line does not have the form of an entry";
    let mut log = honest();
    log.entries[13].leaf_hash = "sha256:\"\n".to_owned();
    expect(&log, &key_only(), &format!("entry 14 {damaged}"));
    assert!(!log.write().1.fits);
    let mut log = honest();
    log.entries[13].content = Some(("no salt".to_owned(), "{}".to_owned()));
    expect(&log, &key_only(), &format!("entry 14 {damaged}"));
    let mut log = honest();
    log.entries[13].at = (1 << 53) + 1;
    expect(&log, &key_only(), &format!("entry 14 {damaged}"));
    let mut log = honest();
    log.entries[13].seq = -14;
    log.entries[13].rehash();
    expect(
        &log,
        &key_only(),
        "entry 14 is missing or out of order: entry -14 is in its place",
    );
}

#[test]
fn last_five_deleted_head_set_back() {
    refused(
        |log| log.entries.truncate(35),
        "entry 36 is missing, and all after it: the checkpoint that was given has 36 entries. Either they were removed, or the bundle \
         is older than the checkpoint",
    );
}

#[test]
fn middle_deleted_and_the_rest_renumbered() {
    refused(
        |log| {
            log.entries.remove(19);
            renumber(log);
        },
        REPLACED,
    );
}

#[test]
fn an_entry_inserted_and_the_rest_renumbered() {
    refused(
        |log| {
            log.entries.insert(19, Stored::new("acme", 3));
            renumber(log);
        },
        REPLACED,
    );
}

#[test]
fn two_swapped() {
    refused(
        |log| log.entries.swap(11, 14),
        "entry 12 is missing or out of order: entry 15 is in its place",
    );
    let renumbered = |log: &mut Log| {
        log.entries.swap(11, 14);
        renumber(log);
    };
    refused(renumbered, REPLACED);
}

#[test]
fn an_entry_twice() {
    refused(
        |log| log.entries.insert(12, log.entries[11].clone()),
        "entry 13 is missing or out of order: entry 12 is in its place",
    );
}

#[test]
fn a_forged_approval_appended() {
    // Without the log's key, nobody can sign the longer log.
    let mut log = honest();
    log.entries.push(Stored::new("acme", 41));
    expect(
        &log,
        &key_only(),
        "entry 41 was added: the checkpoint of the bundle ends before it",
    );
    // It takes the place of an entry that a checkpoint has seen.
    refused(
        |log| {
            log.entries.truncate(35);
            log.entries.push(Stored {
                event: "action.approved".to_owned(),
                ..Stored::new("acme", 36)
            });
            renumber(log);
        },
        &format!("one or more of the entries 26 to 36 {SINCE_KEPT}"),
    );
}

#[test]
fn the_whole_log_emptied() {
    refused(
        |log| log.entries.clear(),
        "entry 1 is missing, and all after it: the checkpoint that was given has 36 entries. Either they were removed, or the bundle \
         is older than the checkpoint",
    );
}

#[test]
fn a_log_written_anew_by_the_holder_of_the_key() {
    let mut log = Log::new(SIZE as i64, &[]);
    log.entries.iter_mut().for_each(|entry| entry.at += 1);
    renumber(&mut log);
    log.sign();
    // The key alone cannot tell, as the instructions say. A kept checkpoint can, and a witness did not see this log.
    assert!(both(&log.bundle(), &key_only()).0);
    expect(
        &log,
        &kept(),
        &format!("one or more of the entries 1 to 36 {SINCE_KEPT}"),
    );
    let reason =
        "the witness witness.example/w1 cosigned neither a checkpoint of the bundle nor the one that was given";
    expect(&log, &with_witness(), reason);
    // The witness's checkpoint of the log as it was contradicts the entries.
    log.head.older = vec![honest().cosigned(25)];
    let reason = "one or more of the entries 1 to 25 were replaced with new hashes: the first 25 entries do not have the root of the \
        older checkpoint checkpoints/25.txt";
    expect(&log, &with_witness(), reason);
}

#[test]
fn entries_of_another_tenant() {
    refused(
        |log| log.entries[11] = Stored::new("globex", 12),
        "entry 12 belongs to another tenant",
    );
    let mut log = honest();
    log.head.tenant = "globex".to_owned();
    expect(&log, &key_only(), "entry 1 belongs to another tenant");
}

#[test]
fn another_key_signs() {
    let other = SigningKey::new(key().public().name(), &[8; 32]).expect("a key");
    let mut log = honest();
    log.head.older.clear();
    log.head.checkpoint = log.checkpoint(SIZE).to_note();
    log.head.checkpoint.sign(&other);
    log.head.keys = vec![other.public().clone()];
    expect(
        &log,
        &key_only(),
        "the checkpoint of the bundle: no key that was given signed it",
    );
}
