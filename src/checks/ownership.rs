//! `ownership`: owners are on the team that does the work, and nobody is loaded with all of it by accident.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{CheckId, Verdict};
use std::collections::BTreeMap;

/// From so many tasks on, one owner for all of them may be an accident.
const WHOLE: usize = 4;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut found = CheckReport::of(CheckId::Ownership);
    let (facts, around) = (input.facts, input.around);
    let items = input.items();
    if !items.iter().any(|item| item.is_new || item.touches("ownerId")) {
        return found;
    }
    let mut owned: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in &items {
        if let Some(owner) = item.text("ownerId") {
            owned.entry(owner).or_default().push(item.pointer("owner"));
        }
    }
    let team = input.plan.scope.team.as_ref().and_then(|id| facts.team(id));
    if let Some(team) = team {
        for (owner, places) in &owned {
            if !around.is_on(team.id.as_str(), owner) {
                found.add(
                    Verdict::Warn,
                    format!(
                        "{} is not on team {}. Make sure that they know of it, or name somebody of the team.",
                        input.name(owner),
                        team.name
                    ),
                    facts.reference(owner),
                    places.clone(),
                );
            }
        }
    }
    let tasks: Vec<_> = items
        .iter()
        .filter(|item| item.is_new && item.planned.client_ref.is_some())
        .collect();
    if let Some(owner) = tasks.first().and_then(|task| task.text("ownerId"))
        && tasks.len() >= WHOLE
        && tasks.iter().all(|task| task.text("ownerId") == Some(owner))
    {
        found.add(
            Verdict::Warn,
            format!(
                "All {} tasks are {}'s. Make sure that this is meant.",
                tasks.len(),
                input.name(owner)
            ),
            facts.reference(owner),
            tasks.iter().map(|task| task.pointer("owner")),
        );
    }
    match (owned.len(), team) {
        (0, _) => found.or_pass("Nobody is named as owner; the team will give the work out.", None),
        (_, Some(team)) => found.or_pass(
            format!("Every owner is on team {}.", team.name),
            facts.reference(team.id.as_str()),
        ),
        (_, None) => found,
    }
}
