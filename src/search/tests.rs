mod damage;
mod meaning;

use super::*;
use crate::audit::Terms;
use crate::domain::query::Text;
use crate::domain::{Term, TermField, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn position(seq: i64) -> LogPosition {
    LogPosition {
        seq,
        leaf_hash: if seq == 0 { String::new() } else { format!("hash-{seq}") },
    }
}

fn document(of: &TenantId, seq: i64, words: &[&str]) -> Document {
    let words = words.iter().zip((0..).step_by(2));
    let terms = Terms {
        values: Vec::new(),
        words: words.map(|(word, at)| (at, (*word).to_owned())).collect(),
    };
    Document::new(of, seq, Timestamp(seq * 10), &terms)
}

fn query(words: &[&str]) -> Expr {
    Expr::And(
        words
            .iter()
            .map(|word| Expr::Text(Text::new(word).expect("a word")))
            .collect(),
    )
}

fn find(index: &AuditIndex, of: &TenantId, words: &[&str]) -> Vec<i64> {
    index.search(of, &query(words), (0, i64::MAX), 1_000).unwrap().unwrap()
}

/// The word of one entry. Words differ from their first letters on, so that the compression of the files leaves their ends as they are.
fn own(seq: i64) -> String {
    crate::domain::canonical::sha256_hex(&seq.to_be_bytes())[..20].to_owned()
}

/// Adds entries with the word `entry` and a word of their own.
fn fill(index: &AuditIndex, of: &TenantId, seqs: std::ops::RangeInclusive<i64>) {
    index.open().unwrap();
    for seq in seqs {
        let added = index.add(
            of,
            &position(seq - 1),
            vec![document(of, seq, &["entry", &own(seq)])],
            position(seq),
        );
        assert!(added, "{seq}");
        if index.is_due() {
            index.store().unwrap();
        }
    }
}

/// An index in a folder with 40 entries of acme, 32 of them stored, and 5 of globex.
fn filled() -> (TempDir, AuditIndex) {
    let temp = tempfile::tempdir().unwrap();
    let index = in_folder(&temp);
    fill(&index, &tenant("acme"), 1..=32);
    fill(&index, &tenant("globex"), 1..=5);
    fill(&index, &tenant("acme"), 33..=40);
    (temp, index)
}

fn in_folder(temp: &TempDir) -> AuditIndex {
    AuditIndex::in_folder(&temp.path().join("search")).with_batches_of(8)
}

fn files(temp: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(temp.path().join("search/1")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name != "lock"));
    files.sort();
    files
}

/// A source of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn an_index_in_files_goes_on_where_it_ended() {
    let (temp, index) = filled();
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let expected: Vec<i64> = (1..=40).rev().collect();
    assert_eq!(find(&index, &acme, &["entry"]), expected);
    assert_eq!(find(&index, &globex, &["entry"]), [5, 4, 3, 2, 1]);
    assert_eq!(index.end(&acme), position(40));
    let stored = index.size().entries;
    drop(index);
    let index = in_folder(&temp);
    assert!(!index.is_open());
    index.open().unwrap();
    assert_eq!(index.size().entries, stored);
    let end = index.end(&acme).seq;
    assert!((32..40).contains(&end), "{end}: what waited in memory is added again");
    assert_eq!(find(&index, &acme, &[&own(32)]), [32]);
    fill(&index, &acme, end + 1..=40);
    assert_eq!(find(&index, &acme, &["entry"]), expected);
}

#[test]
fn documents_are_added_after_the_end_only() {
    let index = AuditIndex::in_memory();
    let acme = tenant("acme");
    let add = |after, seq| index.add(&acme, &after, vec![document(&acme, seq, &["entry"])], position(seq));
    assert!(!add(position(0), 1), "not open yet");
    index.open().unwrap();
    assert!(add(position(0), 1));
    assert!(!add(position(0), 1), "there already");
    assert!(!add(position(2), 3), "a gap");
    let other = LogPosition {
        leaf_hash: "another".to_owned(),
        ..position(1)
    };
    assert!(!add(other, 2), "another log");
    assert!(add(position(1), 2));
    assert_eq!(find(&index, &acme, &["entry"]), [2, 1]);
    let search = |to| index.search(&acme, &query(&["entry"]), (to, i64::MAX), 9).unwrap();
    assert_eq!(
        (search(2), search(3)),
        (Some(vec![2, 1]), None),
        "the index does not end there yet"
    );
}

