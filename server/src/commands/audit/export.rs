//! `loopiq audit export`: a tenant's log in a file.

use crate::commands::{open_tenant, print_line};
use crate::installation::Installation;
use crate::witnesses::Witness;
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// One file with entries, contents, checkpoints, keys, instructions and a verifier, which anybody can verify without this service.
    Bundle,
}

/// The arguments of `loopiq audit export`.
#[derive(Debug, clap::Args)]
pub struct AuditExportArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The form of the export.
    #[arg(long, value_enum)]
    format: ExportFormat,
    /// The file to create. It must not exist.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Leave the contents of the entries out. Leaves and hashes are still verified.
    #[arg(long)]
    without_contents: bool,
    /// The witnesses of the service. A bundle contains the signatures of those that sign.
    #[arg(long, env = "LOOPIQ_WITNESSES", value_name = "WITNESS,...", value_delimiter = ',')]
    witnesses: Vec<Witness>,
}

/// Writes the export. The file gets its name only when it is complete.
///
/// # Errors
/// The file exists or cannot be written, or the log is empty or cannot be read.
pub(super) async fn run(args: AuditExportArgs, runtime: Runtime) -> Result<()> {
    let ExportFormat::Bundle = args.format;
    let out = &args.out;
    let Some(name) = out.file_name() else {
        bail!("{} is not the name of a file", out.display());
    };
    if out.exists() {
        bail!("{} exists; an export overwrites no file", out.display());
    }
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = out.with_file_name(unfinished);
    let outcome = write(&args, &unfinished, &runtime).await;
    if outcome.is_err() {
        // An incomplete bundle is useless. If it cannot be removed either, the first error is the more useful one.
        let _ = std::fs::remove_file(&unfinished);
    }
    let (line, complaint) = outcome?;
    std::fs::rename(&unfinished, out).with_context(|| format!("{} cannot be written", out.display()))?;
    print_line(&line)?;
    complaint.map_or(Ok(()), |complaint| bail!("{complaint}"))
}

/// Writes the bundle to this file. Returns what it contains, and what is wrong with the log.
async fn write(args: &AuditExportArgs, unfinished: &Path, runtime: &Runtime) -> Result<(String, Option<String>)> {
    let cannot = || format!("{} cannot be written", unfinished.display());
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, runtime).await?;
    let witnesses: Vec<_> = args.witnesses.iter().filter_map(Witness::cosigner).cloned().collect();
    let file = File::create(unfinished).with_context(cannot)?;
    let bar = progress_bar()?;
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let exported = engine.export_bundle(&ctx, BufWriter::new(file), !args.without_contents, &witnesses, progress);
    let (file, exported) = exported.await?;
    bar.finish_and_clear();
    let file = file
        .into_inner()
        .map_err(|error| error.into_error())
        .with_context(cannot)?;
    file.sync_all().with_context(cannot)?;
    let (out, tenant, written) = (args.out.display(), &args.tenant, exported.written);
    let complaint = match exported.tampered {
        Some(why) => Some(format!(
            "no checkpoint was signed for this bundle, which ends at the latest one, because the audit log of {tenant} is damaged or was \
             changed from outside: {why}"
        )),
        None if !written.fits => {
            Some("the entries do not fit their checkpoint, so that the bundle is not valid".to_owned())
        }
        None => None,
    };
    let line = format!(
        "{out} contains {} entries of {tenant} and {} contents: {} bytes, {}",
        written.entries, written.contents, written.bytes, written.digest
    );
    Ok((line, complaint))
}

/// A bar that counts entries. indicatif draws it only on a terminal, so a log file does not contain it.
pub(super) fn progress_bar() -> Result<ProgressBar> {
    let style =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {human_pos} of {human_len} entries, {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}
