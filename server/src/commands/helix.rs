//! `loopiq helix`: the demo agent. An MCP client that reads the blockers of a release and proposes work packages for them, with fixed
//! rules instead of a language model.

mod agent;
mod package;
mod plan;
mod report;
mod run;

use super::{find_tenant, open_token_engine, print};
use crate::installation::{Installation, demo_url};
use crate::secret::{SecretArgs, secret_setting};
use crate::secret_key::SecretKeyArgs;
use crate::urls::{mcp_audience, public_url};
use anyhow::{Result, bail};
use loopiq::context::Runtime;

/// The URL of a demo without settings.
const DEFAULT_URL: &str = "http://127.0.0.1:3000";

secret_setting! {
    /// The bearer token of a client.
    Token, "token", "LOOPIQ_TOKEN", "TOKEN",
    "The bearer token. Default in a demo: a new one for developer@TENANT.example",
    "A file that contains the bearer token, for its owner or group only"
}

/// The arguments of `loopiq helix`.
#[derive(Debug, clap::Args)]
pub struct HelixArgs {
    #[command(flatten)]
    installation: Installation,
    #[command(flatten)]
    secret_key: SecretKeyArgs,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The release's key, such as PAY-2026.11.
    #[arg(long, value_name = "KEY")]
    release: String,
    /// The service's public URL. Default: that of the demo's last start, else http://127.0.0.1:3000.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    token: SecretArgs<Token>,
    /// The maximum number of work packages to propose.
    #[arg(long, value_name = "N", default_value_t = 3)]
    packages: usize,
    /// Only request previews and checks; nothing is stored.
    #[arg(long)]
    dry_run: bool,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the agent and prints its report.
///
/// # Errors
/// The service cannot be reached or refuses the token, or some proposals failed. The printed report contains the failed ones.
pub async fn run(args: HelixArgs, runtime: Runtime) -> Result<()> {
    let demo = demo_url(&args.installation.data_dir);
    let url = match (&args.url, &demo) {
        (Some(url), _) => public_url(url)?,
        (None, Some(demo)) => demo.clone(),
        (None, None) => DEFAULT_URL.to_owned(),
    };
    if url.starts_with("https:") {
        // A demo listens on loopback only, so the agent needs no TLS.
        bail!("helix is a demo agent and supports http only; use another client for {url}");
    }
    let token = match (args.token.read()?, demo) {
        (Some(token), _) => token.expose().trim().to_owned(),
        (None, Some(demo)) => demo_token(&args, &demo, &runtime).await?,
        (None, None) => bail!(
            "a bearer token is needed: set --token, LOOPIQ_TOKEN or LOOPIQ_TOKEN_FILE ({} is not a demo, so helix cannot create one)",
            args.installation.data_dir.display()
        ),
    };
    let agent = agent::Agent::connect(&mcp_audience(&url), &token, &runtime).await?;
    let options = run::RunOptions {
        tenant: &args.tenant,
        release: &args.release,
        dry_run: args.dry_run,
        max_packages: args.packages,
    };
    let report = run::run(&agent, &options, &|line| eprintln!("helix: {line}")).await;
    agent.close().await;
    let report = report?;
    print(&report, args.json)?;
    match report.failed.len() {
        0 => Ok(()),
        failed => bail!("{failed} of {} proposals failed", failed + report.proposals.len()),
    }
}

/// Creates a token for the tenant's developer. Its audience is the demo's own URL, which may differ from the URL that helix connects to.
async fn demo_token(args: &HelixArgs, demo: &str, runtime: &Runtime) -> Result<String> {
    let engine = open_token_engine(&args.installation, &args.secret_key, runtime).await?;
    args.installation.must_be_demo(engine.store()).await?;
    let tenant = find_tenant(&engine, &args.tenant).await?;
    let caller = format!("developer@{}.example", tenant.as_str());
    let token = engine
        .issue_token(&tenant, &caller, "Helix", &mcp_audience(demo))
        .await?;
    eprintln!("helix: created a demo token for {caller}");
    Ok(token)
}
