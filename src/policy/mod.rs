//! What a tenant has decided about deciding: who may, how many it takes, how long it waits, what a check's finding means. Pure: a
//! policy is made of text and asked with values.

mod impact;
mod loosening;
mod parse;
mod quorum;
mod rules;

pub use impact::PastAction;
pub use loosening::loosens;
pub use parse::{Mistake, parse, read};
pub use quorum::{Decider, Missing};
pub use rules::{Condition, DecideRule, Group, Limits, RiskRule, Rules, VerdictOverride};

use crate::domain::{
    Change, ChangeSet, Check, Facts, FindingStatus, Human, RecordKind, Risk, Severity, Timestamp, Verdict,
};
use serde_json::Value;
use std::sync::Arc;

/// A version of a tenant's policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Counts the tenant's versions; the built-in policy is 1. Decisions record it.
    pub version: i64,
    /// What it says.
    pub rules: Rules,
}

/// The built-in policy as a file: good enough to run a company on, and every field explained.
pub const BUILT_IN: &str = include_str!("default.toml");

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: Policy::FIRST,
            rules: Rules::default(),
        }
    }
}

/// What an action would do, as a policy looks at it.
#[derive(Debug, Clone, Copy)]
pub struct RiskInput<'a> {
    /// The tool's name.
    pub tool: &'a str,
    /// What the tool itself says of its risk.
    pub tool_risk: Risk,
    /// The worst severity of a finding that it closes or accepts.
    pub max_severity: Option<Severity>,
    /// The arguments.
    pub payload: &'a Value,
}

/// An action with those who have to do with it, as a policy looks at it.
#[derive(Debug, Clone, Copy)]
pub struct PolicyInput<'a> {
    /// What it would do.
    pub risk_input: RiskInput<'a>,
    /// The person it was proposed for.
    pub caller: &'a Human,
    /// The person who took parts out of it.
    pub pruner: Option<&'a Human>,
}

impl Policy {
    /// The version of the built-in policy.
    pub const FIRST: i64 = 1;

    /// How long an action of this risk waits, in microseconds.
    pub fn expiry(&self, risk: Risk) -> i64 {
        let hours = &self.rules.expiry_hours;
        Timestamp::HOUR
            * match risk {
                Risk::Low => hours.low,
                Risk::Medium => hours.medium,
                Risk::High => hours.high,
            }
    }

    /// The class of risk of an action: that of the first rule that fits, else high for what closes or accepts a grave finding, else the
    /// tool's own.
    pub fn risk_class(&self, risk_input: &RiskInput<'_>) -> Risk {
        let fits = |rule: &&RiskRule| {
            rule.tool.as_deref().is_none_or(|name| name == risk_input.tool)
                && rule.conditions.iter().all(|one| one.holds(risk_input.payload))
        };
        if let Some(rule) = self.rules.risk.iter().find(fits) {
            return rule.class;
        }
        match risk_input.max_severity {
            Some(severity) if severity >= self.rules.severity.high_risk_from => Risk::High,
            _ => risk_input.tool_risk,
        }
    }

    /// Which rule says who decides an action, and its place among them.
    pub fn decide_rule(&self, risk_input: &RiskInput<'_>) -> (usize, &DecideRule) {
        let risk = self.risk_class(risk_input);
        let fits = |rule: &DecideRule| {
            (rule.tools.is_empty() || rule.tools.iter().any(|name| name == risk_input.tool))
                && (rule.risk.is_empty() || rule.risk.contains(&risk))
                && rule.conditions.iter().all(|one| one.holds(risk_input.payload))
        };
        let rules = &self.rules.decide;
        let place = rules.iter().position(fits).unwrap_or(rules.len() - 1);
        (place, &rules[place])
    }

    /// Why this person may not decide this action; `None` when they may.
    pub fn refuses(&self, member: &Decider, case: &PolicyInput<'_>) -> Option<String> {
        self.separates(member, case).or_else(|| {
            let (_, rule) = self.decide_rule(&case.risk_input);
            (!rule.admits(member)).then(|| {
                let groups: Vec<&str> = rule.groups.iter().map(|group| group.name.as_str()).collect();
                format!(
                    "By the rule \"{}\" it is decided by {}, and you are not among them.",
                    rule.name,
                    groups.join(" and ")
                )
            })
        })
    }

    /// Why the separation of duties keeps this person from deciding or running it.
    pub fn separates(&self, member: &Decider, case: &PolicyInput<'_>) -> Option<String> {
        let (separation, human) = (&self.rules.separation, &member.human);
        if let Some(held) = self.rules.roles.held_by(member) {
            let held: Vec<&str> = held.iter().map(|role| role.as_str()).collect();
            return Some(format!(
                "You hold the roles {} together, and whoever does decides nothing here. Ask an administrator of your identity provider \
                 to take one of them from you, and sign in again.",
                held.join(" and ")
            ));
        }
        if !separation.caller_may_decide && human == case.caller {
            return Some("It was proposed on your behalf: somebody else decides it.".to_owned());
        }
        if !separation.pruner_may_decide && Some(human) == case.pruner {
            return Some("You took parts out of it: somebody else decides what is left.".to_owned());
        }
        None
    }

    /// Why this person may not run it, if these people have approved it.
    pub fn refuses_to_run(&self, member: &Decider, approvers: &[Decider], case: &PolicyInput<'_>) -> Option<String> {
        let approved = || {
            (!self.rules.separation.approver_may_execute && approvers.iter().any(|one| one.human == member.human))
                .then(|| "You approved it: somebody else runs it.".to_owned())
        };
        self.separates(member, case).or_else(approved)
    }

