//! `loopiq audit`: the audit trail.

use super::{find_tenant, open_engine, print_line};
use crate::installation::Installation;
use anyhow::{Result, bail};
use loopiq::context::Runtime;

/// The commands on the audit trail.
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Check every entry of the log, and that none is missing.
    Verify(AuditVerifyArgs),
}

/// The arguments of `loopiq audit verify`.
#[derive(Debug, clap::Args)]
pub struct AuditVerifyArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant. Default: all tenants.
    #[arg(long)]
    tenant: Option<String>,
    /// Print one JSON object for each tenant.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// An entry is invalid, and the line names the first one; or there is no such tenant.
pub async fn run(command: AuditCommand, runtime: Runtime) -> Result<()> {
    let AuditCommand::Verify(AuditVerifyArgs {
        installation,
        tenant,
        json,
    }) = command;
    let engine = open_engine(&installation, &runtime).await?;
    let tenants = match tenant {
        Some(name) => vec![find_tenant(&engine, &name).await?],
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
            Some((seq, why)) => bad.push(format!("{tenant}: entry {seq} {why}")),
            None if json => {}
            None => print_line(&format!("{tenant}: {entries} entries, all valid"))?,
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        bail!("{}", bad.join("; "))
    }
}
