//! Whether one policy is at least as strict as another one for every action there can be. What cannot be shown counts as loosened.
//!
//! Conditions on arguments are taken for statements that are true or false, each by itself: the comparison goes through all combinations
//! of them, which are at least those that arguments can bring about. Two policies that differ only where no action can be are therefore
//! called looser, and never the other way round.

use super::rules::{Condition, DecideRule, Group, RiskRule, Rules, VerdictOverride};
use crate::domain::{Address, CheckId, Risk, Role, Severity};
use std::collections::BTreeSet;

/// The most conditions on one tool's arguments that are gone through in all combinations.
const CONDITIONS: usize = 12;
/// The most sentences.
const SENTENCES: usize = 40;
/// Every class of risk.
const RISKS: [Risk; 3] = [Risk::Low, Risk::Medium, Risk::High];

/// What a policy loosens in the place of another one, in sentences. None: it is shown that every action is treated at least as strictly.
pub fn loosens(old: &Rules, new: &Rules) -> Vec<String> {
    // A field that is added is compared below: this does not compile before it is named here.
    let Rules {
        risk: _,
        decide: _,
        separation: _,
        expiry_hours: _,
        evidence: _,
        severity: _,
        checks: _,
        confirmation: _,
        roles: _,
        limits: _,
    } = new;
    let mut found = Found::default();
    by_flags(old, new, &mut found);
    by_action(old, new, &mut found);
    found.said
}

/// The sentences so far, each once.
#[derive(Default)]
struct Found {
    said: Vec<String>,
    more: bool,
}

impl Found {
    fn say(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if self.said.contains(&sentence) || self.more {
            return;
        }
        if self.said.len() == SENTENCES {
            self.more = true;
            self.said.push("There is more that it loosens.".to_owned());
            return;
        }
        self.said.push(sentence);
    }
}

/// What holds for every action alike.
fn by_flags(old: &Rules, new: &Rules, found: &mut Found) {
    let (was, is) = (&old.separation, &new.separation);
    let flags = [
        (
            was.caller_may_decide,
            is.caller_may_decide,
            "The person an action was proposed for may decide it.",
        ),
        (
            was.approver_may_execute,
            is.approver_may_execute,
            "Somebody who approved an action may run it.",
        ),
        (
            was.pruner_may_decide,
            is.pruner_may_decide,
            "Somebody who took parts out of an action may decide what is left.",
        ),
    ];
    for (_, _, sentence) in flags.iter().filter(|(was, is, _)| *is && !*was) {
        found.say(*sentence);
    }
    let (was, is) = (old.evidence.max_age_days, new.evidence.max_age_days);
    if is > was {
        found.say(format!("Evidence may be {is} days old, not {was}."));
    }
    let (was, is) = (old.severity.blocker_from, new.severity.blocker_from);
    if is > was {
        found.say(format!(
            "Open findings block releases from severity {} on, not from {} on.",
            is.as_str(),
            was.as_str()
        ));
    }
    for check in CheckId::ALL {
        let (was, is) = (old.checks.get(&check), new.checks.get(&check));
        if strictness(is) < strictness(was) {
            found.say(format!("The check {} {}.", check.as_str(), softer(was, is)));
        }
    }
    for combination in &old.roles.forbidden {
        let covers = |known: &Vec<Role>| known.iter().all(|role| combination.contains(role));
        if !new.roles.forbidden.iter().any(covers) {
            let roles: Vec<&str> = combination.iter().map(|role| role.as_str()).collect();
            found.say(format!(
                "Somebody who holds the roles {} may decide.",
                roles.join(" and ")
            ));
        }
    }
    let (was, is) = (&old.limits, &new.limits);
    for (was, is, whose) in [
        (was.pending_per_caller, is.pending_per_caller, "caller"),
        (was.pending_per_client, is.pending_per_client, "client"),
    ] {
        if is > was {
            found.say(format!("{is} actions of one {whose} may wait, not {was}."));
        }
    }
}

fn strictness(meaning: Option<&VerdictOverride>) -> u8 {
    match meaning {
        Some(VerdictOverride::Warn) => 0,
        None => 1,
        Some(VerdictOverride::Block) => 2,
    }
}

fn softer(was: Option<&VerdictOverride>, is: Option<&VerdictOverride>) -> &'static str {
    match (was, is) {
        (_, Some(VerdictOverride::Warn)) => "only warns of what it would block",
        _ => "no longer blocks what it only warns of by itself",
    }
}

