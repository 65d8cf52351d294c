//! Review checks: the reasons for which a proposal is blocked, or warned of. One file for each check, and each check is a pure function of its input.
//!
//! The checks run when an action is proposed, opened, decided and executed. A block prevents an approval; each warning must be
//! acknowledged. `docs/check-codes.md` lists what they can find.

mod blockers;
mod citations;
mod duplicates;
mod evidence;
mod foreign_references;
mod hierarchy;
mod input;
mod ownership;
mod report;
mod scope;
#[cfg(test)]
mod tests;
mod text_safety;
mod titles;

pub use duplicates::is_of_open_actions;
pub use input::{CheckInput, context_query};

use crate::domain::Check;
use report::CheckReport;

/// A check. The report is empty if the check has nothing to judge.
type CheckFn = fn(&CheckInput<'_>) -> CheckReport;

const CHECKS: [CheckFn; 10] = [
    scope::check,
    foreign_references::check,
    titles::check,
    hierarchy::check,
    blockers::check,
    evidence::check,
    duplicates::check,
    ownership::check,
    citations::check,
    text_safety::check,
];

/// Runs every check.
pub fn run(input: &CheckInput<'_>) -> Vec<Check> {
    CHECKS.iter().flat_map(|check| check(input).finish()).collect()
}
