//! A log in memory, its checkpoints, and bundles of it.

use loopiq_audit_log::bundle::{BundleEntry, BundleHead, BundleWriter, Trust, Written};
use loopiq_audit_log::{Checkpoint, Hash, Leaf, Note, PublicKey, SigningKey, Tree, content_hash, hex};

pub(crate) const ORIGIN: &str = "loopiq.example/audit/acme";
pub(crate) const CREATED: u64 = 1_790_000_000;
/// When the witness saw a checkpoint.
const SEEN: u64 = 1_790_000_123;

/// The texts of contents: several scripts, combining characters, escapes, and what looks like the format itself.
const TEXTS: [&str; 8] = [
    "Freigabe für Köln – „geprüft“",
    "承認されました。株式会社",
    "تمت الموافقة على الإصدار",
    "Одобрено, всё ещё нужен отзыв",
    "आदेश स्वीकृत 👩\u{200d}🚀 e\u{301} 🇪🇺",
    "line\nbreak\ttab \"quotes\" \\ back \u{1} \u{7f} \u{2028}",
    "},\"leafHash\":\"sha256:00\",\"salt\":\"00\",\"content\":{}}",
    "אושר על ידי הצוות",
];

/// An entry as a database stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) tenant: String,
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) action: Option<String>,
    pub(crate) content_hash: String,
    pub(crate) leaf_hash: String,
    /// Salt and content.
    pub(crate) content: Option<(String, String)>,
}

impl Stored {
    /// An entry about a person's decision.
    pub(crate) fn new(tenant: &str, seq: i64) -> Self {
        let event = [
            "action.proposed",
            "action.viewed",
            "action.approved",
            "session.signed_in",
        ][seq as usize % 4];
        let content = serde_json::json!({
            "actor": { "kind": "person", "name": format!("Reviewer {seq}"), "email": "reviewer@acme.example" },
            "comment": TEXTS[seq as usize % TEXTS.len()],
            "details": { "digest": Hash::of(&seq.to_be_bytes()), "leaf": {}, "number": seq, "list": [1, -2.5, null, true] },
        });
        let content = loopiq_audit_log::canonical(&content).expect("JSON");
        let salt = hex(&Hash::of(format!("{tenant} {seq}").as_bytes()).0[..16]);
        let mut stored = Self {
            tenant: tenant.to_owned(),
            seq,
            at: 1_790_000_000_000_000 + seq * 1_000_007,
            event: event.to_owned(),
            action: (seq % 4 < 3).then(|| format!("A-{}", seq / 4)),
            content_hash: String::new(),
            leaf_hash: String::new(),
            content: Some((salt, content)),
        };
        stored.rehash();
        stored
    }

    pub(crate) fn leaf(&self) -> Leaf<'_> {
        Leaf {
            version: 1,
            tenant: &self.tenant,
            seq: self.seq,
            at: self.at,
            event: &self.event,
            action_id: self.action.as_deref(),
            content_hash: &self.content_hash,
        }
    }

    /// Computes both hashes again, to cover a change up.
    pub(crate) fn rehash(&mut self) {
        if let Some((salt, content)) = &self.content {
            self.content_hash = content_hash(salt, content).to_string();
        }
        self.leaf_hash = self.leaf().hash().expect("a leaf").to_string();
    }

    /// The content's text, to be changed.
    pub(crate) fn content_mut(&mut self) -> &mut String {
        &mut self.content.as_mut().expect("a content").1
    }
}

pub(crate) fn key() -> SigningKey {
    SigningKey::new(ORIGIN, &[7; 32]).expect("a key")
}

pub(crate) fn witness() -> SigningKey {
    SigningKey::new("witness.example/w1", &[9; 32]).expect("a key")
}

/// A log, and what its keeper signed.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Stored>,
    pub(crate) head: BundleHead,
}

impl Log {
    /// A log of `size` entries with a checkpoint, and older ones of the other sizes. The witness saw all but the newest.
    pub(crate) fn new(size: i64, older: &[usize]) -> Self {
        let entries: Vec<Stored> = (1..=size).map(|seq| Stored::new("acme", seq)).collect();
        let mut log = Self {
            head: BundleHead {
                tenant: "acme".to_owned(),
                contents: true,
                keys: vec![key().public().clone()],
                witnesses: vec![witness().cosigner()],
                checkpoint: Note::new(String::new()),
                older: Vec::new(),
                created: CREATED,
            },
            entries,
        };
        log.head.older = older.iter().map(|size| log.cosigned(*size)).collect();
        log.sign();
        log
    }

    /// The checkpoint of the first entries without a signature.
    pub(crate) fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut tree = Tree::default();
        for entry in &self.entries[..size] {
            tree.push(entry.leaf_hash.parse().expect("a hash"), |_, _| {});
        }
        let (origin, size, root) = (ORIGIN.to_owned(), tree.size(), tree.root());
        Checkpoint { origin, size, root }
    }

    /// The signed checkpoint of the first entries.
    pub(crate) fn signed(&self, size: usize) -> Note {
        let mut note = self.checkpoint(size).to_note();
        note.sign(&key());
        note
    }

    /// The same with the witness's signature.
    pub(crate) fn cosigned(&self, size: usize) -> Note {
        let mut note = self.signed(size);
        note.signatures.push(note.cosignature(&witness(), SEEN + size as u64));
        note
    }

    /// Signs the log as it is now, as only the holder of its key can.
    pub(crate) fn sign(&mut self) {
        self.head.checkpoint = self.signed(self.entries.len());
    }

    pub(crate) fn write(&self) -> (Vec<u8>, Written) {
        let mut writer = BundleWriter::new(Vec::new(), &self.head).expect("a bundle");
        for stored in &self.entries {
            let content = stored
                .content
                .as_ref()
                .map(|(salt, content)| (salt.as_str(), content.as_str()));
            let (leaf, leaf_hash) = (&stored.leaf(), stored.leaf_hash.as_str());
            writer
                .entry(&BundleEntry {
                    leaf,
                    leaf_hash,
                    content,
                })
                .expect("written");
        }
        writer.finish().expect("written")
    }

    pub(crate) fn bundle(&self) -> Vec<u8> {
        self.write().0
    }
}

/// The log's public key, and nothing else.
pub(crate) fn key_only() -> Trust {
    let keys: Vec<PublicKey> = vec![key().public().clone()];
    Trust {
        keys,
        ..Trust::default()
    }
}

/// The key, and a checkpoint that the verifier kept.
pub(crate) fn with_checkpoint(note: &Note) -> Trust {
    Trust {
        checkpoint: Some(note.to_string()),
        ..key_only()
    }
}

/// The key, and the witness.
pub(crate) fn with_witness() -> Trust {
    Trust {
        witnesses: vec![witness().cosigner()],
        ..key_only()
    }
}
