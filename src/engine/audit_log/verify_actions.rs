//! Comparison of all actions and decisions with the audit log, for the verification of a whole log.

use super::action_check;
use crate::context::Ctx;
use crate::engine::{Engine, Error};

/// Actions in one read.
const PAGE: i64 = 200;

impl Engine {
    /// Compares all actions with their entries. Returns the number of actions, and the first difference: the entry of the proposal, or 0 if
    /// there is none.
    pub(super) async fn verify_actions(&self, ctx: &Ctx) -> Result<(u64, Option<(i64, String)>), Error> {
        let (mut actions, mut after) = (0, None);
        loop {
            let tx = &mut self.store.read(ctx).await?;
            let ids = tx.action_ids_after(after.as_ref(), PAGE).await?;
            let Some(last) = ids.last().cloned() else {
                return Ok((actions, None));
            };
            for id in &ids {
                let Some(action) = tx.action(id).await? else { continue };
                let decisions = tx.decisions(id).await?;
                let entries = tx.lifecycle_of_action(id).await?;
                if let Some(why) = action_check::record_difference(&action, &decisions, &entries) {
                    let proposed = entries.first().map_or(0, |entry| entry.seq);
                    return Ok((
                        actions,
                        Some((proposed, format!("and the tables differ about {id}: {why}"))),
                    ));
                }
                actions += 1;
            }
            after = Some(last);
        }
    }
}
