//! `ownership`: owners are on the team that does the work, and one owner for all tasks is meant.

use crate::checks::CheckInput;
use crate::checks::report::CheckReport;
use crate::domain::{CheckCode, Verdict};
use std::collections::BTreeMap;

/// With this many tasks or more, one owner for all of them is a warning.
const MIN_TASKS_OF_ONE_OWNER: usize = 4;

pub(super) fn check(input: &CheckInput<'_>) -> CheckReport {
    let mut report = CheckReport::new();
    let facts = input.facts;
    let items = input.items();
    if !items.iter().any(|item| item.is_new || item.touches("ownerId")) {
        return report;
    }
    let mut pointers_by_owner: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in &items {
        if let Some(owner) = item.text("ownerId") {
            pointers_by_owner.entry(owner).or_default().push(item.pointer("owner"));
        }
    }
    let team = input.plan.scope.team.as_ref().and_then(|id| facts.team(id));
    if let Some(team) = team {
        for (owner, pointers) in &pointers_by_owner {
            if !input.context.is_on_team(team.id.as_str(), owner) {
                report.add(
                    CheckCode::OwnerNotOnTeam,
                    Verdict::Warn,
                    format!(
                        "{} is not on team {}. Make sure they know, or name an owner of the team.",
                        input.name(owner),
                        team.name
                    ),
                    facts.reference(owner),
                    pointers.clone(),
                );
            }
        }
    }
    let tasks: Vec<_> = items
        .iter()
        .filter(|item| item.is_new && item.planned.client_ref.is_some())
        .collect();
    if let Some(owner) = tasks.first().and_then(|task| task.text("ownerId"))
        && tasks.len() >= MIN_TASKS_OF_ONE_OWNER
        && tasks.iter().all(|task| task.text("ownerId") == Some(owner))
    {
        report.add(
            CheckCode::OneOwnerForAll,
            Verdict::Warn,
            format!(
                "{} owns all {} tasks. Make sure that this is meant.",
                input.name(owner),
                tasks.len()
            ),
            facts.reference(owner),
            tasks.iter().map(|task| task.pointer("owner")),
        );
    }
    let code = CheckCode::OwnershipPassed;
    match (pointers_by_owner.len(), team) {
        (0, _) => report.or_pass(code, "No owner is named; the team assigns the work.", None),
        (_, Some(team)) => report.or_pass(
            code,
            format!("Every owner is on team {}.", team.name),
            facts.reference(team.id.as_str()),
        ),
        (_, None) => report,
    }
}
