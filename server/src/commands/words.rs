//! `loopiq words`: which words say nothing in a title, beside those that the service knows.

use super::{engine, known_tenant, print};
use crate::settings::Installation;
use anyhow::{Result, anyhow};
use loopiq::context::{Ctx, Runtime};
use loopiq::engine::Error;
use serde::Serialize;
use std::fmt;

/// What `loopiq words` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// A word that says nothing in a title; may be given several times.
    #[arg(long, value_name = "WORD")]
    add: Vec<String>,
    /// A word that was added and says something after all; may be given several times.
    #[arg(long, value_name = "WORD")]
    remove: Vec<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Words {
    words: Vec<String>,
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.words.is_empty() {
            return f.write_str("This tenant has added no words.");
        }
        f.write_str(&self.words.join("\n"))
    }
}

/// Changes the tenant's words, if asked to, and prints them.
///
/// # Errors
/// There is no such tenant, or something given is not one word.
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    let engine = engine(&args.installation, &runtime).await?;
    let tenant = known_tenant(&engine, &args.tenant).await?;
    let changed = engine
        .change_generic_words(&Ctx::system(tenant, &runtime), &args.add, &args.remove)
        .await;
    let words = changed.map_err(|error| match error {
        Error::Invalid { fields } => anyhow!("{}", fields.first().map_or("", |field| field.message.as_str())),
        error => error.into(),
    })?;
    print(&Words { words }, args.json)
}
