//! The impact of a policy: how a past action would have been decided under another policy.

use crate::domain::{Check, Timestamp, Verdict};
use crate::policy::{Decider, Policy, PolicyInput};
use std::collections::BTreeSet;

/// A past action and its decisions.
pub struct PastAction<'a> {
    /// The action.
    pub case: PolicyInput<'a>,
    /// The results of its checks, as stored when it was proposed or decided.
    pub checks: &'a [Check],
    /// The people who approved it, with their roles and teams of today.
    pub approvers: &'a [Decider],
    /// The people who rejected it, with their roles and teams of today.
    pub rejecters: &'a [Decider],
    /// When it was proposed.
    pub proposed: Timestamp,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// The person who executed it, with the roles and teams of today.
    pub runner: Option<&'a Decider>,
    /// When the oldest evidence that it cites was collected.
    pub oldest_evidence: Option<Timestamp>,
}

impl Policy {
    /// The differences for this action, as sentences, if this policy had been in force instead of `other`.
    pub fn impact_on(&self, other: &Policy, past: &PastAction<'_>) -> Vec<String> {
        let mut words = Vec::new();
        let case = &past.case;
        let (risk, was) = (self.risk_class(&case.risk_input), other.risk_class(&case.risk_input));
        if risk != was {
            words.push(format!("its risk would be {}, not {}", risk.as_str(), was.as_str()));
        }
        let (rule, old_rule) = (
            self.decide_rule(&case.risk_input).1,
            other.decide_rule(&case.risk_input).1,
        );
        if !rule.asks_the_same(old_rule) {
            words.push(format!("it would be decided by the rule \"{}\"", rule.name));
        }
        for (people, what) in [(past.approvers, "approved"), (past.rejecters, "rejected")] {
            for member in people {
                if self.refuses(member, case).is_some() && other.refuses(member, case).is_none() {
                    words.push(format!("{} could not have {what} it", member.person.name));
                }
            }
        }
        if self.is_typed(&case.risk_input) && !other.is_typed(&case.risk_input) {
            words.push("it would be approved by typing a word".to_owned());
        }
        if !past.approvers.is_empty() {
            let open = |policy: &Policy| {
                policy
                    .missing(past.approvers, case)
                    .iter()
                    .map(|one| one.approvals)
                    .sum::<usize>()
            };
            match (open(self), open(other)) {
                (more, less) if more > less => words.push(match more {
                    1 => "it would have waited for 1 more approval".to_owned(),
                    _ => format!("it would have waited for {more} more approvals"),
                }),
                (less, more) if less < more => words.push("it would have needed fewer approvals".to_owned()),
                _ => {}
            }
        }
        if let Some(decided) = past.decided {
            let late = |policy: &Policy, risk| decided.since(past.proposed) > policy.expiry(risk);
            if late(self, risk) && !late(other, was) {
                words.push("it would have expired before it was decided".to_owned());
            }
        }
        if let Some(runner) = past.runner {
            let refuses = |policy: &Policy| policy.refuses_to_run(runner, past.approvers, case).is_some();
            if refuses(self) && !refuses(other) {
                words.push(format!("{} could not have run it", runner.person.name));
            }
        }
        if let Some(collected) = past.oldest_evidence {
            let judged = past.decided.unwrap_or(past.proposed);
            let stale = |policy: &Policy| policy.is_stale(collected, judged);
            match (stale(self), stale(other)) {
                (true, false) => words.push("evidence that it cites would have been too old".to_owned()),
                (false, true) => words.push("evidence that it cites would not have been too old".to_owned()),
                _ => {}
            }
        }
        words.extend(self.weighs_otherwise(other, past.checks));
        words
    }

    /// Differences in the verdicts of checks. The stored verdicts already contain the overrides of their time, so a
    /// verdict that a policy had softened counts as soft.
    fn weighs_otherwise(&self, other: &Policy, checks: &[Check]) -> Vec<String> {
        let (weighed, was) = (
            self.apply_overrides(checks.to_vec()),
            other.apply_overrides(checks.to_vec()),
        );
        let changed = was.iter().zip(&weighed).filter(|(was, is)| was.verdict != is.verdict);
        let words: BTreeSet<String> = changed
            .map(|(_, is)| match is.verdict {
                Verdict::Block => format!("the check {} would have blocked it", is.id.as_str()),
                _ => format!("the check {} would only have warned", is.id.as_str()),
            })
            .collect();
        words.into_iter().collect()
    }
}
