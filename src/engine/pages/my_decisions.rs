//! Which pending actions the viewer may decide, and why not the others, under both policies of each action.

use crate::domain::*;
use crate::engine::Error;
use crate::engine::admin::identity;
use crate::engine::policy_cache::PolicyCache;
use crate::policy::{Decider, Policies, Policy, PolicyInput, RiskInput};
use crate::store::{InboxItem, ReadTx};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The policies of pending actions, and the viewer.
pub(crate) struct Mine {
    /// The tenant's policy today.
    pub today: Arc<Policy>,
    versions: BTreeMap<i64, Arc<Policy>>,
    me: Option<Decider>,
    /// Why the viewer may not decide until operators have identified the account.
    pub(crate) unresolved: Option<String>,
}

/// The age limit of relevant policies, in microseconds: no action waits longer than this.
const LONGEST_WAIT: i64 = 31 * Timestamp::DAY;

impl Mine {
    /// Reads the relevant policies, and the viewer with today's roles.
    pub(crate) async fn load(
        tx: &mut ReadTx,
        policy_cache: &PolicyCache,
        person: Option<&PersonId>,
    ) -> Result<Self, Error> {
        let today = policy_cache.today(tx).await?;
        let mut versions = BTreeMap::from([(today.version, today.clone())]);
        if today.version > Policy::FIRST {
            let since = tx.ctx().now().plus(-LONGEST_WAIT);
            for row in tx.policy_versions(i64::MAX).await? {
                // An unreadable old policy hides only the actions that depend on it, not the inbox.
                if let Ok(policy) = policy_cache.version(tx, row.version).await {
                    versions.insert(row.version, policy);
                }
                // The version before it was in force when the oldest pending actions were proposed.
                if row.created_at < since {
                    break;
                }
                if let Ok(policy) = policy_cache.version(tx, row.version - 1).await {
                    versions.insert(row.version - 1, policy);
                }
            }
        }
        let me = match person {
            Some(id) => tx.deciders_by_id(&[id.as_str()]).await?.pop(),
            None => None,
        };
        let unresolved = match person {
            Some(id) => tx.unresolved(id).await?,
            None => None,
        };
        Ok(Self {
            today,
            versions,
            me,
            unresolved: unresolved.as_ref().map(identity::not_resolved),
        })
    }

    /// The rules under which the viewer may decide, as `version:rule`.
    pub(crate) fn rules(&self) -> Vec<String> {
        let Some(me) = self.me.as_ref().filter(|_| self.unresolved.is_none()) else {
            return Vec::new();
        };
        self.versions
            .values()
            .flat_map(|policy| {
                let fit = policy.rules.roles.held_by(me).is_none();
                let rules = policy.rules.decide.iter().enumerate();
                rules
                    .filter(move |(_, rule)| fit && rule.admits(me))
                    .map(|(place, _)| format!("{}:{place}", policy.version))
            })
            .collect()
    }

    /// Whether the viewer may decide every pending action except their own proposals. The counts of the database are
    /// exact then.
    pub(crate) fn counts_are_exact(&self) -> bool {
        let Some(me) = &self.me else { return true };
        if self.unresolved.is_some() {
            return false;
        }
        self.versions.values().all(|policy| {
            let one_each = |rule: &crate::policy::DecideRule| {
                rule.admits(me) && rule.groups.iter().map(|group| group.approvals).sum::<usize>() == 1
            };
            let separation = &policy.rules.separation;
            policy.rules.roles.held_by(me).is_none()
                && !separation.caller_may_decide
                && separation.pruner_may_decide
                && policy.rules.decide.iter().all(one_each)
        })
    }

