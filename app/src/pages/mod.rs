//! One file or folder per page. A page renders a value of `loopiq::views` and decides nothing.

mod access;
mod action;
mod audit;
mod audit_entry;
mod catalog;
mod clients;
mod inbox;
pub(crate) mod link;
mod page_data;
mod pauses;
mod policy;
mod problem;
mod release;
mod requests;
mod sessions;

pub(crate) use access::{AccessPage, PersonPage};
pub(crate) use action::{ActionPage, ConfirmPage};
pub(crate) use audit::AuditPage;
pub(crate) use audit_entry::AuditEntryPage;
pub(crate) use catalog::CatalogPage;
pub(crate) use clients::ClientsPage;
pub(crate) use inbox::InboxPage;
pub(crate) use pauses::PausesPage;
pub(crate) use policy::PolicyPage;
pub(crate) use problem::NotFoundPage;
pub(crate) use release::ReleasePage;
pub(crate) use requests::RequestsPage;
pub(crate) use sessions::SessionsPage;
