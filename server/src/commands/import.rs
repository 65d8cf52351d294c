//! `loopiq import`: imports evidence, findings and controls from the files of scanners, test runners and assessors.

use super::{open_tenant, print};
use crate::installation::Installation;
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use loopiq::engine::{ImportFile, ImportStep};
use loopiq::import::{Format, MAX_BYTES};
use std::path::{Path, PathBuf};

/// The arguments of `loopiq import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
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
    /// The file's format: sarif, osv, cyclonedx, junit or oscal. Default: detected from the content.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// The time of the scan, if the file does not contain it: RFC 3339, or a date.
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

/// Imports the file and prints a summary.
///
/// # Errors
/// The file cannot be read or has another format, or there is no such tenant or release.
pub async fn run(args: ImportArgs, runtime: Runtime) -> Result<()> {
    let ImportArgs {
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
    let (engine, ctx) = open_tenant(&installation, &tenant, &runtime).await?;
    let file = ImportFile {
        name,
        bytes,
        format,
        collected_at,
    };
    // indicatif draws the bar only on a terminal, so a log file does not contain it.
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
        // The engine's own message speaks of "arguments", which a person at a terminal does not relate to the file.
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
                "{done} of {total} records were imported and are kept, and their evidence is not current yet; import the same file again to \
                 continue"
            )),
        })?;
    print(&report, json)
}

/// Reads the file, unless it exceeds the import limit.
fn read(file: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", file.display());
    let size = std::fs::metadata(file).with_context(cannot)?.len();
    if size > MAX_BYTES as u64 {
        bail!("{} is larger than {} MiB", file.display(), MAX_BYTES >> 20);
    }
    std::fs::read(file).with_context(cannot)
}
