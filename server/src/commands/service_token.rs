//! `loopiq service-token`: tokens of programs without a browser.

use super::{TenantArgs, find_tenant, open_token_engine, print, print_outcome};
use crate::installation::demo_url;
use crate::secret_key::SecretKeyArgs;
use crate::urls::{mcp_audience, public_url};
use anyhow::{Context, Result, bail};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::Scopes;
use loopiq::engine::{ServiceToken, ServiceTokenRequest};
use loopiq::views::{ClientsPage, GrantView, Label};
use serde::Serialize;
use std::fmt;

/// The commands on service tokens.
#[derive(Debug, clap::Subcommand)]
pub enum ServiceTokenCommand {
    /// Create a token for a program. A token that acts for a person is offered to that person, who accepts it on /settings/clients and is shown
    /// the secret.
    Create(CreateArgs),
    /// List the clients and tokens of a tenant.
    List(TenantArgs),
    /// Revoke a client or a token.
    Revoke(RevokeArgs),
}

/// The arguments of `loopiq service-token create`.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    #[command(flatten)]
    of: TenantArgs,
    #[command(flatten)]
    secret_key: SecretKeyArgs,
    /// The name by which people tell the token from others.
    #[arg(long)]
    name: String,
    /// What the program may do: loopiq:import, loopiq:catalog, loopiq:audit; for a person loopiq:read, loopiq:propose.
    #[arg(long, value_name = "SCOPE", required = true, value_delimiter = ',')]
    scope: Vec<String>,
    /// The person for whom the program acts, by verified e-mail address.
    #[arg(long, value_name = "EMAIL", default_value = "")]
    person: String,
    /// The days until the token ends: at most 365.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    days: i64,
    /// The service's public URL. Default in a demo: that of its last start.
    #[arg(long, env = "LOOPIQ_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
}

/// The arguments of `loopiq service-token revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    of: TenantArgs,
    /// The ID (grt_...), as `loopiq service-token list` names it.
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs the command.
///
/// # Errors
/// There is no such tenant, person or token, or the token that is wanted is not permitted.
pub async fn run(command: ServiceTokenCommand, runtime: Runtime) -> Result<()> {
    match command {
        ServiceTokenCommand::Create(args) => create(args, &runtime).await,
        ServiceTokenCommand::List(of) => {
            let (engine, ctx) = of.open(&runtime).await?;
            print(&Listed(engine.clients_page(&ctx).await?), of.json)
        }
        ServiceTokenCommand::Revoke(RevokeArgs { of, id }) => {
            let (engine, ctx) = of.open(&runtime).await?;
            print_outcome(&engine.revoke_grant(&ctx, &id).await?, of.json)
        }
    }
}

async fn create(args: CreateArgs, runtime: &Runtime) -> Result<()> {
    let CreateArgs {
        of,
        secret_key,
        name,
        scope,
        person,
        days,
        public_url: given,
    } = args;
    let list = scope.join(" ");
    let (scopes, unknown) = Scopes::parse(&list);
    if let Some(unknown) = unknown.first() {
        bail!(
            "{unknown} is no scope; there are loopiq:read, loopiq:propose, loopiq:import, loopiq:catalog and loopiq:audit"
        );
    }
    let url = match given.as_deref() {
        Some(given) => public_url(given)?,
        None => demo_url(&of.installation.data_dir).context("set --public-url: a token is for one service")?,
    };
    let engine = open_token_engine(&of.installation, &secret_key, runtime).await?;
    let ctx = Ctx::command(find_tenant(&engine, &of.tenant).await?, engine.runtime());
    let request = ServiceTokenRequest {
        name,
        scopes,
        person,
        days,
        audience: mcp_audience(&url),
    };
    print(&Created(engine.create_service_token(&ctx, request).await?), of.json)
}

#[derive(Serialize)]
#[serde(transparent)]
struct Created(ServiceToken);

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.token, &self.0.waits_for) {
            (Some(token), _) => f.write_str(token),
            (None, Some(person)) => write!(
                f,
                "{} waits for {person}, who accepts it on /settings/clients",
                self.0.id
            ),
            (None, None) => write!(f, "{}", self.0.id),
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Listed(ClientsPage);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&GrantView> = self.0.others.iter().flatten().collect();
        if all.is_empty() {
            return f.write_str("no clients and no tokens");
        }
        for (n, grant) in all.into_iter().enumerate() {
            let person = grant.person.as_ref();
            let person = person.map_or_else(|| "the tenant".to_owned(), |[name, email]| format!("{name} ({email})"));
            let used = grant.used.as_ref().map_or("never", |used| used.utc.as_str());
            let separator = if n == 0 { "" } else { "\n" };
            write!(
                f,
                "{separator}{}  {} ({}), for {person}: {}; last used {used}, ends {}; client {}",
                grant.id,
                grant.name,
                match grant.is_paused {
                    true => format!("{}, paused", grant.state.label().to_lowercase()),
                    false => grant.state.label().to_lowercase(),
                },
                grant.scopes.join("; "),
                grant.ends.utc,
                grant.client
            )?;
        }
        Ok(())
    }
}
