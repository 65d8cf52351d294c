//! The roots that the tree of a bundle must have on its way.

use super::fault::{CheckpointSource, Fault};
use crate::{Hash, Tree};
use std::collections::VecDeque;

/// A size at which a checkpoint says what the root is.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownRoot {
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) which: CheckpointSource,
}

/// The known roots by ascending size. They also tell between which two of them a log was changed.
#[derive(Debug)]
pub(super) struct KnownRoots {
    ahead: VecDeque<KnownRoot>,
    /// The largest size at which the root was the known one.
    agreed: u64,
}

impl KnownRoots {
    pub(super) fn new(mut roots: Vec<KnownRoot>) -> Self {
        // The sort is stable: of two roots of one size, the first stays first.
        roots.sort_by_key(|known| known.size);
        Self {
            ahead: roots.into(),
            agreed: 0,
        }
    }

    /// Compares the tree with the roots of its size. A smaller tree that agreed bounds the entries among which the first bad one is,
    /// because a person who tampers with the log cannot sign such a checkpoint without the log's key.
    pub(super) fn check(&mut self, tree: &Tree) -> Result<(), Fault> {
        let first = self.agreed + 1;
        while let Some(known) = self.ahead.pop_front_if(|known| known.size == tree.size()) {
            if known.root != tree.root() {
                return Err(Fault::Replaced {
                    first,
                    end: known.size,
                    which: known.which,
                });
            }
            self.agreed = known.size;
        }
        Ok(())
    }
}
