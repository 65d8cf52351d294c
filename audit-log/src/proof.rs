//! Inclusion and consistency proofs (RFC 9162, sections 2.1.3 and 2.1.4). The crate `ct-merkle` says which hashes a proof consists of, and
//! checks proofs.

use crate::{Hash, Node};
use ct_merkle::{
    ConsistencyProof as CtConsistency, InclusionProof as CtInclusion, RootHash, indices_for_consistency_proof,
    indices_for_inclusion_proof,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The most leaves of a tree: beyond 2^53, numbers are not exact in JSON.
const MAX_SIZE: u64 = 1 << 53;

/// The leaves `first..end`, which have a common parent in the tree of a proof. Their hash is one of the proof's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// The first leaf, from 0.
    pub first: u64,
    /// One more than the last leaf.
    pub end: u64,
}

impl Subtree {
    /// The subtree with this number in `ct-merkle`'s numbering of the nodes of a tree of `size` leaves (RFC 9420, appendix C).
    fn numbered(number: u64, size: u64) -> Self {
        let level = number.trailing_ones();
        let first = (number >> (level + 1)) << level;
        Self {
            first,
            end: (first + (1 << level)).min(size),
        }
    }

    /// The complete subtrees that it consists of, from left to right.
    pub fn nodes(self) -> Vec<Node> {
        Node::covering(self.first, self.end)
    }
}

/// Shows that an entry is in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// The entry's number in the log, from 1. Its leaf index is one less.
    pub seq: u64,
    /// The number of leaves of the tree.
    pub size: u64,
    /// The hashes of the siblings, from the leaf to the root.
    pub hashes: Vec<Hash>,
}

/// Shows that a tree is the beginning of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProof {
    /// The number of leaves of the older tree.
    pub old_size: u64,
    /// The number of leaves of the newer tree.
    pub size: u64,
    /// The hashes in the order of RFC 9162, section 2.1.4.
    pub hashes: Vec<Hash>,
}

/// A proof that does not show what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    /// The numbers of the proof contradict each other.
    #[error("a tree of {size} entries has no entry {seq}")]
    Impossible {
        /// The entry, or the size of the older tree.
        seq: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The hashes do not lead to the root.
    #[error("the hashes of the proof do not lead to the root hash")]
    OtherRoot,
}

impl InclusionProof {
    /// The subtrees whose hashes are the proof that entry `seq` (from 1) is in the tree of `size` leaves. `None` if there is no such entry.
    pub fn subtrees(seq: u64, size: u64) -> Option<Vec<Subtree>> {
        let possible = seq >= 1 && seq <= size && size <= MAX_SIZE;
        possible.then(|| {
            let numbers = indices_for_inclusion_proof(size, seq - 1).into_iter();
            numbers.map(|number| Subtree::numbered(number, size)).collect()
        })
    }

    /// Checks that the leaf with these bytes is in the tree with this root.
    ///
    /// # Errors
    /// It is not, by this proof.
    pub fn verify(&self, leaf: &[u8], root: &Hash) -> Result<(), NotProved> {
        let (seq, size) = (self.seq, self.size);
        if Self::subtrees(seq, size).is_none() {
            return Err(NotProved::Impossible { seq, size });
        }
        let proof = CtInclusion::<Sha256>::from_bytes(joined(&self.hashes));
        RootHash::<Sha256>::new(root.0.into(), size)
            .verify_inclusion(&leaf, seq - 1, &proof)
            .map_err(|_| NotProved::OtherRoot)
    }
}

impl ConsistencyProof {
    /// The subtrees whose hashes are the proof that the tree of `old` leaves is the beginning of the tree of `size` leaves. `None` if the
    /// older tree is larger, or empty.
    pub fn subtrees(old: u64, size: u64) -> Option<Vec<Subtree>> {
        let possible = old >= 1 && old <= size && size <= MAX_SIZE;
        possible.then(|| {
            let numbers = indices_for_consistency_proof(old, size - old).into_iter();
            numbers.map(|number| Subtree::numbered(number, size)).collect()
        })
    }

    /// Checks that the tree with root `old_root` is the beginning of the tree with root `root`.
    ///
    /// # Errors
    /// It is not, by this proof.
    pub fn verify(&self, old_root: &Hash, root: &Hash) -> Result<(), NotProved> {
        let (seq, size) = (self.old_size, self.size);
        let impossible = NotProved::Impossible { seq, size };
        if Self::subtrees(seq, size).is_none() {
            return Err(impossible);
        }
        let proof = CtConsistency::<Sha256>::try_from_bytes(joined(&self.hashes)).map_err(|_| impossible)?;
        RootHash::<Sha256>::new(root.0.into(), size)
            .verify_consistency(&RootHash::new(old_root.0.into(), seq), &proof)
            .map_err(|_| NotProved::OtherRoot)
    }
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
