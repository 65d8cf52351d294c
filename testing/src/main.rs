//! `with-postgres COMMAND…` runs a command with a PostgreSQL cluster of its own, which `LOOPIQ_TEST_POSTGRES` names and
//! which is removed afterwards. `LOOPIQ_TEST_DATABASE_URL` names a database in it with the current schema, in the
//! service's role.

use anyhow::{Context, Result};
use loopiq_testing::{Cluster, Database, Durability, POSTGRES};
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("usage: with-postgres COMMAND [ARGUMENT…]")?;
    let cluster = Cluster::start(Durability::None)?;
    let admin = cluster.url("postgres");
    // A prepared database, for programs that do not create their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let database = runtime.block_on(Database::on_cluster(&admin));
    let status = Command::new(&program)
        .args(words)
        .env(POSTGRES, &admin)
        .env("LOOPIQ_TEST_DATABASE_URL", &database.url)
        .status()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    drop(database);
    drop(cluster);
    Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
}
