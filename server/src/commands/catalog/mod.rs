//! `loopiq catalog`: applies files with teams, components, releases and people.

mod files;
mod report;

use super::{open_tenant, print, print_line};
use crate::installation::Installation;
use anyhow::{Result, bail};
use loopiq::catalog::Problems;
use loopiq::context::Runtime;
use loopiq::engine::{CatalogOutcome, Error};
use report::Report;
use std::path::PathBuf;

/// The commands on catalogs.
#[derive(Debug, clap::Subcommand)]
pub enum CatalogCommand {
    /// Create and change records as the files declare them. Applying the same files again changes nothing.
    Apply(CatalogApplyArgs),
    /// Print the JSON Schema of the files.
    Schema,
}

/// The arguments of `loopiq catalog apply`.
#[derive(Debug, clap::Args)]
pub struct CatalogApplyArgs {
    /// Files, or folders with files that end with .yaml or .yml: catalogs of this service, or catalog-info.yaml of Backstage.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Print what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Retire teams, components, releases and people's roles that no file declares. Nothing is deleted: retired records keep their history.
    #[arg(long)]
    prune: bool,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read, the files have mistakes, or there is no such tenant. Nothing is changed then.
pub async fn run(command: CatalogCommand, runtime: Runtime) -> Result<()> {
    let args = match command {
        CatalogCommand::Apply(args) => args,
        CatalogCommand::Schema => return print_line(&serde_json::to_string_pretty(&loopiq::catalog::schema())?),
    };
    let files = files::read(&args.paths)?;
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, &runtime).await?;
    let outcome = match args.dry_run {
        true => engine.preview_catalog(&ctx, &files, args.prune).await,
        false => engine.apply_catalog(&ctx, &files, args.prune, None).await,
    };
    let outcome = outcome.map_err(|error| match error {
        // Without the pointer to the field: the files have their own lines and fields.
        Error::Invalid { fields } => anyhow::anyhow!("{}", fields.first().map_or("", |field| field.message.as_str())),
        error => error.into(),
    })?;
    match outcome {
        CatalogOutcome::Report(report) => print(&Report(*report), args.json),
        CatalogOutcome::Wrong(problems) => refuse(&problems, args.json),
    }
}

/// Prints every mistake: as JSON on stdout, otherwise one line each on stderr.
fn refuse(problems: &Problems, json: bool) -> Result<()> {
    if json {
        print_line(&serde_json::json!({ "problems": problems.first, "more": problems.more }).to_string())?;
    } else {
        eprintln!("{problems}");
    }
    let count = problems.first.len() + problems.more;
    bail!(
        "the catalog has {count} mistake{}; nothing was changed",
        if count == 1 { "" } else { "s" }
    )
}
