//! Whether an entry is in the signed log, and whether the page shows that entry.

use crate::json::Json;
use crate::path;
use crate::report::{Step, Steps, Verdict, Writer, entries};
use loopiq::domain::text::visible;
use loopiq_audit_log::{Checkpoint, Hash, InclusionProof, Note, PublicKey, content_hash};

/// The proof of an entry, as `/api/v1/audit/{seq}/proof` responds with it.
pub(crate) struct Proof {
    leaf: String,
    salt: String,
    pub(crate) content: String,
    inclusion: Option<InclusionProof>,
    checkpoint: Option<String>,
    keys: Keys,
}

/// Public keys with their texts, as the server wrote them: to write them again would need more code.
pub(crate) struct Keys {
    keys: Vec<PublicKey>,
    texts: Vec<String>,
}

/// The fields of a leaf that are compared.
pub(crate) struct LeafFields {
    pub(crate) tenant: String,
    pub(crate) seq: u64,
    pub(crate) event: String,
    content_hash: String,
}

impl Proof {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let json = Json::read(text)?;
        let inclusion = match json.some("inclusion") {
            Some(inclusion) => Some(InclusionProof {
                seq: inclusion.number("seq")?,
                size: inclusion.number("size")?,
                hashes: hashes(inclusion)?,
            }),
            None => None,
        };
        let checkpoint = match json.some("checkpoint") {
            Some(_) => Some(json.text("checkpoint")?.to_owned()),
            None => None,
        };
        Some(Self {
            leaf: json.text("leaf")?.to_owned(),
            salt: json.text("salt")?.to_owned(),
            content: json.text("content")?.to_owned(),
            inclusion,
            checkpoint,
            keys: Keys::read(&json)?,
        })
    }
}

/// The field `hashes` of a proof.
pub(crate) fn hashes(proof: &Json) -> Option<Vec<Hash>> {
    let texts = proof.texts("hashes")?;
    texts.into_iter().map(|text| text.parse().ok()).collect()
}

impl Keys {
    /// The keys in the field `keys` that can be read. A checkpoint that is signed by another key is refused anyway.
    pub(crate) fn read(json: &Json) -> Option<Self> {
        let mut read = Self {
            keys: Vec::new(),
            texts: Vec::new(),
        };
        for text in json.texts("keys")? {
            if let Ok(key) = text.parse() {
                read.keys.push(key);
                read.texts.push(text.to_owned());
            }
        }
        Some(read)
    }

    /// The key that signed the note, with its text.
    fn signer(&self, note: &Note) -> Option<(&PublicKey, &str)> {
        let key = note.verify(&self.keys).ok()?;
        let index = self.keys.iter().position(|one| one == key)?;
        Some((key, self.texts.get(index)?))
    }
}

impl LeafFields {
    /// Reads a leaf of version 1.
    fn read(leaf: &str) -> Option<Self> {
        let json = Json::read(leaf)?;
        (json.number("version")? == 1).then_some(())?;
        Some(Self {
            tenant: json.text("tenant")?.to_owned(),
            seq: json.number("seq")?,
            event: json.text("event")?.to_owned(),
            content_hash: json.text("contentHash")?.to_owned(),
        })
    }
}

/// The report on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryReport {
    /// The outcome.
    pub verdict: Verdict,
    /// The outcome as a sentence.
    pub headline: String,
    /// Every step, in order.
    pub steps: Vec<Step>,
}

impl EntryReport {
    /// The report as JSON.
    pub fn to_json(&self) -> String {
        Writer::new(self.verdict, &self.headline, &self.steps).finish()
    }
}

/// Verifies an entry. `proof` is the response of the server, and `shown` is what the page shows, as JSON: `tenant`, `seq`, `event`, `leafHash`,
/// `content`.
pub fn entry(proof: &str, shown: &str) -> EntryReport {
    let mut steps = Steps::default();
    // The number of entries of the checkpoint, if there is one.
    let mut signed = 0;
    match (Proof::read(proof), Json::read(shown)) {
        (Some(proof), Some(shown)) => {
            signed = proof.inclusion.as_ref().map_or(0, |inclusion| inclusion.size);
            let leaf = proved(&proof, &mut steps);
            compare_with_page(&proof, leaf.as_ref(), &shown, &mut steps);
        }
        (None, _) => steps.fail("proof", "The server's response is not a proof."),
        (_, None) => steps.fail("page", "The page does not show an entry that could be compared."),
    }
    let (verdict, headline) = match steps.failed() {
        Some(step) if step.name == "page" => (
            Verdict::Failed,
            format!("This page does NOT show the entry of the signed log: {}", step.says),
        ),
        Some(step) => (
            Verdict::Failed,
            format!("This entry is NOT in the signed log: {}", step.says),
        ),
        None if signed > 0 => (
            Verdict::Verified,
            format!(
                "Verified in your browser: this entry is in the signed log of {}.",
                entries(signed)
            ),
        ),
        None => (
            Verdict::NotSignedYet,
            "Not signed yet: the content fits its hash, and the next checkpoint will cover the entry.".to_owned(),
        ),
    };
    EntryReport {
        verdict,
        headline,
        steps: steps.0,
    }
}

