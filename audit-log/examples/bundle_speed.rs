//! Measures bundles: `cargo run --release -p loopiq-audit-log --example bundle_speed [ENTRIES] [FILE]` writes a bundle (to the file, for
//! `verify.py` to be measured on), verifies it with and without contents, and prints entries a second and the most memory.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that measures and prints"
)]

use loopiq_audit_log::bundle::{self, BundleEntry, BundleHead, BundleWriter, Trust};
use loopiq_audit_log::{Checkpoint, Hash, Leaf, SigningKey, Tree, canonical, content_hash, hex};
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Instant;

const ORIGIN: &str = "loopiq.example/audit/acme";

/// Calls `with` with each entry of a log: its leaf hash and content have the size of a decision's.
fn entries(
    count: i64,
    mut with: impl FnMut(&BundleEntry<'_>) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    for seq in 1..=count {
        let digest = Hash::of(&seq.to_be_bytes());
        let person = serde_json::json!({ "kind": "person", "name": format!("Reviewer {}", seq % 50), "email": "reviewer@acme.example" });
        let content = canonical(&serde_json::json!({
            "actor": person, "reason": "Geprüft: 承認されました, the evidence is fresh and the owner agreed.", "digest": digest,
            "policy": { "name": "default", "version": 3 }, "checks": ["evidence", "authority", "reference", "text-safety"],
            "references": [format!("REL-{}", seq % 100), format!("CTL-{}", seq % 400), format!("FND-{seq}")], "requestId": hex(&digest.0[..16]),
        }))?;
        let salt = hex(&digest.0[16..]);
        let (action, hash) = (format!("A-{}", seq / 4), content_hash(&salt, &content).to_string());
        let leaf = Leaf {
            version: 1,
            tenant: "acme",
            seq,
            at: 1_790_000_000_000_000 + seq * 1_000_003,
            event: "action.approved",
            action_id: Some(&action),
            content_hash: &hash,
        };
        let leaf_hash = leaf.hash()?.to_string();
        with(&BundleEntry {
            leaf: &leaf,
            leaf_hash: &leaf_hash,
            content: Some((&salt, &content)),
        })?;
    }
    Ok(())
}

/// The most memory of this process so far, where the system tells.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |line| line.trim().to_owned())
}

fn rate(what: &str, count: i64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0}/s ({seconds:.2} s), most memory so far {}",
        count as f64 / seconds,
        most_memory()
    );
}

fn write(path: &Path, head: &BundleHead, count: i64) -> Result<(), Box<dyn Error>> {
    let mut writer = BundleWriter::new(BufWriter::new(File::create(path)?), head)?;
    entries(count, |entry| Ok(writer.entry(entry)?))?;
    let (_, written) = writer.finish()?;
    println!("{} bytes, {}", written.bytes, written.digest);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let count: i64 = args.next().unwrap_or("1000000".to_owned()).parse()?;
    let kept = args.next().map(PathBuf::from);
    let path = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("loopiq-{}.tar", std::process::id())));
    let key = SigningKey::new(ORIGIN, &[7; 32])?;

    let mut tree = Tree::default();
    let start = Instant::now();
    entries(count, |entry| {
        tree.push(entry.leaf_hash.parse()?, |_, _| {});
        Ok(())
    })?;
    rate("entries made", count, start);
    let mut checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
    }
    .to_note();
    checkpoint.sign(&key);
    let mut head = BundleHead {
        tenant: "acme".to_owned(),
        contents: false,
        keys: vec![key.public().clone()],
        witnesses: Vec::new(),
        checkpoint,
        older: Vec::new(),
        created: 1_790_000_000,
    };
    let trust = Trust {
        keys: head.keys.clone(),
        ..Trust::default()
    };
    for (contents, what) in [(false, "leaves verified"), (true, "entries with contents verified")] {
        head.contents = contents;
        let start = Instant::now();
        write(&path, &head, count)?;
        rate("entries made and written", count, start);
        let start = Instant::now();
        bundle::verify(BufReader::new(File::open(&path)?), &trust, |_, _| {})?;
        rate(what, count, start);
    }
    match kept {
        Some(path) => std::fs::write(path.with_extension("key"), key.public().to_string())?,
        None => std::fs::remove_file(path)?,
    }
    Ok(())
}
