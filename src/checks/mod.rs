//! Review checks: the article's "reject when" list. One file each, each a pure function of facts.
//!
//! They run when an action is proposed, opened, decided and executed. A block stops an approval; a warning must be
//! acknowledged, each by itself.

mod context;
mod duplicates;
mod evidence;
mod grounding;
mod hierarchy;
mod ownership;
mod subject;
#[cfg(test)]
mod tests;
mod text_safety;
mod titles;
mod unrelated;
mod verdicts;

pub use duplicates::is_of_open_actions;
pub use subject::{Subject, surroundings_of};

use crate::domain::Check;
use verdicts::Verdicts;

/// A check: what it found, or nothing where it has nothing to judge.
type CheckFn = fn(&Subject<'_>) -> Verdicts;

const CHECKS: [CheckFn; 9] = [
    context::check,
    unrelated::check,
    titles::check,
    hierarchy::check,
    evidence::check,
    duplicates::check,
    ownership::check,
    grounding::check,
    text_safety::check,
];

/// Runs every check.
pub fn run(subject: &Subject<'_>) -> Vec<Check> {
    CHECKS.iter().flat_map(|check| check(subject).end()).collect()
}
