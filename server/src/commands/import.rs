//! `loopiq import`: evidence, findings and controls from the files of scanners, test runners and assessors.

use super::{engine, known_tenant, print};
use crate::settings::Installation;
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::Timestamp;
use loopiq::engine::{ImportFile, ImportStep};
use loopiq::import::{Format, MAX_BYTES};
use std::path::{Path, PathBuf};

/// What `loopiq import` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The release's key, such as PAY-2026.11.
    #[arg(long, value_name = "KEY")]
    release: String,
    /// The file's format: sarif, osv, cyclonedx, junit or oscal. Without it, it is told by the content.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// When the scan ran, where the file does not say: RFC 3339, or a date.
    #[arg(long, value_name = "TIME", value_parser = time)]
    collected_at: Option<Timestamp>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

fn format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        format!("this version reads {}", names.join(", "))
    })
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "must be RFC 3339, such as 2026-11-22T21:20:00Z, or a date".to_owned())
}

/// Imports the file and prints what became of it.
///
/// # Errors
/// The file cannot be read, holds something else, or there is no such tenant or release.
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    let Args {
        file,
        installation,
        tenant,
        release,
        format,
        collected_at,
        json,
    } = args;
    let bytes = read(&file)?;
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let engine = engine(&installation, &runtime).await?;
    let tenant = known_tenant(&engine, &tenant).await?;
    let ctx = Ctx::system(tenant, &runtime);
    let file = ImportFile {
        name,
        bytes,
        format,
        collected_at,
    };
    // On a console a bar; elsewhere nothing, so that logs stay logs.
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {human_pos} of {human_len} records, {eta} left",
    )?);
    let mut reached = None;
    let imported = engine
        .import_file(&ctx, &release, file, |step| {
            reached = Some(step);
            bar.set_length(step.total as u64);
            bar.set_position(step.done as u64);
        })
        .await;
    bar.finish_and_clear();
    let report = imported
        // An engine's "arguments" are not what somebody at a console calls a file.
        .map_err(|error| match error {
            loopiq::engine::Error::Invalid { fields } => {
                anyhow!(
                    "{}",
                    fields
                        .iter()
                        .map(|field| field.message.as_str())
                        .collect::<Vec<_>>()
                        .join("; ")
                )
            }
            loopiq::engine::Error::NotFound { .. } => anyhow!("there is no release {release} in this tenant"),
            error => error.into(),
        })
        .map_err(|error: anyhow::Error| match reached {
            None => error,
            Some(ImportStep { done, total }) => error.context(format!(
                "{done} of {total} records were imported and are kept, and their evidence is held back; import the same file again to go on \
                 from there"
            )),
        })?;
    print(&report, json)
}

/// Reads the file, but not one that is too large to be read anyway.
fn read(file: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", file.display());
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    if size > MAX_BYTES as u64 {
        bail!("{} is larger than {} MiB", file.display(), MAX_BYTES >> 20);
    }
    std::fs::read(file).with_context(cannot)
}
