//! Review checks: the article's "reject when" list. One file each, each a pure function of facts.
//!
//! They run when an action is proposed, opened, decided and executed. A block stops an approval; a warning must be
//! acknowledged, each by itself.

mod context;
mod evidence;

use crate::domain::{Check, Facts, Policy, Timestamp};
use crate::tools::Plan;

/// What a check judges.
pub struct Subject<'a> {
    /// What would be done.
    pub plan: &'a Plan,
    /// The records it is about, as they are now.
    pub facts: &'a Facts,
    /// What the tenant has decided about deciding.
    pub policy: &'a Policy,
    /// The time.
    pub now: Timestamp,
}

/// A check: one finding, or none where it has nothing to judge.
type CheckFn = fn(&Subject<'_>) -> Option<Check>;

const CHECKS: &[CheckFn] = &[context::check, evidence::check];

/// Runs every check.
pub fn run(subject: &Subject<'_>) -> Vec<Check> {
    CHECKS.iter().filter_map(|check| check(subject)).collect()
}
