//! `loopiq token`: prints a bearer token. A demo has no authorization server that a client could ask for one.

use super::{find_tenant, open_token_engine, print};
use crate::installation::{Installation, demo_url};
use crate::secret_key::SecretKeyArgs;
use crate::urls::{mcp_audience, public_url};
use anyhow::{Context, Result};
use loopiq::context::Runtime;
use serde::Serialize;
use std::fmt;

/// The arguments of `loopiq token`.
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    #[command(flatten)]
    installation: Installation,
    #[command(flatten)]
    secret_key: SecretKeyArgs,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The person that the client acts for.
    #[arg(long = "as", value_name = "EMAIL")]
    caller: String,
    /// The client's name.
    #[arg(long, default_value = "Helix")]
    client: String,
    /// The service's public URL. Default: that of the demo's last start.
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
/// The installation is not a demo, or there is no such tenant or person.
pub async fn run(args: TokenArgs, runtime: Runtime) -> Result<()> {
    let TokenArgs {
        installation,
        secret_key,
        tenant,
        caller,
        client,
        public_url: given,
        json,
    } = args;
    let engine = open_token_engine(&installation, &secret_key, &runtime).await?;
    installation.must_be_demo(engine.store()).await?;
    let url = match given.as_deref() {
        Some(given) => public_url(given)?,
        None => demo_url(&installation.data_dir).with_context(|| {
            format!(
                "{} does not contain the demo's URL: set --public-url",
                installation.data_dir.display()
            )
        })?,
    };
    let tenant = find_tenant(&engine, &tenant).await?;
    let audience = mcp_audience(&url);
    let token = engine.issue_token(&tenant, &caller, &client, &audience).await?;
    print(&Token { token, audience }, json)
}
