//! Trees and proofs: published vectors, and agreement with a second implementation.

mod rfc9162;

use loopiq_audit_log::{ConsistencyProof, Hash, InclusionProof, Node, NotProved, Subtree, Tree, root_of};
use proptest::prelude::*;
use std::collections::HashMap;

/// The leaves of the tests of Google's Certificate Transparency implementations (`transparency-dev/merkle`, `testonly/constants.go`).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
/// The root of the first 1 to 8 of those leaves.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

fn hash(hex: &str) -> Hash {
    format!("sha256:{hex}").parse().expect("a hash")
}

/// A tree with all its complete subtrees.
struct Grown {
    leaves: Vec<Vec<u8>>,
    tree: Tree,
    nodes: HashMap<Node, Hash>,
}

impl Grown {
    fn new(leaves: Vec<Vec<u8>>) -> Self {
        let (mut tree, mut nodes) = (Tree::default(), HashMap::new());
        for leaf in &leaves {
            tree.push(Hash::of_leaf(leaf), |node, hash| {
                assert_eq!(nodes.insert(node, hash), None)
            });
        }
        Self { leaves, tree, nodes }
    }

    fn numbered(count: usize) -> Self {
        Self::new((0..count).map(|number| number.to_string().into_bytes()).collect())
    }

    fn published() -> Self {
        Self::new(LEAVES.iter().map(|leaf| bytes(leaf)).collect())
    }

    fn hashes(&self, subtrees: Vec<Subtree>) -> Vec<Hash> {
        let hash = |subtree: Subtree| root_of(subtree.nodes().into_iter().map(|node| self.nodes[&node]));
        subtrees.into_iter().map(hash).collect()
    }

    fn inclusion(&self, seq: u64, size: u64) -> InclusionProof {
        let hashes = self.hashes(InclusionProof::subtrees(seq, size).expect("an entry of the tree"));
        InclusionProof { seq, size, hashes }
    }

    fn consistency(&self, old_size: u64, size: u64) -> ConsistencyProof {
        let hashes = self.hashes(ConsistencyProof::subtrees(old_size, size).expect("an older tree"));
        ConsistencyProof { old_size, size, hashes }
    }

    fn root(&self, size: u64) -> Hash {
        root_of(Node::covering(0, size).into_iter().map(|node| self.nodes[&node]))
    }
}

#[test]
fn published_roots() {
    let grown = Grown::published();
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(grown.root(size), hash(root), "{size} leaves");
    }
    assert_eq!(grown.tree.root(), hash(ROOTS[7]));
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Tree::default().root(), hash(empty));
}

#[test]
fn published_proofs() {
    let grown = Grown::published();
    let cases: [(u64, u64, &[&str]); 5] = [
        (1, 1, &[]),
        (1, 8, &[A, B, C]),
        (6, 8, &[D, E, ROOTS[3]]),
        (3, 3, &[ROOTS[1]]),
        (2, 5, &[ROOTS[0], B, D]),
    ];
    for (seq, size, hashes) in cases {
        let hashes = hashes.iter().map(|hex| hash(hex)).collect();
        let proof = InclusionProof { seq, size, hashes };
        assert_eq!(grown.inclusion(seq, size), proof);
        let leaf = &grown.leaves[seq as usize - 1];
        assert_eq!(proof.verify(leaf, &hash(ROOTS[size as usize - 1])), Ok(()));
    }
    let cases: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (1, 8, &[A, B, C]),
        (6, 8, &[F, E, ROOTS[3]]),
        (2, 5, &[B, D]),
    ];
    for (old_size, size, hashes) in cases {
        let hashes = hashes.iter().map(|hex| hash(hex)).collect();
        let proof = ConsistencyProof { old_size, size, hashes };
        assert_eq!(grown.consistency(old_size, size), proof);
        let root = |size: u64| hash(ROOTS[size as usize - 1]);
        assert_eq!(proof.verify(&root(old_size), &root(size)), Ok(()));
    }
}

