//! The Merkle tree of the audit log. Of its inner nodes, the database has those above 16, 256, 4096 ... entries, so that one in 15 entries adds
//! a row, and a proof reads at most 15 hashes for each four levels of the tree.

use crate::domain::TenantId;
use crate::store::db::{self, Sql, Tx};
use crate::store::row::json;
use crate::store::{ReadTx, StoreError};
use loopiq_audit_log::{ConsistencyProof, Hash, InclusionProof, Node, Subtree, Tree, root_of};
use std::collections::HashMap;

/// The levels between two stored nodes.
const STEP: u32 = 4;
/// The children of a stored node: stored nodes or leaves.
const CHILDREN: u64 = 1 << STEP;

/// A node in the column `audit_nodes.node`.
fn number(node: Node) -> i64 {
    (i64::from(node.level) << 48) + node.index as i64
}

fn damaged() -> StoreError {
    StoreError::damaged("the audit log", "a hash of its tree is missing or unreadable")
}

fn parsed(text: &str) -> Result<Hash, StoreError> {
    text.parse().map_err(|_| damaged())
}

/// Stores the nodes that the leaves complete. `before`: the number of entries before them.
pub(super) async fn add_nodes(
    tx: &mut Tx,
    tenant: &TenantId,
    before: u64,
    leaves: Vec<Hash>,
) -> Result<(), StoreError> {
    let (mut level, mut first, mut hashes, mut rows) = (0, before, leaves, Vec::new());
    // The hashes are those of the nodes `first..` at `level`. Each 16 of them have a parent that is stored.
    while (first + hashes.len() as u64) / CHILDREN > first / CHILDREN {
        let aligned = first / CHILDREN * CHILDREN;
        let earlier: Vec<Node> = (aligned..first).map(|index| Node { level, index }).collect();
        let found = stored(tx, tenant, &earlier).await?;
        let earlier = earlier.iter().map(|node| found.get(node).copied().ok_or_else(damaged));
        let children: Vec<Hash> = earlier.chain(hashes.into_iter().map(Ok)).collect::<Result<_, _>>()?;
        let parents: Vec<Hash> = children.chunks_exact(CHILDREN as usize).map(above).collect();
        (level, first) = (level + STEP, aligned / CHILDREN);
        for (index, hash) in (first..).zip(&parents) {
            rows.push(serde_json::json!({ "node": number(Node { level, index }), "hash": hash }));
        }
        hashes = parents;
    }
    if rows.is_empty() {
        return Ok(());
    }
    const SQL: &str = "INSERT INTO audit_nodes (tenant, node, hash) \
         SELECT $1, CAST(value ->> 'node' AS BIGINT), value ->> 'hash' FROM json_each($2)";
    db::query(SQL)
        .bind(tenant.as_str())
        .bind(json(&rows)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// The root above complete subtrees of one size.
fn above(children: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    children.iter().for_each(|hash| tree.push(*hash, |_, _| ()));
    tree.root()
}

/// The hashes of these leaves and stored nodes. A missing one is missing in the result.
async fn stored(tx: &mut Tx, tenant: &TenantId, nodes: &[Node]) -> Result<HashMap<Node, Hash>, StoreError> {
    const LEAVES: Sql = Sql {
        sqlite: &[
            "SELECT seq, leaf_hash FROM audit_entries WHERE tenant = $1 AND seq IN (SELECT value FROM json_each($2))",
        ],
        postgres: "SELECT seq, leaf_hash FROM audit_entries WHERE tenant = $1 AND seq = ANY (ARRAY(SELECT CAST(value AS BIGINT) FROM json_each($2)))",
    };
    const NODES: Sql = Sql {
        sqlite: &["SELECT node, hash FROM audit_nodes WHERE tenant = $1 AND node IN (SELECT value FROM json_each($2))"],
        postgres: "SELECT node, hash FROM audit_nodes WHERE tenant = $1 AND node = ANY (ARRAY(SELECT CAST(value AS BIGINT) FROM json_each($2)))",
    };
    let mut hashes = HashMap::with_capacity(nodes.len());
    let (leaves, inner): (Vec<Node>, Vec<Node>) = nodes.iter().partition(|node| node.level == 0);
    if !leaves.is_empty() {
        let seqs: Vec<u64> = leaves.iter().map(|leaf| leaf.index + 1).collect();
        let rows = db::query(LEAVES)
            .bind(tenant.as_str())
            .bind(json(&seqs)?)
            .fetch_all(tx)
            .await?;
        for row in &rows {
            let index = row.int("seq")? as u64 - 1;
            hashes.insert(Node { level: 0, index }, parsed(&row.text("leaf_hash")?)?);
        }
    }
    if !inner.is_empty() {
        let numbers: HashMap<i64, Node> = inner.into_iter().map(|node| (number(node), node)).collect();
        let rows = db::query(NODES)
            .bind(tenant.as_str())
            .bind(json(&numbers.keys().collect::<Vec<_>>())?)
            .fetch_all(tx)
            .await?;
        for row in &rows {
            if let Some(node) = numbers.get(&row.int("node")?) {
                hashes.insert(*node, parsed(&row.text("hash")?)?);
            }
        }
    }
    Ok(hashes)
}

/// The leaves or stored nodes from which a node's hash is computed: the node itself, or its descendants at the next stored level.
fn sources(node: Node) -> impl Iterator<Item = Node> {
    let level = node.level / STEP * STEP;
    let width = 1 << (node.level - level);
    (node.index * width..(node.index + 1) * width).map(move |index| Node { level, index })
}

impl ReadTx {
    /// The hashes of subtrees, in their order.
    async fn subtree_hashes(&mut self, subtrees: &[Subtree]) -> Result<Vec<Hash>, StoreError> {
        let nodes = subtrees.iter().flat_map(|subtree| subtree.nodes());
        let mut needed: Vec<Node> = nodes.flat_map(sources).collect();
        needed.sort_unstable();
        needed.dedup();
        let tenant = self.ctx.tenant().clone();
        let found = stored(&mut self.tx, &tenant, &needed).await?;
        let hash = |node: Node| {
            let hashes = sources(node).map(|source| found.get(&source).copied());
            Some(above(&hashes.collect::<Option<Vec<_>>>()?))
        };
        let subtree = |subtree: &Subtree| {
            let hashes = subtree.nodes().into_iter().map(hash).collect::<Option<Vec<_>>>()?;
            Some(root_of(hashes.into_iter()))
        };
        subtrees.iter().map(|one| subtree(one).ok_or_else(damaged)).collect()
    }

    /// The root hash of the first `size` entries.
    pub async fn audit_root(&mut self, size: u64) -> Result<Hash, StoreError> {
        if size == 0 {
            return Ok(Tree::default().root());
        }
        let whole = [Subtree { first: 0, end: size }];
        self.subtree_hashes(&whole).await?.pop().ok_or_else(damaged)
    }

    /// The tree of the first `size` entries, which can grow.
    pub async fn audit_tree(&mut self, size: u64) -> Result<Tree, StoreError> {
        let subtrees: Vec<Subtree> = Node::covering(0, size)
            .into_iter()
            .map(|node| Subtree {
                first: node.first_leaf(),
                end: node.first_leaf() + (1 << node.level),
            })
            .collect();
        let hashes = self.subtree_hashes(&subtrees).await?;
        Tree::resume(size, hashes).ok_or_else(damaged)
    }

    /// The proofs that the entries are in the tree of the first `size` entries. Reads all hashes with two statements.
    pub async fn audit_inclusion(&mut self, seqs: &[u64], size: u64) -> Result<Vec<InclusionProof>, StoreError> {
        let parts: Vec<Vec<Subtree>> = seqs
            .iter()
            .map(|seq| InclusionProof::subtrees(*seq, size).ok_or_else(damaged))
            .collect::<Result<_, _>>()?;
        let mut hashes = self.subtree_hashes(&parts.concat()).await?.into_iter();
        let proof = |(seq, subtrees): (&u64, &Vec<Subtree>)| InclusionProof {
            seq: *seq,
            size,
            hashes: hashes.by_ref().take(subtrees.len()).collect(),
        };
        Ok(seqs.iter().zip(&parts).map(proof).collect())
    }

    /// The proof that the first `old` entries are the beginning of the first `size` entries. `None` if `old` is 0 or greater than `size`.
    pub async fn audit_consistency(&mut self, old: u64, size: u64) -> Result<Option<ConsistencyProof>, StoreError> {
        let Some(subtrees) = ConsistencyProof::subtrees(old, size) else {
            return Ok(None);
        };
        let hashes = self.subtree_hashes(&subtrees).await?;
        Ok(Some(ConsistencyProof {
            old_size: old,
            size,
            hashes,
        }))
    }

    /// Of computed nodes, the first that the database should have and that is another one there.
    pub async fn differing_node(&mut self, computed: &[(Node, Hash)]) -> Result<Option<Node>, StoreError> {
        let is_stored = |node: &Node| node.level > 0 && node.level.is_multiple_of(STEP);
        let expected: Vec<&(Node, Hash)> = computed.iter().filter(|(node, _)| is_stored(node)).collect();
        let nodes: Vec<Node> = expected.iter().map(|(node, _)| *node).collect();
        let tenant = self.ctx.tenant().clone();
        let found = stored(&mut self.tx, &tenant, &nodes).await?;
        let differs = |(node, hash): &&&(Node, Hash)| found.get(node) != Some(hash);
        Ok(expected.iter().find(differs).map(|(node, _)| *node))
    }
}
