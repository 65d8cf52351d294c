//! Real databases for tests: a SQLite file each, or, where `LOOPIQ_TEST_POSTGRES` names a cluster, a database of it each. So every
//! test that takes its database from here is a test of both. [`Cluster`] starts such a cluster; the program `with-postgres` does it
//! around a test run.
//!
//! And the real binary beside it ([`Service`]), with an agent and a person who talk to it over HTTP, as lean as a client can be.

mod cluster;
mod database;
mod files;
pub mod fixtures;
mod http;
mod service;
mod site;

pub use cluster::{Cluster, Durability};
pub use database::{Database, POSTGRES, on_postgres};
pub use files::{catalog, junit};
pub use http::{Connection, Reply};
pub use service::{Agent, Person, Service, fresh, package, unlike};
pub use site::{SITE_SCRIPT, write_site};
