//! Compares who decides: the groups of two rules, and their approvals.

use super::super::rules::{DecideRule, Group};
use super::Sentences;
use crate::domain::Address;

/// Compares the groups of two rules.
pub(super) fn compare_deciders(old: &DecideRule, new: &DecideRule, sentences: &mut Sentences) {
    let rules = if old.name == new.name {
        format!("The rule \"{}\"", new.name)
    } else {
        format!("The rule \"{}\", where \"{}\" decided until now,", new.name, old.name)
    };
    for group in &new.groups {
        if !old.groups.iter().any(|known| is_within(group, known)) {
            sentences.add(format!(
                "{rules} lets people of the group \"{}\" decide who did not before.",
                group.name
            ));
        }
    }
    if let Some(group) = uncovered_group(old, new) {
        sentences.add(format!(
            "{rules} needs fewer approvals of the group \"{}\", or takes them from other people.",
            group.name
        ));
    }
}

/// A group of the old rule with a slot that no slot of the new rule covers. If there is none, people who fill the new
/// slots also fill the old slots. (Each new slot covers at most one old slot whose group contains the new group.)
fn uncovered_group<'r>(old: &'r DecideRule, new: &DecideRule) -> Option<&'r Group> {
    let slots = |rule: &'_ DecideRule| -> Vec<usize> {
        let groups = rule.groups.iter().enumerate();
        // A stored version may have more approvals than are allowed today; the rest is ignored.
        groups
            .flat_map(|(n, group)| std::iter::repeat_n(n, group.approvals.min(64)))
            .collect()
    };
    let (wanted, offered) = (slots(old), slots(new));
    let mut taken: Vec<Option<usize>> = vec![None; offered.len()];
    let fits = |want: usize, offer: usize| is_within(&new.groups[offered[offer]], &old.groups[wanted[want]]);
    (0..wanted.len())
        .find(|want| !cover(*want, &fits, &mut taken, &mut vec![false; offered.len()]))
        .map(|want| &old.groups[wanted[want]])
}

fn cover(want: usize, fits: &impl Fn(usize, usize) -> bool, taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for offer in 0..taken.len() {
        if tried[offer] || !fits(want, offer) {
            continue;
        }
        tried[offer] = true;
        let free = match taken[offer] {
            None => true,
            Some(other) => cover(other, fits, taken, tried),
        };
        if free {
            taken[offer] = Some(want);
            return true;
        }
    }
    false
}

/// Whether every person in one group is also in the other.
fn is_within(one: &Group, other: &Group) -> bool {
    let narrower = |these: &[String], those: &[String], same: fn(&str, &str) -> bool| {
        let known = |this: &String| those.iter().any(|that| same(this, that));
        those.is_empty() || (!these.is_empty() && these.iter().all(known))
    };
    one.asked().iter().all(|role| other.asked().contains(role))
        && narrower(&one.teams, &other.teams, |this, that| this == that)
        && narrower(&one.people, &other.people, is_same_person)
}

/// The same ID, or the same e-mail address.
fn is_same_person(this: &str, that: &str) -> bool {
    this == that || Address::parse(this).is_some_and(|address| Address::parse(that) == Some(address))
}
