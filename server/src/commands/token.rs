//! `loopiq token`: a bearer token in a demo, where there is nobody to ask.

use super::installation::must_be_demo;
use super::{demo_url, engine, known_tenant, print};
use crate::mcp_audience;
use crate::settings::{Installation, public_url};
use anyhow::{Context, Result};
use loopiq::context::Runtime;
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
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    let Args {
        installation,
        tenant,
        caller,
        client,
        public_url: given,
        json,
    } = args;
    let engine = engine(&installation, &runtime).await?;
    must_be_demo(engine.store(), &installation).await?;
    let url = match given.as_deref() {
        Some(given) => public_url(given)?,
        None => demo_url(&installation.data_dir).with_context(|| {
            format!(
                "{} does not say where the demo is reached: name it with --public-url",
                installation.data_dir.display()
            )
        })?,
    };
    let tenant = known_tenant(&engine, &tenant).await?;
    let audience = mcp_audience(&url);
    let token = engine.issue_token(&tenant, &caller, &client, &audience).await?;
    print(&Token { token, audience }, json)
}
