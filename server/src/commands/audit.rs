//! `loopiq audit`: the audit trail.

use super::{engine, known_tenant, print_line};
use crate::settings::Installation;
use anyhow::{Result, bail};
use loopiq::context::Runtime;

/// What there is to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Check the whole log: every entry, and that none is missing.
    Verify(Args),
}

/// What `loopiq audit verify` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// One tenant; without it, all.
    #[arg(long)]
    tenant: Option<String>,
    /// Print one JSON object for each tenant.
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// An entry does not hold; the line names the first one. Or there is nothing to check.
pub async fn run(command: Command, runtime: Runtime) -> Result<()> {
    let Command::Verify(Args {
        installation,
        tenant,
        json,
    }) = command;
    let engine = engine(&installation, &runtime).await?;
    let tenants = match tenant {
        Some(name) => vec![known_tenant(&engine, &name).await?],
        None => engine.store().tenants().await?,
    };
    let mut bad = Vec::new();
    for tenant in tenants {
        let report = engine.verify_audit(&tenant).await?;
        let (tenant, entries) = (&report.tenant, report.entries);
        if json {
            print_line(&serde_json::to_string(&report)?)?;
        }
        match &report.bad {
            Some((seq, why)) => bad.push(format!("{tenant}: entry {seq} does not hold: {why}")),
            None if json => {}
            None => print_line(&format!("{tenant}: {entries} entries, all of them hold"))?,
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        bail!("{}", bad.join("; "))
    }
}
