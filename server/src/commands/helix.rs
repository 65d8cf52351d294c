//! `loopiq helix`: the demo agent. A real MCP client that reads what blocks a release and proposes work packages from it,
//! by plain rules and without a language model.

mod agent;
mod package;
mod plan;
mod report;
mod run;

use super::installation::must_be_demo;
use super::{demo_url, engine, known_tenant, print};
use crate::mcp_audience;
use crate::settings::{Installation, public_url};
use anyhow::{Result, bail};
use loopiq::context::Runtime;

/// Where a demo is reached unless it was told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:3000";

/// What `loopiq helix` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The release's key, such as PAY-2026.11.
    #[arg(long, value_name = "KEY")]
    release: String,
    /// Where the service is reached; without it, where the demo was last started, or http://127.0.0.1:3000.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The bearer token. In a demo one is made for developer@TENANT.example.
    #[arg(long, env = "LOOPIQ_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The most work packages to propose.
    #[arg(long, value_name = "N", default_value_t = 3)]
    packages: usize,
    /// Ask for previews and checks; nothing is stored.
    #[arg(long)]
    dry_run: bool,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Reads, proposes, and prints what came of it.
///
/// # Errors
/// The service is not reached or refuses, or some of the proposals failed; those are in what was printed.
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    let demo = demo_url(&args.installation.data_dir);
    let url = match (&args.url, &demo) {
        (Some(given), _) => public_url(given)?,
        (None, Some(demo)) => demo.clone(),
        (None, None) => DEFAULT_URL.to_owned(),
    };
    if url.starts_with("https:") {
        // TLS would bring a second copy of everything it needs, for a demo that is only ever on loopback.
        bail!("helix is a demo agent and speaks plain HTTP; {url} needs another client");
    }
    let token = match (&args.token, demo) {
        (Some(token), _) => token.trim().to_owned(),
        (None, Some(demo)) => demo_token(&args, &demo, &runtime).await?,
        (None, None) => bail!(
            "a bearer token is needed: --token or LOOPIQ_TOKEN ({} is no demo, so none can be made)",
            args.installation.data_dir.display()
        ),
    };
    let agent = agent::Agent::connect(&mcp_audience(&url), &token, &runtime).await?;
    let task = run::Task {
        tenant: &args.tenant,
        release: &args.release,
        dry_run: args.dry_run,
        most: args.packages,
    };
    let report = run::run(&agent, &task, &|line| eprintln!("helix: {line}")).await;
    agent.close().await;
    let report = report?;
    print(&report, args.json)?;
    match report.failed.len() {
        0 => Ok(()),
        failed => bail!("{failed} of {} proposals failed", failed + report.proposals.len()),
    }
}

/// A token for the tenant's developer. It is for the demo's own address, whatever name that is reached by.
async fn demo_token(args: &Args, demo: &str, runtime: &Runtime) -> Result<String> {
    let engine = engine(&args.installation, runtime).await?;
    must_be_demo(engine.store(), &args.installation).await?;
    let tenant = known_tenant(&engine, &args.tenant).await?;
    let caller = format!("developer@{}.example", tenant.as_str());
    let token = engine
        .issue_token(&tenant, &caller, "Helix", &mcp_audience(demo))
        .await?;
    eprintln!("helix: this is a demo, so a token for {caller} was made");
    Ok(token)
}
