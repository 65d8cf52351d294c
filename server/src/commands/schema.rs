//! `loopiq schema`: maintains the database's schema.

use super::print_line;
use crate::installation::{Installation, database_url};
use crate::secret::{SecretArgs, secret_setting};
use anyhow::{Result, bail};
use loopiq::store::Store;

/// The commands on the schema.
#[derive(Debug, clap::Subcommand)]
pub enum SchemaCommand {
    /// Upgrade the database to the schema of this version.
    Upgrade(SchemaUpgradeArgs),
}

secret_setting! {
    /// The database's URL with the role that owns the tables.
    DatabaseAdminUrl, "database-admin-url", "LOOPIQ_DATABASE_ADMIN_URL", "URL",
    "PostgreSQL: the database's URL with the role that owns the tables. The upgrade grants the service's role what it needs",
    "A file that contains this URL, for its owner or group only"
}

/// The arguments of `loopiq schema upgrade`.
#[derive(Debug, clap::Args)]
pub struct SchemaUpgradeArgs {
    #[command(flatten)]
    installation: Installation,
    #[command(flatten)]
    database_admin_url: SecretArgs<DatabaseAdminUrl>,
}

/// Runs the command.
///
/// # Errors
/// The database cannot be opened, or its schema is newer than this version.
pub async fn run(command: SchemaCommand) -> Result<()> {
    let SchemaCommand::Upgrade(SchemaUpgradeArgs {
        installation,
        database_admin_url,
    }) = command;
    let service = installation.url()?;
    let owner = match database_admin_url.read()? {
        Some(url) => database_url(url.expose())?,
        None if installation.file()?.is_none() => bail!(
            "LOOPIQ_DATABASE_ADMIN_URL (or --database-admin-url) is not set: on PostgreSQL the owner of the database upgrades the \
             schema, and the service's own role is only granted what it needs"
        ),
        None => {
            installation.prepare()?;
            service.clone()
        }
    };
    for warning in Store::upgrade_schema(&owner, &service).await? {
        eprintln!("loopiq: {warning}");
    }
    print_line("the schema is up to date")
}