/// Every proof of every tree of up to 70 leaves, both ways: this crate's proofs and those of the second implementation are the same, and both
/// verify them.
#[test]
fn a_second_implementation_agrees_on_every_proof() {
    let grown = Grown::numbered(70);
    let leaves: Vec<_> = grown.leaves.iter().map(|leaf| rfc9162::leaf(leaf)).collect();
    for size in 1..=leaves.len() {
        let root = rfc9162::tree_hash(&leaves[..size]);
        assert_eq!(grown.root(size as u64).0, root);
        for index in 0..size {
            let theirs = rfc9162::path(index, &leaves[..size]);
            let ours = grown.inclusion(index as u64 + 1, size as u64);
            assert_eq!(ours.hashes.iter().map(|hash| hash.0).collect::<Vec<_>>(), theirs);
            assert!(rfc9162::includes(
                leaves[index],
                index as u64,
                size as u64,
                &theirs,
                &root
            ));
            assert_eq!(ours.verify(&grown.leaves[index], &Hash(root)), Ok(()));
        }
        for old in 1..=size {
            let old_root = rfc9162::tree_hash(&leaves[..old]);
            let theirs = rfc9162::proof(old, &leaves[..size]);
            let ours = grown.consistency(old as u64, size as u64);
            assert_eq!(ours.hashes.iter().map(|hash| hash.0).collect::<Vec<_>>(), theirs);
            assert!(rfc9162::extends(old as u64, size as u64, &old_root, &root, &theirs));
            assert_eq!(ours.verify(&Hash(old_root), &Hash(root)), Ok(()));
        }
    }
}

#[test]
fn a_tree_goes_on_from_its_complete_subtrees() {
    let grown = Grown::numbered(100);
    for size in 0..100 {
        let complete = Node::covering(0, size).iter().map(|node| grown.nodes[node]).collect();
        let mut tree = Tree::resume(size, complete).expect("as many hashes as subtrees");
        for leaf in &grown.leaves[size as usize..] {
            tree.push(Hash::of_leaf(leaf), |node, hash| assert_eq!(grown.nodes[&node], hash));
        }
        assert_eq!((tree.size(), tree.root()), (100, grown.tree.root()));
    }
    assert!(Tree::resume(3, vec![Hash::of(b"")]).is_none());
}

#[test]
fn proofs_that_cannot_be_are_refused() {
    let grown = Grown::numbered(5);
    let root = grown.root(5);
    for (seq, size) in [(0, 5), (6, 5), (1, 0), (1, u64::MAX), (u64::MAX, u64::MAX)] {
        let proof = InclusionProof {
            seq,
            size,
            hashes: vec![],
        };
        assert_eq!(proof.verify(b"0", &root), Err(NotProved::Impossible { seq, size }));
        let proof = ConsistencyProof {
            old_size: seq,
            size,
            hashes: vec![],
        };
        assert_eq!(proof.verify(&root, &root), Err(NotProved::Impossible { seq, size }));
    }
}

proptest! {
    /// A changed proof, leaf or root is refused by both implementations.
    #[test]
    fn a_changed_proof_is_refused(size in 2_u64..300, at in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(), what in 0..5, byte in any::<prop::sample::Index>()) {
        let grown = Grown::numbered(size as usize);
        let seq = at.index(size as usize) as u64 + 1;
        let (mut proof, mut root, mut leaf) = (grown.inclusion(seq, size), grown.root(size), grown.leaves[seq as usize - 1].clone());
        match what {
            0 => { let at = byte.index(proof.hashes.len()); proof.hashes[at].0[byte.index(32)] ^= 1 }
            1 => root.0[byte.index(32)] ^= 1,
            2 => leaf.push(b'0'),
            3 => drop(proof.hashes.pop()),
            _ => proof.hashes.push(root),
        }
        prop_assert!(proof.verify(&leaf, &root).is_err());
        let hashes: Vec<_> = proof.hashes.iter().map(|hash| hash.0).collect();
        prop_assert!(!rfc9162::includes(rfc9162::leaf(&leaf), seq - 1, size, &hashes, &root.0));

        let old = old.index(size as usize - 1) as u64 + 1;
        let (mut proof, mut root) = (grown.consistency(old, size), grown.root(size));
        match what {
            0 => { let at = byte.index(proof.hashes.len()); proof.hashes[at].0[byte.index(32)] ^= 1 }
            1 | 2 => root.0[byte.index(32)] ^= 1,
            3 => drop(proof.hashes.pop()),
            _ => proof.hashes.push(root),
        }
        prop_assert!(proof.verify(&grown.root(old), &root).is_err());
        let hashes: Vec<_> = proof.hashes.iter().map(|hash| hash.0).collect();
        prop_assert!(!rfc9162::extends(old, size, &grown.root(old).0, &root.0, &hashes));
    }
}
