//! `loopiq release` and `loopiq certification`: what people decide about releases, at the console.

use super::{TenantArgs, print_outcome};
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::domain::ReleaseStatus;

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
    of: TenantArgs,
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
    of: TenantArgs,
}

fn status(name: &str) -> Result<ReleaseStatus, String> {
    ReleaseStatus::parse(name).ok_or_else(|| {
        let names: Vec<&str> = ReleaseStatus::ALL.iter().map(|status| status.as_str()).collect();
        format!("the statuses are {}", names.join(", "))
    })
}

/// Runs a command on releases.
///
/// # Errors
/// There is no such tenant or release, or the release cannot have this status.
pub async fn run(command: ReleaseCommand, runtime: Runtime) -> Result<()> {
    let ReleaseCommand::Status(args) = command;
    let (engine, ctx) = args.of.open(&runtime).await?;
    print_outcome(
        &engine.set_release_status(&ctx, &args.key, args.status).await?,
        args.of.json,
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
    let (engine, ctx) = args.of.open(&runtime).await?;
    let outcome = match is_grant {
        true => engine.grant_certification(&ctx, &args.key, &args.reason).await?,
        false => engine.refuse_certification(&ctx, &args.key, &args.reason).await?,
    };
    print_outcome(&outcome, args.of.json)
}
