//! `loopiq release` and `loopiq certification`: what people decide about releases, at the console.

use super::{open_tenant, print};
use crate::installation::Installation;
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::domain::ReleaseStatus;
use loopiq::views::Outcome;
use serde::Serialize;
use std::fmt;

/// The commands on releases.
#[derive(Debug, clap::Subcommand)]
pub enum ReleaseCommand {
    /// Set the status of a release. It is certified only if all its certifications are granted.
    Status(ReleaseStatusArgs),
}

/// The commands on certifications.
#[derive(Debug, clap::Subcommand)]
pub enum CertificationCommand {
    /// Grant a certification. Open blockers of its release prevent it.
    Grant(CertificationArgs),
    /// Refuse a certification. A certified release is in progress again then.
    Refuse(CertificationArgs),
}

/// The arguments of `loopiq release status`.
#[derive(Debug, clap::Args)]
pub struct ReleaseStatusArgs {
    /// The release's key, such as PAY-2026.11.
    key: String,
    /// The status: planned, in_progress, certified or released.
    #[arg(value_parser = status)]
    status: ReleaseStatus,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq certification grant` and `refuse`.
#[derive(Debug, clap::Args)]
pub struct CertificationArgs {
    /// The certification's key, such as PCI-2026.11.
    key: String,
    /// The reason, which the audit log keeps.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

fn status(name: &str) -> Result<ReleaseStatus, String> {
    ReleaseStatus::parse(name).ok_or_else(|| {
        let names: Vec<&str> = ReleaseStatus::ALL.iter().map(|status| status.as_str()).collect();
        format!("the statuses are {}", names.join(", "))
    })
}

#[derive(Serialize)]
struct Said {
    message: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn say(outcome: &Outcome, json: bool) -> Result<()> {
    let message = outcome.message.to_string();
    print(&Said { message }, json)
}

/// Runs a command on releases.
///
/// # Errors
/// There is no such tenant or release, or the release cannot have this status.
pub async fn run(command: ReleaseCommand, runtime: Runtime) -> Result<()> {
    let ReleaseCommand::Status(args) = command;
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, &runtime).await?;
    say(
        &engine.set_release_status(&ctx, &args.key, args.status).await?,
        args.json,
    )
}

/// Runs a command on certifications.
///
/// # Errors
/// There is no such tenant or certification, or blockers prevent it.
pub async fn certify(command: CertificationCommand, runtime: Runtime) -> Result<()> {
    let (args, is_grant) = match command {
        CertificationCommand::Grant(args) => (args, true),
        CertificationCommand::Refuse(args) => (args, false),
    };
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, &runtime).await?;
    let outcome = match is_grant {
        true => engine.grant_certification(&ctx, &args.key, &args.reason).await?,
        false => engine.refuse_certification(&ctx, &args.key, &args.reason).await?,
    };
    say(&outcome, args.json)
}
