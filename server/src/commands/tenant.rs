//! `loopiq tenant`: creates and lists tenants.

use super::{open_engine, print};
use crate::installation::Installation;
use anyhow::Result;
use loopiq::context::{Ctx, Runtime};
use serde::Serialize;
use std::fmt;

/// The commands on tenants.
#[derive(Debug, clap::Subcommand)]
pub enum TenantCommand {
    /// Create a tenant. Its key is the value of the identity provider's tenant claim.
    Create(TenantCreateArgs),
    /// List the tenants.
    List(TenantListArgs),
}

/// The arguments of `loopiq tenant create`.
#[derive(Debug, clap::Args)]
pub struct TenantCreateArgs {
    /// The key: 1 to 63 characters of a-z, 0-9 and hyphens.
    key: String,
    /// The name for people.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    installation: Installation,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq tenant list`.
#[derive(Debug, clap::Args)]
pub struct TenantListArgs {
    #[command(flatten)]
    installation: Installation,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Created {
    tenant: String,
    name: String,
    /// `false` if the tenant existed with this name.
    created: bool,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, name, created } = self;
        match created {
            true => write!(
                f,
                "The tenant {tenant} ({name}) was created. Next: loopiq catalog apply PATH --tenant {tenant}"
            ),
            false => write!(f, "The tenant {tenant} ({name}) exists already; nothing was changed."),
        }
    }
}

#[derive(Serialize)]
struct Tenant {
    key: String,
    name: String,
}

#[derive(Serialize)]
struct Tenants {
    tenants: Vec<Tenant>,
}

impl fmt::Display for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tenants.is_empty() {
            return f.write_str("There is no tenant yet: loopiq tenant create KEY --name NAME");
        }
        let lines: Vec<String> = self
            .tenants
            .iter()
            .map(|one| format!("{}\t{}", one.key, one.name))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Runs the command.
///
/// # Errors
/// There is no installation, the key or the name cannot be used, or the tenant exists with another name.
pub async fn run(command: TenantCommand, runtime: Runtime) -> Result<()> {
    match command {
        TenantCommand::Create(args) => {
            let engine = open_engine(&args.installation, &runtime).await?;
            let created = engine.create_tenant(&args.key, &args.name).await?;
            let (tenant, name) = (args.key, args.name.trim().to_owned());
            print(&Created { tenant, name, created }, args.json)
        }
        TenantCommand::List(args) => {
            let engine = open_engine(&args.installation, &runtime).await?;
            let mut tenants = Vec::new();
            for tenant in engine.store().tenants().await? {
                let ctx = Ctx::command(tenant.clone(), engine.runtime());
                let name = engine.store().read(&ctx).await?.tenant_name().await?;
                tenants.push(Tenant {
                    key: tenant.to_string(),
                    name: name.unwrap_or_default(),
                });
            }
            print(&Tenants { tenants }, args.json)
        }
    }
}
