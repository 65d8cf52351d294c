//! Comparison of the tables with the audit log. Before an action runs, its envelope, its decisions and its state are compared with the
//! entries that were written when the action was proposed and decided. An attacker who can write the tables alone can neither change what
//! was approved nor invent an approval.

use super::record_check::table_difference;
use super::{check_entry, keys, read_checkpoint};
use crate::audit::Event;
use crate::domain::{Action, State};
use crate::engine::Error;
use crate::engine::actions::approvals::Approvals;
use crate::store::{AuditRecord, ReadTx, StoreError};

/// What differs between the action and its entries, in words that follow a colon; `None` if nothing does. Each entry is checked by its hashes,
/// by its seal, and by its proof for the latest checkpoint, if the checkpoint covers it.
pub(crate) async fn difference(
    tx: &mut ReadTx,
    action: &Action,
    approvals: &Approvals,
) -> Result<Option<String>, Error> {
    let said = |why: &str| Ok(Some(why.to_owned()));
    let entries = tx.lifecycle_of_action(&action.id).await?;
    let (tenant, keys) = (tx.ctx().tenant().clone(), keys(tx)?);
    for entry in &entries {
        match check_entry(entry, &tenant) {
            Err(_) => return said("an audit entry of this action is not what was written"),
            Ok(leaf) if !keys.sealed(&leaf, &entry.seal) => {
                return said("an audit entry of this action was not written by this service");
            }
            Ok(_) => {}
        }
    }
    let last = entries.last().map_or(0, |entry| entry.seq);
    if !nothing_is_hidden(tx, action, last).await? {
        return said("since its last audit entry, an entry is missing or changed, or changes the state of this action");
    }
    if !are_in_the_tree(tx, &entries).await? {
        return said("an audit entry of this action is not in the signed log");
    }
    let approved = entries.iter().any(|entry| is(entry, Event::Approved));
    if !approved || entries.last().and_then(|entry| entry.content.state.as_deref()) != Some(State::Approved.as_str()) {
        return said("by the audit trail this action is not approved");
    }
    Ok(table_difference(action, &approvals.given, &entries).map(|difference| difference.what))
}

/// Leaves in one read.
const LEAVES: i64 = 1_000;

/// Whether the log from entry `last` to its end is complete and sealed, and has no further entry that defines the state of the action. The
/// columns that the action's entries were selected by count only where the seal covers them: a changed column could hide a revocation.
async fn nothing_is_hidden(tx: &mut ReadTx, action: &Action, last: i64) -> Result<bool, Error> {
    // On PostgreSQL other transactions append entries in the meantime. Those up to this head are complete.
    let (tenant, keys, head) = (tx.ctx().tenant().clone(), keys(tx)?, tx.audit_head().await?);
    let mut seen = last;
    while seen < head {
        let leaves = tx.audit_leaves(seen, LEAVES.min(head - seen)).await?;
        if leaves.is_empty() {
            return Ok(false);
        }
        for leaf in &leaves {
            seen += 1;
            let hash = leaf.intact_hash(&tenant);
            let is_ours = hash.is_some_and(|hash| keys.sealed(&hash, &leaf.seal));
            let is_about_it = leaf.action_id.as_deref() == Some(action.id.as_str()) && !leaf.defines_no_state();
            if leaf.seq != seen || !is_ours || is_about_it {
                return Ok(false);
            }
        }
    }
    // A smaller head was set back.
    Ok(seen == head)
}

/// Whether the tree of the latest checkpoint contains the entries that it covers.
async fn are_in_the_tree(tx: &mut ReadTx, entries: &[AuditRecord]) -> Result<bool, Error> {
    let (tenant, keys) = (tx.ctx().tenant().clone(), keys(tx)?);
    // Read before the database, because a task of this node may sign a checkpoint in the meantime.
    let remembered = keys.remembered(tenant.as_str()).map_or(0, |last| last.size);
    let Some(stored) = tx.latest_checkpoint().await? else {
        return Ok(remembered == 0);
    };
    let Ok(checkpoint) = read_checkpoint(&stored, &tenant, &keys) else {
        return Ok(false);
    };
    if remembered > checkpoint.size {
        // The database was set back behind a checkpoint that this node signed.
        return Ok(false);
    }
    let covered: Vec<&AuditRecord> = entries
        .iter()
        .filter(|entry| entry.seq as u64 <= checkpoint.size)
        .collect();
    let seqs: Vec<u64> = covered.iter().map(|entry| entry.seq as u64).collect();
    if seqs.is_empty() {
        return Ok(true);
    }
    let proofs = match tx.audit_inclusion(&seqs, checkpoint.size).await {
        Ok(proofs) => proofs,
        // A hash of the tree is missing.
        Err(StoreError::Damaged { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(covered.iter().zip(&proofs).all(|(entry, proof)| {
        let leaf = entry.leaf(&tenant).bytes();
        leaf.is_ok_and(|leaf| proof.verify(leaf.as_bytes(), &checkpoint.root).is_ok())
    }))
}

fn is(entry: &AuditRecord, event: Event) -> bool {
    entry.event == event.as_str()
}
