//! A tenant's policy: who decides an action, how many approvals it needs, when it expires, and which checks block it.
//! Pure: a policy is parsed from text and evaluated on values.

mod impact;
mod loosening;
mod parse;
mod quorum;
mod rules;
mod step_up;
mod validate;

pub use impact::PastAction;
pub use loosening::loosens;
pub use parse::{Mistake, parse, read};
pub use quorum::{Decider, Missing};
pub use rules::{Condition, DecideRule, Group, Limits, RiskRule, Rules, VerdictOverride};
pub use step_up::{StepUp, Unmet};

use crate::domain::{
    Change, ChangeSet, Check, Facts, FindingStatus, Human, RecordKind, Risk, Severity, Timestamp, Verdict,
};
use serde_json::Value;
use std::sync::Arc;

/// A version of a tenant's policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The number of the tenant's version, from 1 (the built-in policy). Decisions record the version.
    pub version: i64,
    /// The rules of the version.
    pub rules: Rules,
}

/// The built-in policy as a TOML file that explains every field.
pub const BUILT_IN: &str = include_str!("default.toml");

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: Policy::FIRST,
            rules: Rules::default(),
        }
    }
}

/// The parts of an action that its risk class depends on.
#[derive(Debug, Clone, Copy)]
pub struct RiskInput<'a> {
    /// The tool's name.
    pub tool: &'a str,
    /// The risk that the tool declares.
    pub tool_risk: Risk,
    /// The highest severity of a finding that the action closes or accepts.
    pub max_severity: Option<Severity>,
    /// The arguments of the tool call.
    pub payload: &'a Value,
}

/// The parts of an action that a policy decides by.
#[derive(Debug, Clone, Copy)]
pub struct PolicyInput<'a> {
    /// What the action would do.
    pub risk_input: RiskInput<'a>,
    /// The person for whom the action was proposed.
    pub caller: &'a Human,
    /// The person who left parts of the action out.
    pub pruner: Option<&'a Human>,
}

impl Policy {
    /// The version of the built-in policy.
    pub const FIRST: i64 = 1;

    /// How long a proposed action of this risk class waits before it expires, in microseconds.
    pub fn expiry(&self, risk: Risk) -> i64 {
        let hours = &self.rules.expiry_hours;
        Timestamp::HOUR
            * match risk {
                Risk::Low => hours.low,
                Risk::Medium => hours.medium,
                Risk::High => hours.high,
            }
    }

    /// The risk class of an action: the class of the first matching rule, or else high if the action closes or accepts
    /// a severe finding, or else the tool's risk.
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

    /// The rule that says who decides an action, with its index in `decide`.
    pub fn decide_rule(&self, risk_input: &RiskInput<'_>) -> (usize, &DecideRule) {
        let risk = self.risk_class(risk_input);
        let fits = |rule: &DecideRule| {
            (rule.tools.is_empty() || rule.tools.iter().any(|name| name == risk_input.tool))
                && (rule.risk.is_empty() || rule.risk.contains(&risk))
                && rule.conditions.iter().all(|one| one.holds(risk_input.payload))
        };
        let rules = &self.rules.decide;
        let index = rules.iter().position(fits).unwrap_or(rules.len() - 1);
        (index, &rules[index])
    }

    /// Why this person may not decide the action; `None` if the person may.
    pub fn refuses(&self, member: &Decider, case: &PolicyInput<'_>) -> Option<String> {
        self.separates(member, case).or_else(|| {
            let (_, rule) = self.decide_rule(&case.risk_input);
            (!rule.admits(member)).then(|| {
                let groups: Vec<&str> = rule.groups.iter().map(|group| group.name.as_str()).collect();
                format!(
                    "The rule \"{}\" requires a decision by {}, and you are not among them.",
                    rule.name,
                    groups.join(" and ")
                )
            })
        })
    }

    /// Whether a rule requires approvals by members of this team.
    pub fn names_team(&self, key: &str) -> bool {
        let groups = self.rules.decide.iter().flat_map(|rule| &rule.groups);
        groups.flat_map(|group| &group.teams).any(|team| team == key)
    }

