//! What becomes of a tool's actions under two policies, for every combination of conditions.
//!
//! Each condition on arguments is taken as an independent statement. The comparison tries all combinations of true and
//! false, which include every combination that real arguments can have. It can therefore call a policy looser that
//! differs only in impossible cases, and never misses one that is looser.

use super::super::rules::{Condition, DecideRule, RiskRule, Rules};
use super::{Sentences, about};
use crate::domain::{Risk, Severity};
use std::collections::BTreeSet;

/// The most conditions on one tool's arguments whose combinations are tried (2^12); with more, only equal rules are
/// compared.
const MAX_CONDITIONS: usize = 12;
/// Every risk class.
pub(super) const RISKS: [Risk; 3] = [Risk::Low, Risk::Medium, Risk::High];

/// Every tool that a rule names, and `None` for all others.
pub(super) fn tools<'r>(old: &'r Rules, new: &'r Rules) -> BTreeSet<Option<&'r str>> {
    let named = [old, new].into_iter().flat_map(|rules| {
        let risk = rules.risk.iter().filter_map(|rule| rule.tool.as_deref());
        let decide = rules
            .decide
            .iter()
            .flat_map(|rule| rule.tools.iter().map(String::as_str));
        risk.chain(decide)
    });
    named.map(Some).chain([None]).collect()
}

/// A risk class, and the index of the rule that says who decides.
pub(super) type Outcome = (Risk, usize);

/// The outcomes of a tool's actions under both policies, each pair once.
pub(super) fn outcomes(
    old: &Rules,
    new: &Rules,
    tool: Option<&str>,
    sentences: &mut Sentences,
) -> BTreeSet<(Outcome, Outcome)> {
    let mut conditions = Vec::new();
    let (was, is) = (
        Side::new(old, tool, &mut conditions),
        Side::new(new, tool, &mut conditions),
    );
    if conditions.len() > MAX_CONDITIONS {
        return compare_pairwise(&was, &is, tool, sentences);
    }
    let implied = implications(&conditions);
    let mut outcomes = BTreeSet::new();
    for holding in 0..1u128 << conditions.len() {
        if !implied
            .iter()
            .all(|(strong, weak)| holding & strong == 0 || holding & weak != 0)
        {
            continue;
        }
        for tool_risk in RISKS {
            for max_severity in std::iter::once(None).chain(Severity::ALL.iter().copied().map(Some)) {
                outcomes.insert((
                    was.outcome(holding, tool_risk, max_severity),
                    is.outcome(holding, tool_risk, max_severity),
                ));
            }
        }
    }
    outcomes
}

/// The rules of a policy that can match a tool. A set of conditions is a number with one bit for each condition.
struct Side<'r> {
    rules: &'r Rules,
    risk: Vec<(Option<u128>, &'r RiskRule)>,
    decide: Vec<(Option<u128>, usize, &'r DecideRule)>,
}

impl<'r> Side<'r> {
    /// `known` lists the conditions that have a bit; the conditions of these rules are appended.
    fn new(rules: &'r Rules, tool: Option<&str>, known: &mut Vec<&'r Condition>) -> Self {
        let fits = |named: &String| Some(named.as_str()) == tool;
        let mut bits = |conditions: &'r [Condition]| {
            conditions.iter().try_fold(0, |bits, condition| {
                let bit = known.iter().position(|one| *one == condition).unwrap_or_else(|| {
                    known.push(condition);
                    known.len() - 1
                });
                Some(bits | 1u128.checked_shl(u32::try_from(bit).ok()?)?)
            })
        };
        let risk = rules.risk.iter().filter(|rule| rule.tool.as_ref().is_none_or(fits));
        let risk = risk.map(|rule| (bits(&rule.conditions), rule)).collect();
        let decide = rules.decide.iter().enumerate();
        let decide = decide.filter(|(_, rule)| rule.tools.is_empty() || rule.tools.iter().any(fits));
        Self {
            rules,
            risk,
            decide: decide
                .map(|(index, rule)| (bits(&rule.conditions), index, rule))
                .collect(),
        }
    }

    /// The outcome if exactly these conditions hold; must agree with [`Policy::risk_class`](crate::policy::Policy::risk_class)
    /// and [`Policy::decide_rule`](crate::policy::Policy::decide_rule).
    fn outcome(&self, holding: u128, tool_risk: Risk, max_severity: Option<Severity>) -> Outcome {
        let hold = |bits: &Option<u128>| bits.is_some_and(|bits| holding & bits == bits);
        let ruled = self.risk.iter().find(|(bits, _)| hold(bits));
        let class = match (ruled, max_severity) {
            (Some((_, rule)), _) => rule.class,
            (None, Some(severity)) if severity >= self.rules.severity.high_risk_from => Risk::High,
            _ => tool_risk,
        };
        let fits = |rule: &DecideRule| rule.risk.is_empty() || rule.risk.contains(&class);
        let found = self.decide.iter().find(|(bits, _, rule)| fits(rule) && hold(bits));
        let last = self.rules.decide.len().saturating_sub(1);
        (class, found.map_or(last, |(_, index, _)| *index))
    }
}

/// Pairs of conditions of which the first implies the second. Combinations that contradict a pair cannot occur.
fn implications(conditions: &[&Condition]) -> Vec<(u128, u128)> {
    let bits = || 0..conditions.len();
    bits()
        .flat_map(|one| bits().map(move |other| (one, other)))
        .filter(|(one, other)| one != other && implies(conditions[*one], conditions[*other]))
        .map(|(one, other)| (1 << one, 1 << other))
        .collect()
}

/// Whether `one` implies `other`.
fn implies(one: &Condition, other: &Condition) -> bool {
    let values = one.is.iter().all(|value| other.is.contains(value));
    let sizes = match (one.at_least, other.at_least) {
        (None, _) => true,
        (Some(more), Some(less)) => more >= less,
        (Some(_), None) => false,
    };
    one.at == other.at && values && sizes
}

/// For too many conditions: if the rules select the same actions in the same order, they are compared pairwise.
fn compare_pairwise(
    was: &Side<'_>,
    is: &Side<'_>,
    tool: Option<&str>,
    sentences: &mut Sentences,
) -> BTreeSet<(Outcome, Outcome)> {
    let rules = |side: &Side<'_>| side.risk.iter().map(|(_, rule)| (*rule).clone()).collect::<Vec<_>>();
    let choices = was.decide.iter().zip(&is.decide);
    let same_choices = choices
        .clone()
        .all(|((.., one), (.., other))| (&one.risk, &one.conditions) == (&other.risk, &other.conditions));
    let same = same_choices
        && was.decide.len() == is.decide.len()
        && rules(was) == rules(is)
        && was.rules.severity.high_risk_from == is.rules.severity.high_risk_from;
    if !same {
        sentences.add(format!(
            "The rules for actions {} have so many conditions that it cannot be shown that none of them has become looser.",
            about(tool)
        ));
        return BTreeSet::new();
    }
    choices
        .flat_map(|((_, one, _), (_, other, _))| RISKS.map(|risk| ((risk, *one), (risk, *other))))
        .collect()
}
