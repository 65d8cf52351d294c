//! `loopiq agents`: pauses of agents, tools and clients.

use super::{TenantArgs, print, print_outcome};
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::views::PausesPage;
use serde::Serialize;
use std::fmt;

/// The commands on pauses.
#[derive(Debug, clap::Subcommand)]
pub enum AgentsCommand {
    /// Pause all agents, a tool or a client: agents can read, but propose nothing, and what is pending can be rejected, but not approved or run.
    Pause(PauseArgs),
    /// End a pause.
    Resume(ResumeArgs),
    /// List what is paused.
    Paused(TenantArgs),
}

/// What is paused.
#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// Only this tool, by its name (loopiq_...).
    #[arg(long, value_name = "NAME", conflicts_with = "client")]
    tool: Option<String>,
    /// Only this client, by its ID (cli_...).
    #[arg(long, value_name = "ID")]
    client: Option<String>,
}

impl TargetArgs {
    fn target(&self) -> String {
        match (&self.tool, &self.client) {
            (Some(tool), _) => format!("tool:{tool}"),
            (None, Some(client)) => format!("client:{client}"),
            (None, None) => "agents".to_owned(),
        }
    }
}

/// The arguments of `loopiq agents pause`.
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    #[command(flatten)]
    of: TenantArgs,
    #[command(flatten)]
    what: TargetArgs,
    /// Why: agents and reviewers are shown this text.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// The arguments of `loopiq agents resume`.
#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    of: TenantArgs,
    #[command(flatten)]
    what: TargetArgs,
}

/// Runs the command.
///
/// # Errors
/// There is no such tenant, tool or client.
pub async fn run(command: AgentsCommand, runtime: Runtime) -> Result<()> {
    match command {
        AgentsCommand::Pause(PauseArgs { of, what, reason }) => {
            let (engine, ctx) = of.open(&runtime).await?;
            print_outcome(&engine.pause(&ctx, &what.target(), &reason).await?, of.json)
        }
        AgentsCommand::Resume(ResumeArgs { of, what }) => {
            let (engine, ctx) = of.open(&runtime).await?;
            print_outcome(&engine.resume(&ctx, &what.target()).await?, of.json)
        }
        AgentsCommand::Paused(of) => {
            let (engine, ctx) = of.open(&runtime).await?;
            print(&Listed(engine.pauses_page(&ctx).await?), of.json)
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Listed(PausesPage);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.pauses.is_empty() {
            return f.write_str("nothing is paused");
        }
        for (n, pause) in self.0.pauses.iter().enumerate() {
            let separator = if n == 0 { "" } else { "\n" };
            write!(
                f,
                "{separator}{}  since {}, by {}: {}",
                pause.target,
                pause.since.utc,
                pause.by,
                pause.reason.as_str().split_whitespace().collect::<Vec<_>>().join(" ")
            )?;
        }
        Ok(())
    }
}
