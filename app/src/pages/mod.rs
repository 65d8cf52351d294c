//! One file per page. Pages render what the engine's views hold and decide nothing.

mod action;
mod audit;
mod audit_entry;
mod inbox;
mod link;
mod load;
mod policy;
mod problem;
mod requests;

pub(crate) use action::{ActionPage, ConfirmPage};
pub(crate) use audit::AuditPage;
pub(crate) use audit_entry::AuditEntryPage;
pub(crate) use inbox::InboxPage;
pub(crate) use policy::PolicyPage;
pub(crate) use problem::NotFoundPage;
pub(crate) use requests::RequestsPage;
