//! Whether today's log continues the one that this browser saw before: the same log, signed by the same key or an announced one, and with the
//! earlier entries unchanged.

use crate::entry::{Keys, Proof, hashes, proved, read_note, signature};
use crate::json::Json;
use crate::report::{Step, Steps, Verdict, Writer, entries};
use loopiq_audit_log::{Checkpoint, ConsistencyProof, PublicKey};

/// The event of an entry that announces a new key.
const KEY_ROTATED: &str = "audit.key_rotated";

/// What is compared.
struct Request<'a> {
    /// The ID of the tenant that owns the log.
    tenant: &'a str,
    /// What this browser has seen. `None` on its first visit.
    seen: Option<Seen<'a>>,
    /// The signed note of today's checkpoint.
    now: &'a str,
    /// The public keys of the log, according to the server.
    keys: Keys,
    /// The response of `/api/v1/audit/consistency`, if the log has grown.
    consistency: Option<&'a str>,
    /// Proofs of the entries about new keys, if the key has changed.
    rotations: Vec<&'a str>,
}

/// What this browser has seen.
struct Seen<'a> {
    /// The signed note.
    checkpoint: &'a str,
    /// The key that signed it.
    key: &'a str,
}

impl<'a> Request<'a> {
    fn read(json: &'a Json) -> Option<Self> {
        let seen = match json.some("seen") {
            Some(seen) => Some(Seen {
                checkpoint: seen.text("checkpoint")?,
                key: seen.text("key")?,
            }),
            None => None,
        };
        Some(Self {
            tenant: json.text("tenant")?,
            seen,
            now: json.text("now")?,
            keys: Keys::read(json)?,
            consistency: json.text("consistency"),
            rotations: json.texts("rotations").unwrap_or_default(),
        })
    }
}

/// The report on the growth of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowthReport {
    /// The outcome.
    pub verdict: Verdict,
    /// What is wrong, as a sentence. Empty if nothing is.
    pub headline: String,
    /// Every step, in order.
    pub steps: Vec<Step>,
    /// The number of entries of today's checkpoint.
    pub size: u64,
    /// The number of entries of the checkpoint that this browser has seen.
    pub seen_size: Option<u64>,
    /// The key that signed today's checkpoint.
    pub key: Option<String>,
    /// Whether this browser has not seen this key.
    pub new_key: bool,
    /// The entry that announces the key, if this browser has not seen it.
    pub announced_by: Option<u64>,
}

impl GrowthReport {
    /// The report as JSON.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::new(self.verdict, &self.headline, &self.steps);
        writer.number("size", Some(self.size));
        writer.number("seenSize", self.seen_size);
        match &self.key {
            Some(key) => writer.text("key", key),
            None => writer.raw("key", "null"),
        }
        writer.raw("newKey", if self.new_key { "true" } else { "false" });
        writer.number("announcedBy", self.announced_by);
        writer.finish()
    }
}

/// Verifies the growth of a log. `request` is JSON: `tenant`, `seen` (`checkpoint` and `key`, or null), `now`, `keys`, `consistency`,
/// `rotations`.
pub fn growth(request: &str) -> GrowthReport {
    let mut steps = Steps::default();
    let mut report = GrowthReport {
        verdict: Verdict::Failed,
        headline: String::new(),
        steps: Vec::new(),
        size: 0,
        seen_size: None,
        key: None,
        new_key: false,
        announced_by: None,
    };
    let json = Json::read(request);
    match json.as_ref().and_then(Request::read) {
        Some(request) => compare(&request, &mut report, &mut steps),
        None => steps.fail("request", "What was to be compared cannot be read."),
    }
    match steps.failed() {
        Some(step) => report.headline.clone_from(&step.says),
        None => report.verdict = Verdict::Verified,
    }
    report.steps = steps.0;
    report
}

