//! SQLite in this process: connections that read, and one thread that writes.

mod connection;
mod readers;
#[cfg(test)]
mod tests;
mod writer;

pub(in crate::store) use connection::{Cancel, Connection, Done};
pub(in crate::store) use readers::{Reader, Readers};
pub(in crate::store) use writer::{Writer, open};