/// What depends on the action: its class of risk, how long it waits, what is typed for it, and who decides it.
fn by_action(old: &Rules, new: &Rules, found: &mut Found) {
    for tool in tools(old, new) {
        for (was, is) in outcomes(old, new, tool, found) {
            compare(old, new, was, is, tool, found);
        }
    }
}

/// Every tool that a rule names, and `None` for the others.
fn tools<'r>(old: &'r Rules, new: &'r Rules) -> BTreeSet<Option<&'r str>> {
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

/// A class of risk, and the place of the rule that says who decides.
type Judged = (Risk, usize);

/// What becomes of a tool's actions under both policies, each pair of outcomes once.
fn outcomes(old: &Rules, new: &Rules, tool: Option<&str>, found: &mut Found) -> BTreeSet<(Judged, Judged)> {
    let mut conditions = Vec::new();
    let (was, is) = (
        Side::of(old, tool, &mut conditions),
        Side::of(new, tool, &mut conditions),
    );
    if conditions.len() > CONDITIONS {
        return aligned(&was, &is, tool, found);
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
                    was.judge(holding, tool_risk, max_severity),
                    is.judge(holding, tool_risk, max_severity),
                ));
            }
        }
    }
    outcomes
}

/// The rules of a policy that can fit a tool. A set of conditions is a number: one bit for each condition.
struct Side<'r> {
    rules: &'r Rules,
    risk: Vec<(Option<u128>, &'r RiskRule)>,
    decide: Vec<(Option<u128>, usize, &'r DecideRule)>,
}

impl<'r> Side<'r> {
    /// `known` are the conditions that have a bit; those of these rules are added to it.
    fn of(rules: &'r Rules, tool: Option<&str>, known: &mut Vec<&'r Condition>) -> Self {
        let fits = |named: &String| Some(named.as_str()) == tool;
        let mut bits = |conditions: &'r [Condition]| {
            conditions.iter().try_fold(0, |bits, condition| {
                let place = known.iter().position(|one| *one == condition).unwrap_or_else(|| {
                    known.push(condition);
                    known.len() - 1
                });
                Some(bits | 1u128.checked_shl(u32::try_from(place).ok()?)?)
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
                .map(|(place, rule)| (bits(&rule.conditions), place, rule))
                .collect(),
        }
    }

    /// As `Policy::class` and `Policy::rule` do, where these conditions hold and no others.
    fn judge(&self, holding: u128, tool_risk: Risk, max_severity: Option<Severity>) -> Judged {
        let hold = |bits: &Option<u128>| bits.is_some_and(|bits| holding & bits == bits);
        let ruled = self.risk.iter().find(|(bits, _)| hold(bits));
        let class = match (ruled, max_severity) {
            (Some((_, rule)), _) => rule.class,
            (None, Some(severity)) if severity >= self.rules.severity.high_risk_from => Risk::High,
            _ => tool_risk,
        };
        let fits = |rule: &DecideRule| rule.risk.is_empty() || rule.risk.contains(&class);
        let place = self.decide.iter().find(|(bits, _, rule)| fits(rule) && hold(bits));
        let last = self.rules.decide.len().saturating_sub(1);
        (class, place.map_or(last, |(_, place, _)| *place))
    }
}

/// Pairs of conditions of which the first holds with the second alone: arguments bring about no other combination.
fn implications(conditions: &[&Condition]) -> Vec<(u128, u128)> {
    let places = || 0..conditions.len();
    places()
        .flat_map(|one| places().map(move |other| (one, other)))
        .filter(|(one, other)| one != other && implies(conditions[*one], conditions[*other]))
        .map(|(one, other)| (1 << one, 1 << other))
        .collect()
}

/// Whether a condition that holds has the other one hold as well.
fn implies(one: &Condition, other: &Condition) -> bool {
    let values = one.is.iter().all(|value| other.is.contains(value));
    let sizes = match (one.at_least, other.at_least) {
        (None, _) => true,
        (Some(more), Some(less)) => more >= less,
        (Some(_), None) => false,
    };
    one.at == other.at && values && sizes
}

/// Where there are too many conditions to go through: rules that choose the same actions in the same order are compared one by one.
fn aligned(was: &Side<'_>, is: &Side<'_>, tool: Option<&str>, found: &mut Found) -> BTreeSet<(Judged, Judged)> {
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
        found.say(format!(
            "The rules for actions {} have so many conditions that it cannot be shown that none of them has become looser.",
            about(tool)
        ));
        return BTreeSet::new();
    }
    choices
        .flat_map(|((_, one, _), (_, other, _))| RISKS.map(|risk| ((risk, *one), (risk, *other))))
        .collect()
}

fn about(tool: Option<&str>) -> String {
    tool.map_or_else(|| "of the other tools".to_owned(), |name| format!("of {name}"))
}

/// Compares what becomes of one action under both.
fn compare(old: &Rules, new: &Rules, was: Judged, is: Judged, tool: Option<&str>, found: &mut Found) {
    if is.0 < was.0 {
        found.say(format!(
            "Actions {} can be of risk {} where they were of risk {}.",
            about(tool),
            is.0.as_str(),
            was.0.as_str()
        ));
    }
    let hours = |rules: &Rules, risk: Risk| match risk {
        Risk::Low => rules.expiry_hours.low,
        Risk::Medium => rules.expiry_hours.medium,
        Risk::High => rules.expiry_hours.high,
    };
    let (before, after) = (hours(old, was.0), hours(new, is.0));
    if after > before {
        found.say(format!(
            "Actions of risk {} wait {after} hours, not {before}.",
            moved(was.0, is.0)
        ));
    }
    if old.confirmation.typed_for.contains(&was.0) && !new.confirmation.typed_for.contains(&is.0) {
        found.say(format!(
            "Actions of risk {} are approved without typing a word.",
            moved(was.0, is.0)
        ));
    }
    if let (Some(one), Some(other)) = (old.decide.get(was.1), new.decide.get(is.1)) {
        deciders(one, other, found);
    }
}

fn moved(was: Risk, is: Risk) -> String {
    if was == is {
        is.as_str().to_owned()
    } else {
        format!("{} (until now {})", is.as_str(), was.as_str())
    }
}

/// Whether a rule asks for all that another one asked for, and lets in nobody else.
fn deciders(old: &DecideRule, new: &DecideRule, found: &mut Found) {
    let rules = if old.name == new.name {
        format!("The rule \"{}\"", new.name)
    } else {
        format!("The rule \"{}\", where \"{}\" decided until now,", new.name, old.name)
    };
    for group in &new.groups {
        if !old.groups.iter().any(|known| is_within(group, known)) {
            found.say(format!(
                "{rules} lets people of the group \"{}\" decide who did not before.",
                group.name
            ));
        }
    }
    if let Some(lacking) = unmatched(old, new) {
        found.say(format!(
            "{rules} needs fewer approvals of the group \"{}\", or takes them from other people.",
            lacking.name
        ));
    }
}

/// A group of the old rule of which a place has no place of the new one to itself whose people are all in it. If there is none, whoever
/// fills the new places fills the old ones.
fn unmatched<'r>(old: &'r DecideRule, new: &DecideRule) -> Option<&'r Group> {
    let places = |rule: &'_ DecideRule| -> Vec<usize> {
        let groups = rule.groups.iter().enumerate();
        // More than a rule may have is not gone through.
        groups
            .flat_map(|(n, group)| std::iter::repeat_n(n, group.approvals.min(64)))
            .collect()
    };
    let (wanted, offered) = (places(old), places(new));
    let mut taken: Vec<Option<usize>> = vec![None; offered.len()];
    let fits = |want: usize, offer: usize| is_within(&new.groups[offered[offer]], &old.groups[wanted[want]]);
    (0..wanted.len())
        .find(|want| !seat(*want, &fits, &mut taken, &mut vec![false; offered.len()]))
        .map(|want| &old.groups[wanted[want]])
}

fn seat(want: usize, fits: &impl Fn(usize, usize) -> bool, taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for offer in 0..taken.len() {
        if tried[offer] || !fits(want, offer) {
            continue;
        }
        tried[offer] = true;
        let free = match taken[offer] {
            None => true,
            Some(other) => seat(other, fits, taken, tried),
        };
        if free {
            taken[offer] = Some(want);
            return true;
        }
    }
    false
}

/// Whether everybody who can be in one group can be in the other.
fn is_within(one: &Group, other: &Group) -> bool {
    let narrower = |these: &[String], those: &[String], same: fn(&str, &str) -> bool| {
        let known = |this: &String| those.iter().any(|that| same(this, that));
        those.is_empty() || (!these.is_empty() && these.iter().all(known))
    };
    one.asked().iter().all(|role| other.asked().contains(role))
        && narrower(&one.teams, &other.teams, |this, that| this == that)
        && narrower(&one.people, &other.people, is_same_person)
}

/// The same ID, or the same address.
fn is_same_person(this: &str, that: &str) -> bool {
    this == that || Address::parse(this).is_some_and(|address| Address::parse(that) == Some(address))
}

#[cfg(test)]
mod tests;
