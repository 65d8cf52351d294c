//! `loopiq backup`: a consistent copy of a SQLite installation, also while the service runs.

use super::print_line;
use crate::installation::Installation;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// The arguments of `loopiq backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to create. It must not exist.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
}

/// Copies the database. The copy gets its final name only when it is complete.
///
/// # Errors
/// The file exists or cannot be written, or the database is not SQLite.
pub async fn run(args: BackupArgs) -> Result<()> {
    let BackupArgs { file, installation } = args;
    let Some(name) = file.file_name() else {
        bail!("{} is not the name of a file", file.display());
    };
    if file.exists() {
        bail!("{} exists; a backup overwrites no file", file.display());
    }
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = file.with_file_name(unfinished);
    let text = unfinished.to_str().context("the file's name is not UTF-8")?;
    let store = installation.open().await?;
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).with_context(|| format!("{text} cannot be replaced"))?;
    }
    let copied = store.backup(text).await;
    if copied.is_err() {
        // An incomplete copy is useless. If it cannot be removed either, the first error is the more useful one.
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
        "{} contains the whole database: {size} bytes. The keys are not in it: keep copies of `audit-key` and `secret-key` elsewhere",
        file.display()
    ))
}