    /// Why the roles of this person exclude each other, so that the person decides nothing.
    pub fn excludes(&self, member: &Decider) -> Option<String> {
        let held = self.rules.roles.held_by(member)?;
        let held: Vec<&str> = held.iter().map(|role| role.as_str()).collect();
        Some(format!(
            "You hold the roles {}, which this policy excludes from deciding together. Ask an administrator of your identity \
             provider to remove one of them, and sign in again.",
            held.join(" and ")
        ))
    }

    /// Why the separation of duties forbids this person to decide or execute the action.
    pub fn separates(&self, member: &Decider, case: &PolicyInput<'_>) -> Option<String> {
        let (separation, human) = (&self.rules.separation, &member.human);
        if let Some(why) = self.excludes(member) {
            return Some(why);
        }
        if !separation.caller_may_decide && human == case.caller {
            return Some("It was proposed on your behalf, so another person has to decide it.".to_owned());
        }
        if !separation.pruner_may_decide && Some(human) == case.pruner {
            return Some("You left parts of it out, so another person has to decide the rest.".to_owned());
        }
        None
    }

    /// Why this person may not execute the action, given who approved it.
    pub fn refuses_to_run(&self, member: &Decider, approvers: &[Decider], case: &PolicyInput<'_>) -> Option<String> {
        let approved = || {
            (!self.rules.separation.approver_may_execute && approvers.iter().any(|one| one.human == member.human))
                .then(|| "You approved it, so another person has to execute it.".to_owned())
        };
        self.separates(member, case).or_else(approved)
    }

    /// Whether evidence of the time `collected` is stale at the time `at`.
    pub fn is_stale(&self, collected: Timestamp, at: Timestamp) -> bool {
        at.since(collected) > self.rules.evidence.max_age_days * Timestamp::DAY
    }

    /// The approvals that are missing, given who approved.
    pub fn missing(&self, approvers: &[Decider], case: &PolicyInput<'_>) -> Vec<Missing> {
        self.decide_rule(&case.risk_input)
            .1
            .missing(&self.counted(approvers, case))
    }

    /// Whether an approval by this person would reduce the missing approvals.
    pub fn would_help(&self, approvers: &[Decider], candidate: &Decider, case: &PolicyInput<'_>) -> bool {
        let counted = self.counted(approvers, case);
        self.decide_rule(&case.risk_input).1.would_help(&counted, candidate)
    }

    /// The approvers whose approval counts under the separation of duties.
    pub fn counted(&self, approvers: &[Decider], case: &PolicyInput<'_>) -> Vec<Decider> {
        let counts = |member: &&Decider| self.separates(member, case).is_none();
        approvers.iter().filter(counts).cloned().collect()
    }

    /// Whether an approver has to type a word: the release's key, or the number of changed records.
    pub fn is_typed(&self, risk_input: &RiskInput<'_>) -> bool {
        self.rules.confirmation.typed_for.contains(&self.risk_class(risk_input))
    }

    /// Applies the policy's overrides to the verdicts of checks.
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

/// The highest severity of a finding that a change set closes or accepts.
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

/// The two policies that decide an action: the policy when the action was proposed, and today's. Both have to allow it;
/// they are not merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// The policy when the action was proposed.
    pub then: Arc<Policy>,
    /// Today's policy.
    pub today: Arc<Policy>,
}

impl Policies {
    /// One policy for both.
    pub fn single(policy: Arc<Policy>) -> Self {
        Self {
            then: policy.clone(),
            today: policy,
        }
    }

    /// The policies, each once.
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

    /// What is missing under either policy, today's first. For a group in both, the larger number counts.
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

    /// Whether an approval by this person would reduce the missing approvals under either policy.
    pub fn would_help(&self, approvers: &[Decider], candidate: &Decider, case: &PolicyInput<'_>) -> bool {
        self.refuses(candidate, case).is_none()
            && self.each().any(|policy| policy.would_help(approvers, candidate, case))
    }

    /// Whether an approver has to type a word under either policy.
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

    /// Whether both policies let an approver execute the action.
    pub fn lets_approvers_run(&self) -> bool {
        self.each().all(|policy| policy.rules.separation.approver_may_execute)
    }
}

#[cfg(test)]
mod tests;
