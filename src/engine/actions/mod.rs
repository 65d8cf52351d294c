//! What happens to an action, in the order of its life.

pub(crate) mod approvals;
pub(crate) mod approve;
pub(crate) mod check_changes;
pub(crate) mod command;
pub(crate) mod create;
pub(crate) mod decision;
pub(crate) mod execute;
pub(crate) mod expire;
pub(crate) mod lifecycle;
pub(crate) mod plan;
pub(crate) mod propose;
pub(crate) mod prune;
pub(crate) mod questions;
pub(crate) mod reject;
pub(crate) mod revalidate;
pub(crate) mod revoke;
pub(crate) mod step_up;
pub(crate) mod withdraw;

#[cfg(test)]
mod tests;
