//! `loopiq token`: a bearer token in a demo, where there is nobody to ask.

use super::{demo_url, engine, known_tenant, print};
use crate::mcp_audience;
use crate::settings::{Installation, public_url};
use anyhow::{Result, bail};
use loopiq::context::Ports;
use serde::Serialize;
use std::fmt;

/// What `loopiq token` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The person that the client acts for.
    #[arg(long = "as", value_name = "EMAIL")]
    caller: String,
    /// The client's name.
    #[arg(long, default_value = "Helix")]
    client: String,
    /// Where the service is reached; without it, where the demo was last started.
    #[arg(long, env = "LOOPIQ_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Token {
    token: String,
    audience: String,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)
    }
}

/// Prints a new token.
///
/// # Errors
/// The installation is no demo, or there is no such tenant or person.
pub async fn run(args: Args, ports: Ports) -> Result<()> {
    let Args {
        installation,
        tenant,
        caller,
        client,
        public_url: given,
        json,
    } = args;
    installation.must_exist()?;
    let Some(started_at) = demo_url(&installation.data_dir) else {
        bail!(
            "{} is not a demo: tokens are printed only for an installation that was started with --demo",
            installation.data_dir.display()
        );
    };
    let url = given.as_deref().map(public_url).transpose()?.unwrap_or(started_at);
    let engine = engine(&installation, &ports).await?;
    let tenant = known_tenant(&engine, &tenant).await?;
    let audience = mcp_audience(&url);
    let token = engine.issue_token(&tenant, &caller, &client, &audience).await?;
    print(&Token { token, audience }, json)
}
