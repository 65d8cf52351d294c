//! The commands. Each works while the service runs, prints its result on stdout and everything else on stderr.

pub mod agents;
pub mod audit;
pub mod backup;
pub mod catalog;
pub mod check_config;
pub mod generic_words;
pub mod helix;
pub mod import;
pub mod migrate;
pub mod openapi;
mod output;
pub mod policy;
pub mod release;
pub mod request;
pub mod schema;
pub mod serve;
pub mod service_token;
pub mod sessions;
pub mod tenant;
pub mod token;

pub use output::one_line;

use crate::installation::Installation;
use crate::secret_key::SecretKeyArgs;
use anyhow::{Context, Result, bail};
use loopiq::context::{Ctx, Runtime};
use loopiq::digest_key::DigestKey;
use loopiq::domain::TenantId;
use loopiq::engine::Engine;
use output::{print, print_line, print_outcome};

/// The most tenants that a message names.
const MOST_NAMED: usize = 5;

/// The arguments of commands in one tenant.
#[derive(Debug, clap::Args)]
pub struct TenantArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

impl TenantArgs {
    /// An engine, and the context of a command in the tenant.
    async fn open(&self, runtime: &Runtime) -> Result<(Engine, Ctx)> {
        open_tenant(&self.installation, &self.tenant, runtime).await
    }
}

/// An engine on an existing installation. Commands create no links, so the engine has no public URL.
async fn open_engine(installation: &Installation, runtime: &Runtime) -> Result<Engine> {
    let store = installation.open().await?;
    Ok(Engine::new(store, installation.with_log_keys(runtime)?, ""))
}

/// An engine that makes tokens which the service accepts.
async fn open_token_engine(
    installation: &Installation,
    secret_key: &SecretKeyArgs,
    runtime: &Runtime,
) -> Result<Engine> {
    installation.must_exist()?;
    let secret = secret_key.of(installation, runtime)?;
    let runtime = runtime.clone().with_digest_key(DigestKey::derive(&secret));
    open_engine(installation, &runtime).await
}

/// An engine, and the context of a command in one tenant.
async fn open_tenant(installation: &Installation, tenant: &str, runtime: &Runtime) -> Result<(Engine, Ctx)> {
    let engine = open_engine(installation, runtime).await?;
    let tenant = find_tenant(&engine, tenant).await?;
    let ctx = Ctx::command(tenant, engine.runtime());
    Ok((engine, ctx))
}

/// The tenant of this name.
async fn find_tenant(engine: &Engine, name: &str) -> Result<TenantId> {
    let tenant = TenantId::parse(name)
        .ok()
        .with_context(|| format!("{name} is not a tenant's name: a-z, 0-9 and hyphens"))?;
    let tenants = engine.store().tenants().await?;
    if tenants.contains(&tenant) {
        return Ok(tenant);
    }
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).take(MOST_NAMED).collect();
    match names.as_slice() {
        [] => {
            bail!("there is no tenant {name} here, and no other; `loopiq tenant create {name} --name NAME` creates it")
        }
        names => bail!(
            "there is no tenant {name} here; there is {}; `loopiq tenant create {name} --name NAME` creates it",
            names.join(", ")
        ),
    }
}