fn compare(request: &Request<'_>, report: &mut GrowthReport, steps: &mut Steps) {
    let Some((note, now)) = read_note(request.now) else {
        return steps.fail("checkpoint", "The server's checkpoint cannot be read.");
    };
    report.size = now.size;
    let Some((key, text)) = signature(&note, &now, &request.keys, request.tenant, steps) else {
        return;
    };
    report.key = Some(text.to_owned());
    let Some(seen) = &request.seen else { return };
    let Some((seen_note, before)) = read_note(seen.checkpoint) else {
        return steps.fail("seen", "What this browser remembers of the log cannot be read.");
    };
    report.seen_size = Some(before.size);
    let seen_key = seen.key.parse::<PublicKey>().ok();
    let seen_key = seen_key.filter(|key| seen_note.verify(std::slice::from_ref(key)).is_ok());
    let Some(seen_key) = seen_key else {
        return steps.fail(
            "seen",
            "The checkpoint that this browser remembers is not signed by the key that it remembers.",
        );
    };
    if seen_key == *key {
        steps.pass("key", "It is the key that this browser has seen before.");
    } else {
        report.new_key = true;
        report.announced_by = announcement(request, &seen_key, key);
        match report.announced_by {
            Some(seq) => steps.pass("key", &format!("The key is new. Entry {seq} of the log announces it.")),
            None => steps.fail(
                "key",
                "The log is signed with a key that this browser has never seen, and no entry of the log announces it.",
            ),
        }
    }
    if before.origin != now.origin {
        return steps.fail("log", "This browser has seen a log with another name.");
    }
    continues(request, &before, &now, steps);
}

/// Adds the step that compares the trees.
fn continues(request: &Request<'_>, before: &Checkpoint, now: &Checkpoint, steps: &mut Steps) {
    let (old, new) = (entries(before.size), entries(now.size));
    if now.size < before.size {
        return steps.fail(
            "growth",
            &format!("The log is shorter: it has {new} today, and had {old}. Entries were removed."),
        );
    }
    if now.size == before.size {
        steps.check(
            "growth",
            now.root == before.root,
            &format!("It still has the same {old}."),
            &format!("There are two different signed logs of {old}. History was rewritten."),
        );
        return;
    }
    if before.size == 0 {
        return steps.pass("growth", &format!("It was empty, and has {new} today."));
    }
    let Some(proof) = request.consistency.and_then(read_consistency) else {
        return steps.fail("growth", "The server did not prove that the log continues.");
    };
    let is_proved =
        (proof.old_size, proof.size) == (before.size, now.size) && proof.verify(&before.root, &now.root).is_ok();
    steps.check(
        "growth",
        is_proved,
        &format!("The first {old} of {new} are those that this browser has seen."),
        &format!("The first {old} are not those that this browser has seen. History was rewritten."),
    );
}

fn read_consistency(text: &str) -> Option<ConsistencyProof> {
    let json = Json::read(text)?;
    Some(ConsistencyProof {
        old_size: json.number("oldSize")?,
        size: json.number("size")?,
        hashes: hashes(&json)?,
    })
}

/// A proved entry that announces a key.
struct Rotation {
    seq: u64,
    old_key: PublicKey,
    new_key: PublicKey,
}

/// The last of the entries that announce the key: a chain of proved entries, each of which replaces the key of the one before.
fn announcement(request: &Request<'_>, seen: &PublicKey, key: &PublicKey) -> Option<u64> {
    let read = |text: &&str| rotation(text, request.tenant);
    let rotations: Vec<Rotation> = request.rotations.iter().filter_map(read).collect();
    let (mut current, mut after) = (seen, 0);
    // Each step of the chain is a later entry than the one before, so that the chain ends.
    while let Some(next) = rotations.iter().find(|one| one.old_key == *current && one.seq > after) {
        if next.new_key == *key {
            return Some(next.seq);
        }
        (current, after) = (&next.new_key, next.seq);
    }
    None
}

/// Reads the proof of an entry about a new key. `None` if it is not in the signed log of the tenant.
fn rotation(text: &str, tenant: &str) -> Option<Rotation> {
    let proof = Proof::read(text)?;
    let mut steps = Steps::default();
    let leaf = proved(&proof, &mut steps)?;
    let is_signed = steps.failed().is_none() && steps.0.iter().any(|step| step.name == "signature");
    (is_signed && leaf.event == KEY_ROTATED && leaf.tenant == tenant).then_some(())?;
    let content = Json::read(&proof.content)?;
    let details = content.get("details")?;
    Some(Rotation {
        seq: leaf.seq,
        old_key: details.text("oldKey")?.parse().ok()?,
        new_key: details.text("newKey")?.parse().ok()?,
    })
}
