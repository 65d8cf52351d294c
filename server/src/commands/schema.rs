//! `loopiq schema`: the database's schema.

use super::print_line;
use crate::settings::{Installation, database_url};
use anyhow::{Result, bail};
use loopiq::store::Store;

/// What there is to do with the schema.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Bring the database to this version's schema.
    Upgrade(Args),
}

/// What `loopiq schema upgrade` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// PostgreSQL: the database as the role that owns the tables. The role of the database URL is granted what the service needs.
    #[arg(long, env = "LOOPIQ_DATABASE_ADMIN_URL", value_name = "URL", hide_env_values = true)]
    database_admin_url: Option<String>,
}

/// Runs it.
///
/// # Errors
/// The database cannot be opened, or is of a newer version.
pub async fn run(command: Command) -> Result<()> {
    let Command::Upgrade(Args {
        installation,
        database_admin_url,
    }) = command;
    let service = installation.url()?;
    let owner = match database_admin_url {
        Some(url) => database_url(&url)?,
        None if installation.file().is_none() => bail!(
            "LOOPIQ_DATABASE_ADMIN_URL (or --database-admin-url) is not set: on PostgreSQL the owner of the database upgrades the \
             schema, and the service's own role is only granted what it needs"
        ),
        None => {
            installation.prepare()?;
            service.clone()
        }
    };
    for beyond in Store::upgrade_schema(&owner, &service).await? {
        eprintln!("loopiq: {beyond}");
    }
    print_line("the schema is up to date")
}
