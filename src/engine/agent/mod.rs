//! What an agent calls: tools that read and tools that propose, and what they respond.

pub(crate) mod certification;
pub(crate) mod read_journal;
pub(crate) mod read_tools;
pub(crate) mod responses;
pub(crate) mod tools;
