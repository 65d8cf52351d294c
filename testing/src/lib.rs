//! Databases for tests: a SQLite file for each test, or a PostgreSQL database for each, if `LOOPIQ_TEST_POSTGRES` names
//! a cluster. A test that takes its database from here tests both. [`Cluster`] starts such a cluster; the program
//! `with-postgres` does it for a test run.
//!
//! Also the service's binary ([`Service`]), with an agent and a person who use it over HTTP with minimal overhead.

mod agent;
mod cluster;
mod database;
mod files;
pub mod fixtures;
mod grants;
mod http;
mod packages;
mod person;
mod service;
mod site;

pub use agent::Agent;
pub use cluster::{Cluster, Durability};
pub use database::{Database, POSTGRES, on_postgres};
pub use files::{catalog, junit};
pub use grants::{TestToken, insert_token};
pub use http::{Connection, Reply};
pub use packages::{fresh, package, unlike};
pub use person::Person;
pub use service::Service;
pub use site::{SITE_SCRIPT, write_site};
