//! What agents call: tools that read, tools that propose, and their responses.

pub(crate) mod certification;
mod listing;
pub(crate) mod read_journal;
pub(crate) mod read_tools;
pub(crate) mod responses;
pub(crate) mod tasks;
pub(crate) mod tools;
