//! What an auditor's browser accepts and what it refuses.

mod entry;
mod growth;
mod log;
mod noise;
