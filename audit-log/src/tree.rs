//! The Merkle tree of a log (RFC 6962, section 2.1).

use crate::Hash;

/// A complete subtree: the one with number `index` among those with 2^`level` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The height: 0 for a leaf.
    pub level: u32,
    /// The number among the nodes of this level, from 0.
    pub index: u64,
}

impl Node {
    /// The node's first leaf, from 0.
    pub fn first_leaf(self) -> u64 {
        self.index << self.level
    }

    /// The complete subtrees of `first..end`, from left to right, where `first` is a multiple of the power of two that is not below the length.
    /// The fold of [`root_of`] over their hashes is the hash of the range.
    pub fn covering(first: u64, end: u64) -> Vec<Node> {
        let (mut from, mut nodes) = (first, Vec::new());
        while from < end {
            let level = (end - from).ilog2();
            nodes.push(Node {
                level,
                index: from >> level,
            });
            from += 1 << level;
        }
        nodes
    }
}

/// The root above subtrees of decreasing size, from left to right; the hash of nothing for an empty tree.
pub fn root_of(subtrees: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    subtrees
        .rev()
        .reduce(|right, left| Hash::of_children(&left, &right))
        .unwrap_or_else(|| Hash::of(b""))
}

/// A tree that grows. It keeps the roots of its complete subtrees: at most 64 hashes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// From left to right; one for each bit of `size`.
    complete: Vec<Hash>,
}

impl Tree {
    /// The tree of `size` leaves whose complete subtrees have these hashes: those of [`Node::covering`] from 0 to `size`. `None` if the
    /// number of hashes is not the number of subtrees.
    pub fn resume(size: u64, complete: Vec<Hash>) -> Option<Self> {
        (complete.len() == size.count_ones() as usize).then_some(Self { size, complete })
    }

    /// Appends a leaf. Calls `completed` with each complete subtree that the leaf ends, from the leaf itself upwards.
    pub fn push(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) {
        let (mut hash, mut node) = (
            leaf,
            Node {
                level: 0,
                index: self.size,
            },
        );
        completed(node, hash);
        while node.index & 1 == 1
            && let Some(left) = self.complete.pop()
        {
            hash = Hash::of_children(&left, &hash);
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
            };
            completed(node, hash);
        }
        self.complete.push(hash);
        self.size += 1;
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash.
    pub fn root(&self) -> Hash {
        root_of(self.complete.iter().copied())
    }
}
