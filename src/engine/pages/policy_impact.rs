//! Impact analysis: what another policy would have changed about the actions of the last days.

use crate::domain::*;
use crate::engine::Error;
use crate::policy::{Decider, PastAction, Policy, PolicyInput, RiskInput};
use crate::store::{PastActionRow, ReadTx};
use crate::views::{Effect, Effects, RecordLabel, When};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// How many days back an analysis goes.
pub(crate) const DAYS: i64 = 30;
/// The most actions that an analysis compares, newest first.
const MAX_ACTIONS: usize = 5_000;
/// How many past actions one read loads.
const BATCH: i64 = 250;
/// The most changed actions that the page lists.
const MAX_LISTED: usize = 50;

/// The impact of `next` on the actions that were proposed since then.
pub(crate) async fn on_past_actions(
    tx: &mut ReadTx,
    next: &Policy,
    today: &Arc<Policy>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Effects, Error> {
    let mut effects = Effects {
        days: DAYS,
        ..Effects::default()
    };
    let mut people: HashMap<PersonId, Decider> = HashMap::new();
    let mut before = ActionId::LAST.to_owned();
    loop {
        let batch = tx.past_actions(since, &before, BATCH).await?;
        let ids: Vec<&str> = batch
            .iter()
            .flat_map(|past| {
                let parties = std::iter::once(&past.caller_id)
                    .chain(&past.pruned_by)
                    .chain(&past.run_by);
                past.approved_by.iter().chain(&past.rejected_by).chain(parties)
            })
            .filter(|id| !people.contains_key(*id))
            .map(PersonId::as_str)
            .collect();
        if !ids.is_empty() {
            let known = tx.deciders_by_id(&ids).await?;
            people.extend(known.into_iter().map(|member| (member.person.id.clone(), member)));
        }
        for past in &batch {
            let words = on_past_action(next, today, past, &people);
            effects.looked += 1;
            if words.is_empty() {
                continue;
            }
            effects.changed += 1;
            if effects.named.len() < MAX_LISTED {
                effects.named.push(Effect {
                    action: RecordLabel {
                        kind: RecordKind::Action,
                        id: past.id.clone(),
                        key: None,
                        name: PlainText::from(&past.headline),
                    },
                    state: past.state,
                    proposed: When::new(past.created_at, now),
                    words: words.into_iter().map(Into::into).collect(),
                });
            }
        }
        match batch.last() {
            Some(last) if batch.len() as i64 == BATCH && effects.looked < MAX_ACTIONS => {
                before.clone_from(&last.id);
            }
            last => {
                effects.more = last.is_some() && batch.len() as i64 == BATCH;
                return Ok(effects);
            }
        }
    }
}

fn on_past_action(
    next: &Policy,
    today: &Policy,
    past: &PastActionRow,
    people: &HashMap<PersonId, Decider>,
) -> Vec<String> {
    let payload: Value = serde_json::from_str(&past.payload).unwrap_or_default();
    let deciders = |ids: &[PersonId]| ids.iter().filter_map(|id| people.get(id).cloned()).collect::<Vec<_>>();
    let (approvers, rejecters) = (deciders(&past.approved_by), deciders(&past.rejected_by));
    let Some(caller) = people.get(&past.caller_id) else {
        return Vec::new();
    };
    let pruner = past.pruned_by.as_ref().and_then(|id| people.get(id));
    next.impact_on(
        today,
        &PastAction {
            case: PolicyInput {
                risk_input: RiskInput {
                    tool: &past.tool,
                    tool_risk: past.tool_risk,
                    max_severity: past.max_severity,
                    payload: &payload,
                },
                caller: &caller.human,
                pruner: pruner.map(|member| &member.human),
            },
            checks: &past.checks,
            approvers: &approvers,
            rejecters: &rejecters,
            proposed: past.created_at,
            decided: past.decided_at,
            runner: past.run_by.as_ref().and_then(|id| people.get(id)),
            oldest_evidence: past.oldest_evidence,
        },
    )
}
