//! `loopiq words`: a tenant's words that count as too generic for a title, in addition to the built-in list.

use super::{open_tenant, print};
use crate::installation::Installation;
use anyhow::{Result, anyhow};
use loopiq::context::Runtime;
use loopiq::engine::Error;
use serde::Serialize;
use std::fmt;

/// The arguments of `loopiq words`.
#[derive(Debug, clap::Args)]
pub struct GenericWordsArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// A word that is too generic for a title, such as a product's name; may be repeated.
    #[arg(long, value_name = "WORD")]
    add: Vec<String>,
    /// An added word to remove; may be repeated.
    #[arg(long, value_name = "WORD")]
    remove: Vec<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct GenericWords {
    words: Vec<String>,
}

impl fmt::Display for GenericWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.words.is_empty() {
            return f.write_str("This tenant has added no words.");
        }
        f.write_str(&self.words.join("\n"))
    }
}

/// Adds and removes words, and prints the tenant's list.
///
/// # Errors
/// There is no such tenant, or an argument is not a single word.
pub async fn run(args: GenericWordsArgs, runtime: Runtime) -> Result<()> {
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, &runtime).await?;
    let changed = engine.change_generic_words(&ctx, &args.add, &args.remove).await;
    let words = changed.map_err(|error| match error {
        Error::Invalid { fields } => anyhow!("{}", fields.first().map_or("", |field| field.message.as_str())),
        error => error.into(),
    })?;
    print(&GenericWords { words }, args.json)
}
