//! Comparison of all actions and decisions with the audit log, for the verification of a whole log.

use super::record_check::record_difference;
use crate::audit::Event;
use crate::context::Ctx;
use crate::domain::ActionId;
use crate::engine::{Engine, Error};
use crate::store::{AuditRecord, ReadTx, StoreError};
use std::collections::HashSet;

/// Actions in one read.
const PAGE: i64 = 200;

/// Of these entries, the first proposal whose action the tables do not have.
pub(super) async fn lost_action(tx: &mut ReadTx, records: &[AuditRecord]) -> Result<Option<(i64, String)>, Error> {
    let proposed = |record: &&AuditRecord| record.event == Event::Proposed.as_str();
    let named: Vec<(i64, &ActionId)> = records
        .iter()
        .filter(proposed)
        .filter_map(|record| Some((record.seq, record.action_id.as_ref()?)))
        .collect();
    let ids: Vec<&str> = named.iter().map(|(_, id)| id.as_str()).collect();
    let stored: HashSet<ActionId> = tx.existing_actions(&ids).await?.into_iter().collect();
    let lost = named.into_iter().find(|(_, id)| !stored.contains(*id));
    Ok(lost.map(|(seq, id)| (seq, format!("proposes {id}, and the tables do not have this action"))))
}

impl Engine {
    /// Compares all actions with their entries. Returns the number of actions, and the first difference: the entry that says something else, or
    /// 0 if there is none.
    pub(super) async fn verify_actions(&self, ctx: &Ctx) -> Result<(u64, Option<(i64, String)>), Error> {
        let (mut actions, mut after) = (0, None);
        loop {
            let tx = &mut self.store.read(ctx).await?;
            let ids = match tx.action_ids_after(after.as_ref(), PAGE).await {
                Err(StoreError::Damaged { what, why }) => {
                    return Ok((
                        actions,
                        Some((0, format!("the {what} of an action cannot be read: {why}"))),
                    ));
                }
                ids => ids?,
            };
            let Some(last) = ids.last().cloned() else {
                return Ok((actions, None));
            };
            for id in &ids {
                let (seq, what) = match compare(tx, id).await {
                    Ok(None) => {
                        actions += 1;
                        continue;
                    }
                    Ok(Some(difference)) => difference,
                    Err(StoreError::Damaged { what, why }) => {
                        (0, format!("{what} cannot be read in the tables: {why}"))
                    }
                    Err(error) => return Err(error.into()),
                };
                let why = match seq {
                    0 => format!("the tables and the log differ about {id}: {what}"),
                    _ => format!("and the tables differ about {id}: {what}"),
                };
                return Ok((actions, Some((seq, why))));
            }
            after = Some(last);
        }
    }
}

/// The entry that says something else about this action, and what.
async fn compare(tx: &mut ReadTx, id: &ActionId) -> Result<Option<(i64, String)>, StoreError> {
    let Some(action) = tx.action(id).await? else {
        return Ok(None);
    };
    let decisions = tx.decisions(id).await?;
    let entries = tx.lifecycle_of_action(id).await?;
    let difference = record_difference(&action, &decisions, &entries);
    Ok(difference.map(|difference| (difference.seq, difference.what)))
}
