//! What the pages show: one module per page. A page is one read of the store; it decides nothing.

pub(crate) mod action;
pub(crate) mod audit;
pub(crate) mod inbox;
pub(crate) mod my_decisions;
pub(crate) mod policy;
pub(crate) mod record_names;