/// Adds the steps from the content to the signature. Returns the leaf if it can be read.
pub(crate) fn proved(proof: &Proof, steps: &mut Steps) -> Option<LeafFields> {
    let Some(leaf) = LeafFields::read(&proof.leaf) else {
        steps.fail("leaf", "The leaf is not one of version 1.");
        return None;
    };
    let hash = content_hash(&proof.salt, &proof.content).to_string();
    steps.check(
        "content",
        hash == leaf.content_hash,
        "The content, with its salt, has the hash that the leaf contains.",
        "The content was changed: with its salt, it has another hash than the leaf contains.",
    );
    steps.about(hash);
    let leaf_hash = Hash::of_leaf(proof.leaf.as_bytes());
    steps.pass("leaf", &format!("The leaf of entry {} has this hash.", leaf.seq));
    steps.about(leaf_hash.to_string());
    match (&proof.inclusion, &proof.checkpoint) {
        (Some(inclusion), Some(note)) => included(proof, inclusion, note, &leaf, leaf_hash, steps),
        (None, None) => {}
        _ => steps.fail(
            "path",
            "The server sent a path without a checkpoint, or a checkpoint without a path.",
        ),
    }
    Some(leaf)
}

/// Adds the steps from the hash of the leaf to the signature.
fn included(
    proof: &Proof,
    inclusion: &InclusionProof,
    note: &str,
    leaf: &LeafFields,
    leaf_hash: Hash,
    steps: &mut Steps,
) {
    let levels = path::levels(inclusion, leaf_hash).filter(|_| inclusion.seq == leaf.seq);
    let Some(levels) = levels else {
        return steps.fail("path", "The hashes of the proof do not form a path from this leaf.");
    };
    let root = levels.last().map_or(leaf_hash, |level| level.result);
    let count = levels.len();
    let size = entries(inclusion.size);
    steps.pass(
        "path",
        &match count {
            1 => format!("1 hash of the proof leads from the leaf to the root of {size}."),
            _ => format!("{count} hashes of the proof lead from the leaf to the root of {size}."),
        },
    );
    if let Some(last) = steps.0.last_mut() {
        last.levels = levels;
    }
    let Some((signed, checkpoint)) = read_note(note) else {
        return steps.fail("root", "The server's checkpoint cannot be read.");
    };
    steps.check(
        "root",
        checkpoint.root == root && checkpoint.size == inclusion.size,
        "The path ends at the root hash that the checkpoint contains.",
        "The path does not end at the root hash of the checkpoint. Entries were changed after the log was signed.",
    );
    steps.about(root.to_string());
    signature(&signed, &checkpoint, &proof.keys, &leaf.tenant, steps);
}

/// Adds the steps about a checkpoint by itself: whose log it is, and who signed it. Returns the key with its text.
pub(crate) fn signature<'k>(
    note: &Note,
    checkpoint: &Checkpoint,
    keys: &'k Keys,
    tenant: &str,
    steps: &mut Steps,
) -> Option<(&'k PublicKey, &'k str)> {
    let Some((key, text)) = keys.signer(note) else {
        steps.fail(
            "signature",
            "No key of the log signed the checkpoint, or the signature does not fit it.",
        );
        return None;
    };
    steps.pass(
        "signature",
        &format!("The checkpoint of {} is signed by this key.", entries(checkpoint.size)),
    );
    steps.about(text.to_owned());
    let origin = format!("{}/{tenant}", key.name());
    steps.check(
        "origin",
        checkpoint.origin == origin,
        &format!("The checkpoint is about the log {origin}."),
        "The checkpoint is about another log.",
    );
    Some((key, text))
}

/// A signed note that contains a checkpoint.
pub(crate) fn read_note(note: &str) -> Option<(Note, Checkpoint)> {
    let note: Note = note.parse().ok()?;
    let checkpoint = note.text.parse().ok()?;
    Some((note, checkpoint))
}

/// Adds the step that compares the proved entry with the page.
fn compare_with_page(proof: &Proof, leaf: Option<&LeafFields>, shown: &Json, steps: &mut Steps) {
    let Some(leaf) = leaf else { return };
    let hash = Hash::of_leaf(proof.leaf.as_bytes()).to_string();
    let content = without_spaces(shown.text("content").unwrap_or_default());
    let is_same = shown.number("seq") == Some(leaf.seq)
        && shown.text("tenant") == Some(&leaf.tenant)
        && shown.text("event") == Some(&leaf.event)
        && shown.text("leafHash") == Some(&hash)
        && content == without_spaces(&visible(&proof.content));
    steps.check(
        "page",
        is_same,
        "The page shows this entry: its number, event, leaf hash and content.",
        "Its number, event, leaf hash or content differs from the proof.",
    );
}

/// The text without the white space that a page adds to JSON so that people can read it.
fn without_spaces(text: &str) -> String {
    text.chars().filter(|char| !char.is_ascii_whitespace()).collect()
}
