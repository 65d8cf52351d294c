//! The data of the web pages: one module for each page. A page is one read of the store and changes nothing.

pub(crate) mod action;
pub(crate) mod audit;
pub(crate) mod audit_query;
pub(crate) mod catalog;
pub(crate) mod inbox;
pub(crate) mod my_decisions;
pub(crate) mod policy;
pub(crate) mod policy_impact;
pub(crate) mod record_names;
pub(crate) mod release;
