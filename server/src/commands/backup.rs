//! `loopiq backup`: a consistent copy of a SQLite installation, which may be running.

use super::{open, print_line};
use crate::settings::Installation;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// What `loopiq backup` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to make; it must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
}

/// Makes the copy under another name first, so that what stands under the file's own name is always whole.
///
/// # Errors
/// The file is there already or cannot be written, or the database is not SQLite.
pub async fn run(args: Args) -> Result<()> {
    let Args { file, installation } = args;
    let Some(name) = file.file_name() else {
        bail!("{} names no file", file.display());
    };
    if file.exists() {
        bail!("{} is there already; a backup overwrites nothing", file.display());
    }
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = file.with_file_name(unfinished);
    let text = unfinished.to_str().context("the file's name is not UTF-8")?;
    let store = open(&installation).await?;
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).with_context(|| format!("{text} cannot be replaced"))?;
    }
    let copied = store.backup(text).await;
    if copied.is_err() {
        // What is half written helps nobody; if it can't be removed either, the first error says more.
        let _ = std::fs::remove_file(&unfinished);
    }
    copied?;
    std::fs::File::open(&unfinished)
        .and_then(|copy| copy.sync_all())
        .and_then(|()| std::fs::rename(&unfinished, &file))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    let size = std::fs::metadata(&file)?.len();
    store.close().await;
    print_line(&format!(
        "{} holds the whole installation: {size} bytes",
        file.display()
    ))
}
