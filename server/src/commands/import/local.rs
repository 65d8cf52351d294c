//! Imports into an installation on this machine.

use crate::commands::open_tenant;
use crate::installation::Installation;
use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use loopiq::engine::{ImportFile, ImportReport, ImportStep};

/// Imports the file, with a progress bar.
///
/// # Errors
/// The file has another format, or there is no such tenant or release.
pub(super) async fn import(
    installation: &Installation,
    tenant: &str,
    release: &str,
    file: ImportFile,
    runtime: &Runtime,
) -> Result<ImportReport> {
    let (engine, ctx) = open_tenant(installation, tenant, runtime).await?;
    // indicatif draws the bar only on a terminal, so a log file does not contain it.
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {human_pos} of {human_len} records, {eta} left",
    )?);
    let mut reached = None;
    let imported = engine
        .import_file(&ctx, release, file, |step| {
            reached = Some(step);
            bar.set_length(step.total as u64);
            bar.set_position(step.done as u64);
        })
        .await;
    bar.finish_and_clear();
    imported
        // The engine's own message speaks of "arguments", which a person at a terminal does not relate to the file.
        .map_err(|error| match error {
            loopiq::engine::Error::Invalid { fields } => {
                let messages: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
                anyhow!("{}", messages.join("; "))
            }
            loopiq::engine::Error::NotFound { .. } => anyhow!("there is no release {release} in this tenant"),
            error => error.into(),
        })
        .map_err(|error: anyhow::Error| match reached {
            None => error,
            Some(ImportStep { done, total }) => error.context(format!(
                "{done} of {total} records were imported and are kept, and their evidence is not current yet; import the same file again to \
                 continue"
            )),
        })
}
