//! Real databases for tests: a SQLite file each, or, where `LOOPIQ_TEST_POSTGRES` names a cluster, a database of it each. So every
//! test that takes its database from here is a test of both. [`Cluster`] starts such a cluster; the program `with-postgres` does it
//! around a test run.

mod cluster;
mod database;

pub use cluster::{Cluster, Durability};
pub use database::{Database, POSTGRES, on_postgres};
