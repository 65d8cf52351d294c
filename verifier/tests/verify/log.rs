//! A log in memory, and what the server's API says about it.

use loopiq_audit_log::{
    Checkpoint, ConsistencyProof, Hash, InclusionProof, Leaf, SigningKey, Subtree, Tree, content_hash,
};
use serde_json::{Value, json};

pub(crate) const TENANT: &str = "acme";
const SALT: &str = "00112233445566778899aabbccddeeff";

pub(crate) struct Log {
    pub(crate) leaves: Vec<(String, String)>,
    pub(crate) keys: Vec<SigningKey>,
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::new("loopiq.example/audit", &[seed; 32]).expect("a key")
}

impl Log {
    pub(crate) fn of(size: u64) -> Self {
        let mut log = Self {
            leaves: Vec::new(),
            keys: vec![key(1)],
        };
        for n in 1..=size {
            log.push("action.proposed", &json!({ "note": format!("entry {n}") }));
        }
        log
    }

    pub(crate) fn push(&mut self, event: &str, content: &Value) {
        let content = content.to_string();
        let leaf = Leaf {
            version: 1,
            tenant: TENANT,
            seq: self.leaves.len() as i64 + 1,
            at: 1_700_000_000_000_000,
            event,
            action_id: None,
            content_hash: &content_hash(SALT, &content).to_string(),
        };
        self.leaves.push((leaf.bytes().expect("a leaf"), content));
    }

    /// Signs with this key from now on, and announces it.
    pub(crate) fn rotate(&mut self, new: SigningKey) -> u64 {
        let details = json!({ "oldKey": self.keys[0].public().to_string(), "newKey": new.public().to_string() });
        self.push("audit.key_rotated", &json!({ "details": details }));
        self.keys.insert(0, new);
        self.size()
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn root(&self, range: Subtree) -> Hash {
        let mut tree = Tree::default();
        for (leaf, _) in &self.leaves[range.first as usize..range.end as usize] {
            tree.push(Hash::of_leaf(leaf.as_bytes()), |_, _| ());
        }
        tree.root()
    }

    fn hashes(&self, subtrees: Option<Vec<Subtree>>) -> Vec<Hash> {
        let subtrees = subtrees.expect("sizes of this log");
        subtrees.into_iter().map(|part| self.root(part)).collect()
    }

    /// The signed note of the first `size` entries.
    pub(crate) fn checkpoint(&self, size: u64) -> String {
        let checkpoint = Checkpoint {
            origin: format!("loopiq.example/audit/{TENANT}"),
            size,
            root: self.root(Subtree { first: 0, end: size }),
        };
        let mut note = checkpoint.to_note();
        note.sign(&self.keys[0]);
        note.to_string()
    }

    pub(crate) fn public(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.public().to_string()).collect()
    }

    /// The response about an entry. `size`: the checkpoint that covers it.
    pub(crate) fn proof(&self, seq: u64, size: Option<u64>) -> Value {
        let (leaf, content) = &self.leaves[seq as usize - 1];
        let inclusion = size.map(|size| InclusionProof {
            seq,
            size,
            hashes: self.hashes(InclusionProof::subtrees(seq, size)),
        });
        json!({
            "leaf": leaf, "salt": SALT, "content": content, "inclusion": inclusion,
            "checkpoint": size.map(|size| self.checkpoint(size)), "keys": self.public(),
        })
    }

    /// What the page of an entry shows.
    pub(crate) fn shown(&self, seq: u64) -> Value {
        let (leaf, content) = &self.leaves[seq as usize - 1];
        let content: Value = serde_json::from_str(content).expect("JSON");
        let fields: Value = serde_json::from_str(leaf).expect("JSON");
        json!({
            "tenant": TENANT, "seq": seq, "event": fields["event"], "leafHash": Hash::of_leaf(leaf.as_bytes()),
            "content": serde_json::to_string_pretty(&content).expect("JSON"),
        })
    }

    pub(crate) fn consistency(&self, old: u64, size: u64) -> String {
        let hashes = self.hashes(ConsistencyProof::subtrees(old, size));
        let proof = ConsistencyProof {
            old_size: old,
            size,
            hashes,
        };
        serde_json::to_string(&proof).expect("JSON")
    }
}
