//! Decides whether a policy is at least as strict as another for every possible action. Whatever cannot be proved
//! counts as loosened.

mod deciders;
mod outcomes;

use super::rules::{Rules, VerdictOverride};
use crate::domain::{CheckId, Risk, Role};
use deciders::compare_deciders;
use outcomes::{Outcome, outcomes, tools};

/// The most sentences that are reported.
const MAX_SENTENCES: usize = 40;

/// What `new` loosens compared with `old`, in sentences. Empty: `new` provably treats every action at least as
/// strictly.
pub fn loosens(old: &Rules, new: &Rules) -> Vec<String> {
    // A new field breaks this pattern, so that its author adds the comparison below.
    let Rules {
        risk: _,
        decide: _,
        separation: _,
        expiry_hours: _,
        evidence: _,
        severity: _,
        checks: _,
        confirmation: _,
        step_up: _,
        roles: _,
        limits: _,
    } = new;
    let mut sentences = Sentences::default();
    compare_fields(old, new, &mut sentences);
    compare_actions(old, new, &mut sentences);
    sentences.list
}

/// The collected sentences, each once.
#[derive(Default)]
struct Sentences {
    list: Vec<String>,
    more: bool,
}

impl Sentences {
    fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if self.list.contains(&sentence) || self.more {
            return;
        }
        if self.list.len() == MAX_SENTENCES {
            self.more = true;
            self.list.push("There is more that it loosens.".to_owned());
            return;
        }
        self.list.push(sentence);
    }
}

/// Compares the fields that hold for every action.
fn compare_fields(old: &Rules, new: &Rules, sentences: &mut Sentences) {
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
        sentences.add(*sentence);
    }
    let (was, is) = (old.evidence.max_age_days, new.evidence.max_age_days);
    if is > was {
        sentences.add(format!("Evidence may be {is} days old, not {was}."));
    }
    let (was, is) = (old.severity.blocker_from, new.severity.blocker_from);
    if is > was {
        sentences.add(format!(
            "Open findings block releases from severity {} on, not from {} on.",
            is.as_str(),
            was.as_str()
        ));
    }
    for check in CheckId::ALL {
        let (was, is) = (old.checks.get(&check), new.checks.get(&check));
        if strictness(is) < strictness(was) {
            sentences.add(format!("The check {} {}.", check.as_str(), softer(was, is)));
        }
    }
    for combination in &old.roles.forbidden {
        let covers = |known: &Vec<Role>| known.iter().all(|role| combination.contains(role));
        if !new.roles.forbidden.iter().any(covers) {
            let roles: Vec<&str> = combination.iter().map(|role| role.as_str()).collect();
            sentences.add(format!(
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
            sentences.add(format!("{is} actions of one {whose} may wait, not {was}."));
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

/// Compares what depends on the action: its risk class, its expiry, its confirmation, and who decides it.
fn compare_actions(old: &Rules, new: &Rules, sentences: &mut Sentences) {
    for tool in tools(old, new) {
        for (was, is) in outcomes(old, new, tool, sentences) {
            compare(old, new, was, is, tool, sentences);
        }
    }
}

fn about(tool: Option<&str>) -> String {
    tool.map_or_else(|| "of the other tools".to_owned(), |name| format!("of {name}"))
}

/// Compares the outcomes of one action.
fn compare(old: &Rules, new: &Rules, was: Outcome, is: Outcome, tool: Option<&str>, sentences: &mut Sentences) {
    if is.0 < was.0 {
        sentences.add(format!(
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
        sentences.add(format!(
            "Actions of risk {} wait {after} hours, not {before}.",
            risk_change(was.0, is.0)
        ));
    }
    if old.confirmation.typed_for.contains(&was.0) && !new.confirmation.typed_for.contains(&is.0) {
        sentences.add(format!(
            "Actions of risk {} are approved without typing a word.",
            risk_change(was.0, is.0)
        ));
    }
    if old.step_up.risk.contains(&was.0) {
        compare_step_up(old, new, was.0, is.0, sentences);
    }
    if let (Some(one), Some(other)) = (old.decide.get(was.1), new.decide.get(is.1)) {
        compare_deciders(one, other, sentences);
    }
}

/// Compares what approvals require of the approver's sign-in, for an action whose approval required something until now.
fn compare_step_up(old: &Rules, new: &Rules, was: Risk, is: Risk, sentences: &mut Sentences) {
    let (before, after, risk) = (&old.step_up, &new.step_up, risk_change(was, is));
    if !after.risk.contains(&is) {
        sentences.add(format!("Actions of risk {risk} are approved without a recent sign-in."));
        return;
    }
    if after.max_age_minutes > before.max_age_minutes {
        sentences.add(format!(
            "Actions of risk {risk} are approved up to {} minutes after the sign-in, not {}.",
            after.max_age_minutes, before.max_age_minutes
        ));
    }
    let more = || after.acr.iter().filter(|acr| !before.acr.contains(acr));
    if before.acr.is_empty() || (!after.acr.is_empty() && more().next().is_none()) {
        return;
    }
    sentences.add(if after.acr.is_empty() {
        format!("Actions of risk {risk} are approved after every kind of sign-in (acr).")
    } else {
        let more: Vec<&str> = more().map(String::as_str).collect();
        format!(
            "Actions of risk {risk} are approved after a sign-in of the kind {} (acr) too.",
            more.join(", ")
        )
    });
}

fn risk_change(was: Risk, is: Risk) -> String {
    if was == is {
        is.as_str().to_owned()
    } else {
        format!("{} (until now {})", is.as_str(), was.as_str())
    }
}

#[cfg(test)]
mod tests;
