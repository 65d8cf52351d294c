//! Bundles of the audit log: whatever the bytes are, a bundle is accepted only with the entries of the log that was signed.

use loopiq_audit_log::bundle::{self, BundleEntry, BundleHead, BundleWriter, Report, Trust};
use loopiq_audit_log::{Checkpoint, Leaf, Note, SigningKey, Tree, content_hash};
use std::sync::LazyLock;

const ORIGIN: &str = "loopiq.example/audit/acme";

/// The log that was signed.
struct Honest {
    trust: Trust,
    /// Name and bytes of each file of its bundle.
    files: Vec<(String, Vec<u8>)>,
    report: Report,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let key = SigningKey::new(ORIGIN, &[7; 32]).expect("a key");
    let mut tree = Tree::default();
    let mut notes = Vec::new();
    let mut lines: Vec<(String, String, String)> = Vec::new();
    for seq in 1..=4 {
        let content = format!("{{\"comment\":\"承認 {seq}\",\"list\":[1,{{\"a\":null}}]}}");
        let content_hash = content_hash(SALT, &content).to_string();
        let leaf_hash = leaf(seq, &content_hash).hash().expect("a leaf");
        tree.push(leaf_hash, |_, _| {});
        lines.push((content, content_hash, leaf_hash.to_string()));
        notes.push(signed(&tree, &key));
    }
    let head = BundleHead {
        tenant: "acme".to_owned(),
        contents: true,
        keys: vec![key.public().clone()],
        witnesses: Vec::new(),
        checkpoint: notes.pop().expect("a checkpoint"),
        older: vec![notes.swap_remove(1)],
        created: 0,
    };
    let mut writer = BundleWriter::new(Vec::new(), &head).expect("a bundle");
    for (seq, (content, content_hash, leaf_hash)) in (1..).zip(&lines) {
        let leaf = &leaf(seq, content_hash);
        let content = Some((SALT, content.as_str()));
        writer
            .entry(&BundleEntry {
                leaf,
                leaf_hash,
                content,
            })
            .expect("an entry");
    }
    let (bundle, _) = writer.finish().expect("a bundle");
    let trust = Trust {
        keys: head.keys,
        ..Trust::default()
    };
    let report = bundle::verify(bundle.as_slice(), &trust, |_, _| {}).expect("the bundle is valid");
    let files = unpack(&bundle);
    assert!(pack(&files) == bundle);
    Honest { trust, files, report }
});

const SALT: &str = "00112233445566778899aabbccddeeff";

fn leaf(seq: i64, content_hash: &str) -> Leaf<'_> {
    Leaf {
        version: 1,
        tenant: "acme",
        seq,
        at: 1_790_000_000_000_000 + seq,
        event: "action.approved",
        action_id: (seq % 2 == 0).then_some("A-1"),
        content_hash,
    }
}

fn signed(tree: &Tree, key: &SigningKey) -> Note {
    let (origin, size, root) = (ORIGIN.to_owned(), tree.size(), tree.root());
    let mut note = Checkpoint { origin, size, root }.to_note();
    note.sign(key);
    note
}

fn unpack(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut at, mut files) = (0, Vec::new());
    while bundle[at] != 0 {
        let text =
            |from: usize, length: usize| String::from_utf8_lossy(&bundle[at + from..at + from + length]).into_owned();
        let size = usize::from_str_radix(&text(124, 11), 8).expect("a size");
        let name = text(0, 100).trim_end_matches('\0').to_owned();
        files.push((name, bundle[at + 512..at + 512 + size].to_vec()));
        at += 512 + size.next_multiple_of(512);
    }
    files
}

/// Packs files with correct headers, so that a mutation reaches what is behind them.
fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bundle = Vec::new();
    for (name, bytes) in files {
        let (mode, zero, size) = (0o644, 0, bytes.len());
        let text = format!("{name:\0<100}{mode:07o}\0{zero:07o}\0{zero:07o}\0{size:011o}\0{zero:011o}\0        0");
        let mut header = text.into_bytes();
        header.resize(257, 0);
        header.extend_from_slice(b"ustar\x0000");
        header.resize(329, 0);
        header.extend_from_slice(format!("{zero:07o}\0{zero:07o}\0").as_bytes());
        header.resize(512, 0);
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bundle.extend(header);
        bundle.extend_from_slice(bytes);
        bundle.resize(bundle.len().next_multiple_of(512), 0);
    }
    bundle.resize(bundle.len() + 1024, 0);
    bundle
}

/// The first byte selects the file that the rest replaces. Beyond the last file, the rest is the whole bundle.
pub(crate) fn hold(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let mut files = HONEST.files.clone();
    let replaced = files.get_mut(usize::from(*which));
    let bundle = match replaced {
        Some(file) => {
            file.1 = rest.to_vec();
            pack(&files)
        }
        None => rest.to_vec(),
    };
    let verify = || bundle::verify(bundle.as_slice(), &HONEST.trust, |done, size| assert!(done <= size));
    let outcome = verify();
    let text = |outcome: &Result<Report, bundle::Fault>| match outcome {
        Ok(report) => report.to_string(),
        Err(fault) => fault.to_string(),
    };
    assert_eq!(text(&outcome), text(&verify()), "two readings differ");
    match outcome {
        Ok(report) => accepted(&report, &unpack(&bundle)),
        Err(fault) => {
            let message = fault.to_string();
            assert!(
                message.len() < 1_000 && !message.chars().any(char::is_control),
                "{message:?}"
            );
        }
    }
}

/// Only contents can be left out, and only the instructions, the verifier and the list of keys can be others.
fn accepted(report: &Report, files: &[(String, Vec<u8>)]) {
    let honest = &HONEST.report;
    assert_eq!(
        (&report.tenant, &report.origin, &report.key, report.entries),
        (&honest.tenant, &honest.origin, &honest.key, honest.entries)
    );
    let entries = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        let of = files.iter().filter(|(name, _)| name.starts_with("entries/"));
        let text: Vec<u8> = of.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        String::from_utf8(text)
            .expect("text")
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (found, signed) = (entries(files), entries(&HONEST.files));
    assert_eq!(found.len(), signed.len());
    for (line, honest) in found.iter().zip(signed) {
        let purged = honest.split(",\"salt\":").next().map(|start| format!("{start}}}"));
        assert!(*line == honest || Some(line) == purged.as_ref(), "{line}");
    }
}