#[test]
fn a_log_that_was_replaced_is_indexed_from_its_start() {
    for (temp, index) in [
        filled(),
        (tempfile::tempdir().unwrap(), AuditIndex::in_memory().with_batches_of(8)),
    ] {
        let acme = tenant("acme");
        if !index.is_open() {
            fill(&index, &acme, 1..=20);
        }
        index.clear().unwrap();
        index.open().unwrap();
        assert_eq!(index.end(&acme), position(0));
        assert!(find(&index, &acme, &["entry"]).is_empty());
        fill(&index, &acme, 1..=10);
        assert_eq!(find(&index, &acme, &["entry"]).len(), 10);
        drop(temp);
    }
}

#[test]
fn purged_content_leaves_memory_and_files() {
    let (temp, index) = filled();
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let holds = |seq: i64| {
        let word = own(seq);
        let end = &word.as_bytes()[10..];
        files(&temp).iter().any(|file| contains(&fs::read(file).unwrap(), end))
    };
    assert!(holds(3) && holds(20) && holds(21));
    // Entry 40 is in memory only. Entry 3 of globex stays.
    index.forget(&acme, &BTreeSet::from([3, 20, 40, 77])).unwrap();
    for seq in [20, 40] {
        assert!(find(&index, &acme, &[&own(seq)]).is_empty(), "{seq}");
        assert!(!holds(seq), "{seq}");
    }
    assert!(holds(21));
    assert!(find(&index, &acme, &[&own(3)]).is_empty());
    assert_eq!(find(&index, &globex, &[&own(3)]), [3]);
    let expected: Vec<i64> = (1..40).rev().filter(|seq| ![3, 20].contains(seq)).collect();
    assert_eq!(find(&index, &acme, &["entry"]), expected);
    assert_eq!(index.end(&acme), position(40));
    drop(index);
    let index = in_folder(&temp);
    index.open().unwrap();
    assert!(find(&index, &acme, &[&own(3)]).is_empty() && find(&index, &acme, &[&own(20)]).is_empty());
    assert_eq!(find(&index, &acme, &[&own(21)]), [21]);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn two_processes_with_one_folder_have_an_index_each() {
    let (temp, one) = filled();
    let two = in_folder(&temp);
    let acme = tenant("acme");
    fill(&two, &acme, 1..=20);
    assert_eq!(
        (find(&one, &acme, &["entry"]).len(), find(&two, &acme, &["entry"]).len()),
        (40, 20)
    );
    assert!(temp.path().join("search/2/meta.json").exists());
}

#[test]
fn every_document_is_found_once_while_others_are_stored() {
    let index = AuditIndex::in_memory().with_batches_of(4);
    let acme = tenant("acme");
    index.open().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for seq in 1..=300 {
                assert!(index.add(
                    &acme,
                    &position(seq - 1),
                    vec![document(&acme, seq, &["entry"])],
                    position(seq)
                ));
            }
            while index.is_due() {
                std::thread::yield_now();
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                index.store().unwrap();
            }
        });
        while !done.load(Ordering::SeqCst) {
            let least = index.end(&acme).seq;
            let found = find(&index, &acme, &["entry"]);
            let expected: Vec<i64> = (1..=found.len() as i64).rev().collect();
            assert_eq!(found, expected);
            assert!(found.len() as i64 >= least);
        }
    });
}

#[test]
fn very_long_terms_are_found() {
    let index = AuditIndex::in_memory().with_batches_of(1);
    let acme = tenant("acme");
    index.open().unwrap();
    let long = "w".repeat(200_000);
    let documents = vec![document(&acme, 1, &[&long]), document(&acme, 2, &[&format!("{long}x")])];
    assert!(index.add(&acme, &position(0), documents, position(2)));
    index.store().unwrap();
    assert_eq!(index.size().entries, 2);
    assert_eq!(find(&index, &acme, &[&long]), [1]);
}