    /// Whether evidence that was collected then is too old by this time.
    pub fn is_stale(&self, collected: Timestamp, at: Timestamp) -> bool {
        at.since(collected) > self.rules.evidence.max_age_days * Timestamp::DAY
    }

    /// What is still missing, if these people have approved.
    pub fn missing(&self, approvers: &[Decider], case: &PolicyInput<'_>) -> Vec<Missing> {
        self.decide_rule(&case.risk_input)
            .1
            .missing(&self.counted(approvers, case))
    }

    /// Whether one more approval, this person's, would help.
    pub fn would_help(&self, approvers: &[Decider], candidate: &Decider, case: &PolicyInput<'_>) -> bool {
        let counted = self.counted(approvers, case);
        self.decide_rule(&case.risk_input).1.would_help(&counted, candidate)
    }

    /// Those whose approval the separation of duties lets count.
    pub fn counted(&self, approvers: &[Decider], case: &PolicyInput<'_>) -> Vec<Decider> {
        let counts = |member: &&Decider| self.separates(member, case).is_none();
        approvers.iter().filter(counts).cloned().collect()
    }

    /// Whether the action is approved by typing a word of it.
    pub fn is_typed(&self, risk_input: &RiskInput<'_>) -> bool {
        self.rules.confirmation.typed_for.contains(&self.risk_class(risk_input))
    }

    /// What the checks' findings mean here.
    pub fn apply_overrides(&self, mut checks: Vec<Check>) -> Vec<Check> {
        for check in &mut checks {
            check.verdict = match (self.rules.checks.get(&check.id), check.verdict) {
                (_, Verdict::Pass) | (None, _) => check.verdict,
                (Some(VerdictOverride::Block), _) => Verdict::Block,
                (Some(VerdictOverride::Warn), Verdict::Block) => Verdict::Warn,
                (Some(VerdictOverride::Warn), verdict) => verdict,
            };
        }
        checks
    }
}

/// The worst severity of a finding that a change set closes or accepts.
pub fn max_severity(change_set: &ChangeSet, facts: &Facts) -> Option<Severity> {
    let open = Value::from(FindingStatus::Open.as_str());
    let closes = |change: &Change| match change {
        Change::Update(update) if update.kind == RecordKind::Finding => update
            .fields
            .iter()
            .any(|one| one.field == "status" && one.after != open)
            .then(|| update.id.clone()),
        _ => None,
    };
    let closed = change_set.0.iter().filter_map(closes);
    closed.filter_map(|id| Some(facts.finding(&id)?.severity)).max()
}

/// The two policies that an action is judged by: that of the day it was proposed, and today's. They are not merged: both are asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// That of the day it was proposed.
    pub then: Arc<Policy>,
    /// Today's.
    pub today: Arc<Policy>,
}

impl Policies {
    /// Where both are the same.
    pub fn single(policy: Arc<Policy>) -> Self {
        Self {
            then: policy.clone(),
            today: policy,
        }
    }

    /// Each of them, once.
    pub fn each(&self) -> impl Iterator<Item = &Policy> {
        let changed = self.then.version != self.today.version;
        [Some(&*self.today), changed.then_some(&*self.then)]
            .into_iter()
            .flatten()
    }

    /// See [`Policy::refuses`].
    pub fn refuses(&self, member: &Decider, case: &PolicyInput<'_>) -> Option<String> {
        self.each().find_map(|policy| policy.refuses(member, case))
    }

    /// See [`Policy::refuses_to_run`].
    pub fn refuses_to_run(&self, member: &Decider, approvers: &[Decider], case: &PolicyInput<'_>) -> Option<String> {
        self.each()
            .find_map(|policy| policy.refuses_to_run(member, approvers, case))
    }

    /// What is still missing by either: today's first.
    pub fn missing(&self, approvers: &[Decider], case: &PolicyInput<'_>) -> Vec<Missing> {
        let mut missing: Vec<Missing> = Vec::new();
        for one in self.each().flat_map(|policy| policy.missing(approvers, case)) {
            match missing.iter_mut().find(|known| known.group == one.group) {
                Some(known) => known.approvals = known.approvals.max(one.approvals),
                None => missing.push(one),
            }
        }
        missing
    }

    /// Whether somebody's approval would bring it nearer to being approved.
    pub fn would_help(&self, approvers: &[Decider], candidate: &Decider, case: &PolicyInput<'_>) -> bool {
        self.refuses(candidate, case).is_none()
            && self.each().any(|policy| policy.would_help(approvers, candidate, case))
    }

    /// Whether it is approved by typing a word of it.
    pub fn is_typed(&self, risk_input: &RiskInput<'_>) -> bool {
        self.each().any(|policy| policy.is_typed(risk_input))
    }

    /// The higher of the two classes of risk.
    pub fn risk_class(&self, risk_input: &RiskInput<'_>) -> Risk {
        self.each()
            .map(|policy| policy.risk_class(risk_input))
            .max()
            .unwrap_or(risk_input.tool_risk)
    }

    /// Whether whoever approves it may also run it.
    pub fn lets_approvers_run(&self) -> bool {
        self.each().all(|policy| policy.rules.separation.approver_may_execute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    #[test]
    fn the_built_in_file_says_what_the_built_in_policy_is() {
        let names: Vec<&str> = tools::TOOLS.iter().map(|tool| tool.name()).collect();
        assert_eq!(read(BUILT_IN, &names).unwrap(), Rules::default());
    }
}
