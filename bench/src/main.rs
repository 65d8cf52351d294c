//! Measures the service over HTTP and MCP and prints each figure with its floor from the same run. `loopiq-bench BINARY
//! SITE [sqlite|postgres]` starts the release binary on a database with 100,000 actions and audit entries. The client runs on the same
//! machine with minimal overhead, and every figure includes it. `benches/engine.rs` measures parts of the engine.
//!
//! `loopiq-bench search BINARY SITE [ENTRIES...]` measures the audit search only, on logs of several lengths.
//! `loopiq-bench log [ENTRIES]` measures the audit log only: appends, checkpoints, proofs and verification.
//! `loopiq-bench profile BINARY SITE FOLDER` shows where the time of a request goes.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod audit_log;
mod audit_search;
mod backlog;
mod delay;
mod fill;
mod floor;
mod load;
mod machine;
mod prepare;
mod profile;
mod requests;
mod service;
mod table;
mod targets;

use anyhow::{Context, Result};
use loopiq_testing::{Cluster, Database, Durability};
use prepare::{Prepared, Setup};
use std::path::{Path, PathBuf};
use table::{Row, Table};

const USAGE: &str = "usage: loopiq-bench [search|profile] BINARY SITE";

#[tokio::main]
async fn main() -> Result<()> {
    sqlx::any::install_default_drivers();
    let mut words = std::env::args().skip(1).peekable();
    match words.peek().context(USAGE)?.as_str() {
        "floor" => floor::serve().await,
        "profile" => profile::run(words.skip(1)).await,
        "search" => search(words.skip(1)).await,
        "log" => audit_log::run(words.skip(1)).await,
        _ => measure(words).await,
    }
}

async fn search(mut words: impl Iterator<Item = String>) -> Result<()> {
    let mut path = || words.next().map(PathBuf::from).context(USAGE);
    let (bin, site) = (path()?, path()?);
    println!("{}", machine::describe());
    let mut lengths = words.map(|word| word.parse()).collect::<Result<Vec<i64>, _>>()?;
    if lengths.is_empty() {
        lengths = vec![10_000, 1_000_000];
    }
    audit_search::measure(&bin, &site, &lengths).await
}

async fn measure(mut words: impl Iterator<Item = String>) -> Result<()> {
    let mut path = || words.next().map(PathBuf::from).context(USAGE);
    let (bin, site) = (path()?, path()?);
    let only = words.next();
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    println!("{}", machine::describe());
    let floor = floor::Floor::start()?;
    let mut table = Table::default();
    if wanted("sqlite") {
        let database = &Database::sqlite();
        let setup = Setup {
            name: "SQLite",
            bin: &bin,
            site: &site,
            database,
        };
        service::measure(setup, &targets::SQLITE, &floor, &mut table).await?;
    }
    if wanted("postgres") {
        postgres(&bin, &site, &floor, &mut table).await?;
    }
    println!("{table}");
    Ok(())
}

/// PostgreSQL behind a socket, and behind a network.
async fn postgres(bin: &Path, site: &Path, floor: &floor::Floor, table: &mut Table) -> Result<()> {
    let cluster = Cluster::start(Durability::Full)?;
    let database = &Database::on_cluster(&cluster.url("postgres")).await;
    let setup = Setup {
        name: "PostgreSQL",
        bin,
        site,
        database,
    };
    let prepared = service::measure(setup, &targets::POSTGRES, floor, table).await?;
    away(&prepared, floor, table).await
}

/// The same database through a server that delays each direction.
async fn away(prepared: &Prepared<'_>, floor: &floor::Floor, table: &mut Table) -> Result<()> {
    const NAME: &str = "PostgreSQL, 0.5 ms away";
    let Database {
        url, all_seeing_url, ..
    } = prepared.setup.database;
    let delay = delay::Delay::start(url)?;
    let (here, away) = (all_seeing_url.as_str(), delay.url(all_seeing_url)?);
    let (near, far) = (floor::round_trip(here).await?, floor::round_trip(&away).await?);
    let intended = near.median() + delay::ROUND_TRIP.as_secs_f64() * 1e3;
    let each_way = delay.shorten(far.median() - intended);
    let far = floor::round_trip(&away).await?;
    table.add(Row {
        database: NAME,
        what: format!("round trip (SELECT 1), {each_way:.2} ms delay each way"),
        figure: far.describe(),
        floor: format!("{:.2} ms (without the delay)", near.median()),
        ratio: Some(far.median() / near.median()),
        target: "",
    });
    service::measure_at(NAME, prepared, (&delay.url(url)?, &away), floor, table).await
}
