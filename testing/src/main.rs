//! `with-postgres COMMAND…`: runs a command beside a PostgreSQL cluster of its own, which `LOOPIQ_TEST_POSTGRES` names, and which
//! is gone afterwards.

use anyhow::{Context, Result};
use loopiq_testing::{Cluster, Durability, POSTGRES};
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("usage: with-postgres COMMAND [ARGUMENT…]")?;
    let cluster = Cluster::start(Durability::None)?;
    let status = Command::new(&program)
        .args(words)
        .env(POSTGRES, cluster.url("postgres"))
        .status()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    drop(cluster);
    Ok(u8::try_from(status.code().unwrap_or(1)).map_or(ExitCode::FAILURE, ExitCode::from))
}
