//! One file per page. Pages render what the engine's views hold and decide nothing.

mod action;
mod audit;
mod audit_entry;
mod inbox;
mod link;
mod load;
mod policy;
mod problem;

pub(crate) use action::{ActionPage, ConfirmPage};
pub(crate) use audit::AuditPage;
pub(crate) use audit_entry::AuditEntryPage;
pub(crate) use inbox::InboxPage;
pub(crate) use policy::PolicyPage;
pub(crate) use problem::NotFoundPage;
