//! `loopiq schema`: the database's schema.

use super::print_line;
use crate::settings::Installation;
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
    /// PostgreSQL's owner, in a later version.
    #[arg(
        long,
        env = "LOOPIQ_DATABASE_ADMIN_URL",
        value_name = "URL",
        hide = true,
        hide_env_values = true
    )]
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
    if database_admin_url.is_some() {
        bail!("PostgreSQL is not in this version yet, so there is no database owner to sign in as");
    }
    installation.prepare()?;
    // Opening brings SQLite to the schema by itself.
    Store::open(&installation.url()?).await?.close().await;
    print_line("the schema is up to date")
}
