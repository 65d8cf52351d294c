//! The path from a leaf to the root, level by level (RFC 9162, section 2.1.3.2).

use crate::Level;
use loopiq_audit_log::{Hash, InclusionProof};

/// The levels that lead from the hash of the leaf to a root. `None` if the proof does not have the shape of a path in a tree of this size.
/// The caller compares the last result, or the leaf's hash if there is no level, with the root.
pub(crate) fn levels(proof: &InclusionProof, leaf: Hash) -> Option<Vec<Level>> {
    let mut index = proof.seq.checked_sub(1)?;
    let mut last = proof.size.checked_sub(1)?;
    if index > last {
        return None;
    }
    let mut hash = leaf;
    let mut levels = Vec::new();
    for sibling in &proof.hashes {
        if last == 0 {
            return None;
        }
        // The last node of a level without a right sibling moves up until it has a left one.
        let left = index & 1 == 1 || index == last;
        if left {
            hash = Hash::of_children(sibling, &hash);
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_children(&hash, sibling);
        }
        levels.push(Level {
            left,
            sibling: *sibling,
            result: hash,
        });
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loopiq_audit_log::{Tree, root_of};
    use proptest::prelude::*;

    /// The hash of the leaves `range` of a log whose entry `n` is the text of `n`.
    fn hash_of(range: std::ops::Range<u64>) -> Hash {
        let mut tree = Tree::default();
        for n in range {
            tree.push(leaf(n + 1), |_, _| ());
        }
        root_of(std::iter::once(tree.root()))
    }

    fn leaf(seq: u64) -> Hash {
        Hash::of_leaf(seq.to_string().as_bytes())
    }

    fn proof(seq: u64, size: u64) -> InclusionProof {
        let subtrees = InclusionProof::subtrees(seq, size).expect("an entry");
        let hashes = subtrees.into_iter().map(|part| hash_of(part.first..part.end)).collect();
        InclusionProof { seq, size, hashes }
    }

    #[test]
    fn every_path_of_small_trees_leads_to_the_root() {
        for size in 1..=40 {
            let root = hash_of(0..size);
            for seq in 1..=size {
                let proof = proof(seq, size);
                let levels = levels(&proof, leaf(seq)).expect("a path");
                let result = levels.last().map_or(leaf(seq), |level| level.result);
                assert_eq!(result, root, "{seq} of {size}");
                assert_eq!(proof.verify(seq.to_string().as_bytes(), &root), Ok(()));
            }
        }
    }

    proptest! {
        /// The levels and the format's own verification agree on any numbers and hashes.
        #[test]
        fn agrees_with_the_format(seq in 0..80_u64, size in 0..80_u64, of in 1..80_u64, cut in 0..8_usize, extra in 0..2_usize, flip in any::<bool>()) {
            let size_of = size.max(of);
            let mut given = proof(of.min(size_of), size_of);
            let root = hash_of(0..size_of);
            (given.seq, given.size) = (seq, size);
            given.hashes.truncate(given.hashes.len().saturating_sub(cut));
            given.hashes.extend(std::iter::repeat_n(leaf(0), extra));
            if flip && let Some(hash) = given.hashes.first_mut() {
                hash.0[0] ^= 1;
            }
            let text = of.min(size_of).to_string();
            let leads = levels(&given, Hash::of_leaf(text.as_bytes()))
                .is_some_and(|levels| levels.last().map_or(Hash::of_leaf(text.as_bytes()), |level| level.result) == root);
            prop_assert_eq!(leads, given.verify(text.as_bytes(), &root).is_ok());
        }

        #[test]
        fn huge_numbers_end(seq: u64, size: u64, count in 0..70_usize) {
            let proof = InclusionProof { seq, size, hashes: vec![leaf(1); count] };
            if let Some(levels) = levels(&proof, leaf(2)) {
                prop_assert!(levels.len() == count && count <= 64);
            }
        }
    }
}
