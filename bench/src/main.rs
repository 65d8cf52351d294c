//! Measures the service over HTTP and MCP and prints each figure with its floor from the same run. `loopiq-bench BINARY
//! SITE [sqlite|postgres]`.
//!
//! The service is the release binary on a database with 100,000 actions and audit entries. The client runs on the same
//! machine with minimal overhead, and every figure includes it. `benches/engine.rs` measures parts of the engine.
//!
//! `loopiq-bench search BINARY SITE [ENTRIES...]` measures the audit search only, on logs of several lengths.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod audit_search;
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

const USAGE: &str = "usage: loopiq-bench [search] BINARY SITE";

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let first = words.next().context(USAGE)?;
    if first == "floor" {
        return floor::serve().await;
    }
    let only_search = first == "search";
    let bin = if only_search {
        words.next().context(USAGE)?
    } else {
        first
    };
    let bin = PathBuf::from(bin);
    let site = PathBuf::from(words.next().context(USAGE)?);
    if only_search {
        println!("{}", machine::describe());
        let lengths = words.map(|word| word.parse()).collect::<Result<Vec<i64>, _>>()?;
        let lengths = if lengths.is_empty() {
            vec![10_000, 1_000_000]
        } else {
            lengths
        };
        return audit_search::measure(&bin, &site, &lengths).await;
    }
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
