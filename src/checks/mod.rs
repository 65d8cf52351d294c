//! Review checks: the article's "reject when" list. One file each, each a pure function of facts.
//!
//! They run when an action is proposed, opened, decided and executed. A block stops an approval; a warning must be
//! acknowledged, each by itself.

mod citations;
mod duplicates;
mod evidence;
mod foreign_references;
mod hierarchy;
mod input;
mod ownership;
#[cfg(test)]
mod tests;
mod text_safety;
mod titles;

mod report;
mod scope;

pub use duplicates::is_of_open_actions;
pub use input::{CheckInput, context_query};

use crate::domain::Check;
use report::CheckReport;

/// A check: what it found, or nothing where it has nothing to judge.
type CheckFn = fn(&CheckInput<'_>) -> CheckReport;

const CHECKS: [CheckFn; 9] = [
    scope::check,
    foreign_references::check,
    titles::check,
    hierarchy::check,
    evidence::check,
    duplicates::check,
    ownership::check,
    citations::check,
    text_safety::check,
];

/// Runs every check.
pub fn run(input: &CheckInput<'_>) -> Vec<Check> {
    CHECKS.iter().flat_map(|check| check(input).end()).collect()
}
