//! The format of the audit log, without I/O: the service writes and checks it with this crate, `loopiq audit verify` checks exports with it,
//! and the entry page checks proofs with it in the auditor's browser.
//!
//! A log is a sequence of entries, numbered from 1. Each entry has a *leaf* ([`Leaf`]), which contains the hash of the entry's content. The
//! leaves form a Merkle tree ([`Tree`], RFC 6962 and RFC 9162, SHA-256). A *checkpoint* ([`Checkpoint`]) names the size and the root hash of
//! the tree. It is signed as a note ([`Note`], C2SP signed-note and tlog-checkpoint). An *inclusion proof* shows that an entry is in the tree of
//! a checkpoint, and a *consistency proof* that the tree of an older checkpoint is the beginning of the tree of a newer one. A *bundle*
//! ([`bundle`]) is a log in one file, which anybody can verify.

pub mod bundle;
mod checkpoint;
mod hash;
mod keys;
mod leaf;
mod note;
mod proof;
mod tree;

pub use checkpoint::{Checkpoint, NotACheckpoint};
pub use hash::{Hash, NotAHash, hex};
pub use keys::{Cosigner, NotAKey, PublicKey, SigningKey};
pub use leaf::{Leaf, NotCanonical, canonical, content_hash};
pub use note::{Note, NoteError, Signature};
pub use proof::{ConsistencyProof, InclusionProof, NotProved, Subtree};
pub use tree::{Node, Tree, root_of};
