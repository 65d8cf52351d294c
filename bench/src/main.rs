//! Measures the service over HTTP and MCP and prints each figure with its floor from the same run. `loopiq-bench BINARY
//! SITE [sqlite|postgres]`.
//!
//! The service is the release binary on a database with 100,000 actions and audit entries. The client runs on the same
//! machine with minimal overhead, and every figure includes it. `benches/engine.rs` measures parts of the engine.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod backlog;
mod fill;
mod floor;
mod load;
mod machine;
mod service;
mod table;

use anyhow::{Context, Result};
use loopiq_testing::{Cluster, Database, Durability};
use std::path::PathBuf;
use table::Table;

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let first = words.next().context("usage: loopiq-bench BINARY SITE")?;
    if first == "floor" {
        return floor::serve().await;
    }
    let bin = PathBuf::from(first);
    let site = PathBuf::from(words.next().context("usage: loopiq-bench BINARY SITE")?);
    let only = words.next();
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    println!("{}", machine::describe());
    let floor = floor::Floor::start()?;
    let mut table = Table::default();
    if wanted("sqlite") {
        let sqlite = Database::sqlite();
        service::measure("SQLite", &bin, &site, &sqlite, &floor, &mut table).await?;
    }
    if wanted("postgres") {
        let cluster = Cluster::start(Durability::Full)?;
        let postgres = Database::on_cluster(&cluster.url("postgres")).await;
        service::measure("PostgreSQL", &bin, &site, &postgres, &floor, &mut table).await?;
    }
    println!("{table}");
    Ok(())
}
