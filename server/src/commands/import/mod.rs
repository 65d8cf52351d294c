//! `loopiq import`: imports evidence, findings and controls from the files of scanners, test runners and assessors, into an installation on
//! this machine or over HTTP into a service.

mod local;
mod remote;

use super::print;
use crate::installation::Installation;
use crate::secret::{SecretArgs, secret_setting};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::Timestamp;
use loopiq::engine::ImportFile;
use loopiq::import::{Format, MAX_BYTES};
use std::path::{Path, PathBuf};

secret_setting! {
    /// The bearer token of a program that imports.
    Token, "token", "LOOPIQ_TOKEN", "TOKEN",
    "With --url: the bearer token, with the scope loopiq:import. Other accounts can read arguments; prefer LOOPIQ_TOKEN or --token-file",
    "With --url: a file that contains the bearer token, for its owner or group only"
}

/// The arguments of `loopiq import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The service's public URL: sends the file there, with a token. Otherwise the file is imported into the installation of --data-dir.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    token: SecretArgs<Token>,
    /// The tenant. With --url it follows from the token.
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    tenant: Option<String>,
    /// The release's key, such as PAY-2026.11.
    #[arg(long, value_name = "KEY")]
    release: String,
    /// The file's format: sarif, osv, cyclonedx, junit, oscal, openvex, csaf, spdx, trx, github or gitlab. Default: detected from the content.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// The time of the scan, if the file does not contain it: RFC 3339, or a date.
    #[arg(long, value_name = "TIME", value_parser = time)]
    collected_at: Option<Timestamp>,
    /// What was scanned, such as a repository or a module. It keeps the findings of several apart, and is stored instead of what the file says.
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
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
/// The file cannot be read or has another format, there is no such tenant or release, or the service cannot be reached or refuses the file.
pub async fn run(args: ImportArgs, runtime: Runtime) -> Result<()> {
    let name = args.file.file_name();
    let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = ImportFile {
        name,
        bytes: read(&args.file)?,
        format: args.format,
        collected_at: args.collected_at,
        component: args.component,
    };
    let report = match (&args.url, &args.tenant) {
        (Some(url), _) => remote::import(url, &args.token.require()?, &args.release, file, &runtime).await?,
        (None, Some(tenant)) => local::import(&args.installation, tenant, &args.release, file, &runtime).await?,
        (None, None) => bail!("name the tenant with --tenant, or the service with --url"),
    };
    print(&report, args.json)
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
