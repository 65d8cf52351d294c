//! The bundle: a tenant's whole log in one file, which anybody can verify with a public key, without the service and its database.
//!
//! A bundle is an uncompressed tar file with these files in this order, and no others:
//!
//! | file | what it contains |
//! |---|---|
//! | `README.txt` | instructions |
//! | `verify.py` | a verifier for Python without further packages |
//! | `manifest.json` | tenant, log, number of entries, whether contents are included |
//! | `keys.txt` | the public keys that signed the checkpoints of the bundle |
//! | `checkpoint.txt` | the signed checkpoint |
//! | `checkpoints/SIZE.txt` | older signed checkpoints, by ascending size |
//! | `entries/000001.jsonl` … | the entries, one a line, at most 4,096 in a file |
//!
//! The verifier computes the whole tree, so a bundle needs no proofs. Both sides are streams: they keep one file in memory.

mod content;
mod fault;
mod line;
mod manifest;
mod report;
mod roots;
mod tar;
mod trust;
mod verify;
mod write;

pub use fault::{CheckpointFault, CheckpointSource, EntryFault, Fault};
pub use line::BundleEntry;
pub use report::Report;
pub use trust::{NotKeys, Trust, Witnessed, read_keys};
pub use verify::verify;
pub use write::{BundleHead, BundleWriter, WriteError, Written};

/// The most older checkpoints of a bundle.
pub const MAX_OLDER: usize = 1_000;

/// The verifier for Python that a bundle contains.
pub const VERIFIER_TEXT: &str = include_str!("verify.py");
const README_TEXT: &str = include_str!("README.txt");

const README: &str = "README.txt";
const VERIFIER: &str = "verify.py";
const MANIFEST: &str = "manifest.json";
const KEYS: &str = "keys.txt";
const CHECKPOINT: &str = "checkpoint.txt";

/// The most bytes of a file that has no entries.
const MAX_TEXT: u64 = 64 << 10;
/// The most lines of a file of entries.
const MAX_CHUNK_LINES: usize = 4_096;
/// The most bytes of a file of entries (64 MiB).
const MAX_CHUNK_BYTES: u64 = 64 << 20;
/// The writer begins a new file after so many bytes (4 MiB).
const CHUNK_BYTES: usize = 4 << 20;

fn chunk_name(number: u64) -> String {
    format!("entries/{number:06}.jsonl")
}

fn older_name(size: u64) -> String {
    format!("checkpoints/{size}.txt")
}