    /// Evaluates the policies for each pending action of a page.
    pub(crate) async fn judge(&self, tx: &mut ReadTx, items: &[InboxItem]) -> Result<BTreeMap<String, Judged>, Error> {
        let pending: Vec<&InboxItem> = items
            .iter()
            .filter(|item| item.state == State::PendingApproval)
            .collect();
        let ids: Vec<&str> = pending.iter().map(|item| item.id.as_str()).collect();
        let several = |policy: &Arc<Policy>| {
            let rules = &policy.rules.decide;
            rules
                .iter()
                .any(|rule| rule.groups.iter().map(|group| group.approvals).sum::<usize>() > 1)
        };
        let votes = if !ids.is_empty() && self.versions.values().any(several) {
            tx.approvals_of(&ids).await?
        } else {
            Vec::new()
        };
        let people: BTreeSet<&str> = votes.iter().map(|(_, person)| person.as_str()).collect();
        let people: Vec<&str> = people.into_iter().collect();
        let voters = if people.is_empty() {
            Vec::new()
        } else {
            tx.deciders_by_id(&people).await?
        };
        Ok(pending
            .into_iter()
            .filter_map(|item| {
                let of_item = |(action, _): &&(String, PersonId)| *action == item.id;
                let approvers: Vec<Decider> = votes
                    .iter()
                    .filter(of_item)
                    .filter_map(|(_, id)| voters.iter().find(|voter| voter.person.id == *id).cloned())
                    .collect();
                Some((item.id.clone(), self.judge_one(item, &approvers)?))
            })
            .collect())
    }

    fn judge_one(&self, item: &InboxItem, approvers: &[Decider]) -> Option<Judged> {
        let then = self.versions.get(&item.policy_version).unwrap_or(&self.today).clone();
        // For the policy of the proposal, the rule is stored, and the payload is not needed.
        let payload: Value = match &item.payload {
            Some(text) => serde_json::from_str(text).ok()?,
            None => Value::Null,
        };
        let risk_input = RiskInput {
            tool: &item.tool,
            tool_risk: item.tool_risk,
            max_severity: item.max_severity,
            payload: &payload,
        };
        let case = PolicyInput {
            risk_input,
            caller: &item.caller,
            pruner: item.pruner.as_ref(),
        };
        let policies = Policies {
            then,
            today: self.today.clone(),
        };
        let place = usize::try_from(item.policy_rule_index).unwrap_or_default();
        let rules = policies.each().map(|policy| {
            let rules = &policy.rules.decide;
            let known = rules.get(place).filter(|_| policy.version == item.policy_version);
            (policy, known.unwrap_or_else(|| policy.decide_rule(&risk_input).1))
        });
        let rules: Vec<_> = rules.collect();
        let missing: usize = rules
            .iter()
            .map(|(policy, rule)| {
                rule.missing(&policy.counted(approvers, &case))
                    .iter()
                    .map(|one| one.approvals)
                    .sum()
            })
            .max()
            .unwrap_or_default();
        let needs = rules
            .iter()
            .map(|(_, rule)| rule.groups.iter().map(|group| group.approvals).sum())
            .max()
            .unwrap_or(1);
        let not_mine = self.me.as_ref().filter(|_| self.unresolved.is_none()).and_then(|me| {
            let separated = policies.each().find_map(|policy| policy.separates(me, &case));
            separated.or_else(|| {
                let (_, rule) = rules.iter().find(|(_, rule)| !rule.admits(me))?;
                let groups: Vec<&str> = rule.groups.iter().map(|group| group.name.as_str()).collect();
                Some(format!(
                    "Only {} can decide this (rule \"{}\").",
                    groups.join(" and "),
                    rule.name
                ))
            })
        });
        let idle = self.me.as_ref().filter(|_| missing > 0).and_then(|me| {
            if approvers.iter().any(|one| one.human == me.human) {
                return Some("You approved this. It needs more approvals.".to_owned());
            }
            let helps = rules
                .iter()
                .any(|(policy, rule)| rule.would_help(&policy.counted(approvers, &case), me));
            (!helps).then(|| "It needs approvals from others; yours would not count.".to_owned())
        });
        Some(Judged {
            not_mine: not_mine.or(idle),
            approvals: (needs > 1).then(|| (needs - missing.min(needs), needs)),
        })
    }
}

/// The evaluation of a pending action.
pub(crate) struct Judged {
    /// Why the viewer cannot approve the action.
    pub not_mine: Option<String>,
    /// Given and required approvals, if more than one is required.
    pub approvals: Option<(usize, usize)>,
}
