//! `loopiq policy`: a tenant's policy as a file, which operators keep with their other configuration.

use super::{open_tenant, print, print_line};
use crate::installation::Installation;
use anyhow::{Context, Result, anyhow, bail};
use loopiq::context::Runtime;
use loopiq::engine::{Switched, policy_mistakes};
use loopiq::views::PolicyReport;
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The maximum size of a file, in bytes. The engine has a lower limit, with a message of its own.
const MAX_BYTES: u64 = 1 << 20;

/// The commands on policies.
#[derive(Debug, clap::Subcommand)]
pub enum PolicyCommand {
    /// Report the errors in a file and, with --tenant, the effects it would have there. Changes nothing.
    Check(PolicyCheckArgs),
    /// Print a tenant's policy as it was written.
    Show(PolicyShowArgs),
    /// Request the activation of a file as a tenant's policy. An operator confirms the request in a browser; until then nothing changes.
    Apply(PolicyApplyArgs),
}

/// The arguments of `loopiq policy check`.
#[derive(Debug, clap::Args)]
pub struct PolicyCheckArgs {
    /// The file, in TOML.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The tenant that the file is for. Without it the command opens no database.
    #[arg(long)]
    tenant: Option<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq policy show`.
#[derive(Debug, clap::Args)]
pub struct PolicyShowArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The version. Default: the active one.
    #[arg(long, value_name = "NUMBER")]
    version: Option<i64>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq policy apply`.
#[derive(Debug, clap::Args)]
pub struct PolicyApplyArgs {
    /// The file, in TOML.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The reason for this change, which is stored with the version.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The file cannot be read or has errors, each of which is one line on stderr; or there is no such tenant or version.
pub async fn run(command: PolicyCommand, runtime: Runtime) -> Result<()> {
    match command {
        PolicyCommand::Check(args) => check(args, &runtime).await,
        PolicyCommand::Show(args) => show(args, &runtime).await,
        PolicyCommand::Apply(args) => apply(args, &runtime).await,
    }
}

async fn check(args: PolicyCheckArgs, runtime: &Runtime) -> Result<()> {
    let source = read(&args.file)?;
    let report = match &args.tenant {
        None => PolicyReport {
            mistakes: policy_mistakes(&source)
                .iter()
                .map(|mistake| mistake.to_string().into())
                .collect(),
            ..PolicyReport::default()
        },
        Some(tenant) => {
            let (engine, ctx) = open_tenant(&args.installation, tenant, runtime).await?;
            engine.check_policy(&ctx, &source).await?
        }
    };
    let mistakes = report.mistakes.len();
    if args.json {
        print_line(&serde_json::to_string(&report)?)?;
    } else if mistakes > 0 {
        print_mistakes(&args.file, &report.mistakes)?;
    } else {
        print_line(&CheckSummary(&args.file, &report).to_string())?;
    }
    fail_on_mistakes(mistakes, &args.file)
}

async fn show(args: PolicyShowArgs, runtime: &Runtime) -> Result<()> {
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, runtime).await?;
    let page = engine.policy_page(&ctx, args.version, None).await?;
    let shown = ShownPolicy {
        version: page.version,
        today: page.today,
        source: page.source,
    };
    print(&shown, args.json)
}

async fn apply(args: PolicyApplyArgs, runtime: &Runtime) -> Result<()> {
    let source = read(&args.file)?;
    let mistakes: Vec<String> = policy_mistakes(&source).iter().map(ToString::to_string).collect();
    print_mistakes(&args.file, &mistakes)?;
    fail_on_mistakes(mistakes.len(), &args.file)?;
    let (engine, ctx) = open_tenant(&args.installation, &args.tenant, runtime).await?;
    let before = engine.policy_page(&ctx, None, None).await?.today;
    let applied = match engine.switch_policy(&ctx, &source, &args.note, before).await? {
        Switched::InForce(version) | Switched::Same(version) => ApplyResult {
            tenant: args.tenant,
            before,
            version: Some(version),
            request: None,
        },
        Switched::Waits(asked, loosens) => ApplyResult {
            tenant: args.tenant,
            before,
            version: None,
            request: Some(PendingRequest {
                id: asked.id.to_string(),
                expires_at: asked.expires_at.minute(),
                next: asked.next(),
                confirmers: asked.confirmers,
                loosens,
            }),
        },
    };
    print(&applied, args.json)
}

/// Reads the file. Windows line ends are converted: with them, every line would differ from the active policy.
fn read(file: &Path) -> Result<String> {
    let cannot = || format!("{} cannot be read", file.display());
    if std::fs::metadata(file).with_context(cannot)?.len() > MAX_BYTES {
        bail!("{} is larger than {} MiB", file.display(), MAX_BYTES >> 20);
    }
    let bytes = std::fs::read(file).with_context(cannot)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8", file.display()))?;
    Ok(text.replace("\r\n", "\n"))
}

/// Prints each mistake on stderr in the format of compilers.
fn print_mistakes(file: &Path, mistakes: &[impl std::fmt::Display]) -> Result<()> {
    let mut err = std::io::stderr().lock();
    for mistake in mistakes {
        writeln!(err, "{}: {mistake}", file.display()).context("the mistakes cannot be printed")?;
    }
    Ok(())
}

/// Fails if there are mistakes.
fn fail_on_mistakes(mistakes: usize, file: &Path) -> Result<()> {
    match mistakes {
        0 => Ok(()),
        1 => bail!("{} has 1 mistake; nothing was changed", file.display()),
        count => bail!("{} has {count} mistakes; nothing was changed", file.display()),
    }
}

#[derive(Serialize)]
struct ShownPolicy {
    version: i64,
    today: i64,
    source: String,
}

impl fmt::Display for ShownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `print` adds the line end.
        f.write_str(self.source.strip_suffix('\n').unwrap_or(&self.source))
    }
}

/// The result of `loopiq policy apply`.
#[derive(Serialize)]
struct ApplyResult {
    tenant: String,
    /// The version that was active before.
    before: i64,
    /// The active version, if it has the same content as the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The request that an operator has to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<PendingRequest>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PendingRequest {
    id: String,
    expires_at: String,
    loosens: Vec<String>,
    confirmers: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl fmt::Display for ApplyResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, before, .. } = self;
        let Some(request) = &self.request else {
            return write!(
                f,
                "{tenant}: no change; version {before} has the same content and is active"
            );
        };
        write!(
            f,
            "{tenant}: request {} must be confirmed by an operator; version {before} stays active until then.\n{}\nThe request expires on {}.",
            request.id, request.next, request.expires_at
        )?;
        write_loosened(f, &request.loosens)
    }
}

/// Writes the list of what a policy loosens.
pub(super) fn write_loosened(f: &mut fmt::Formatter<'_>, loosens: &[impl fmt::Display]) -> fmt::Result {
    if loosens.is_empty() {
        return f.write_str("\nIt loosens nothing.");
    }
    f.write_str("\nWhat it loosens:")?;
    loosens.iter().try_for_each(|one| write!(f, "\n- {one}"))
}

/// A report without mistakes, as text.
struct CheckSummary<'a>(&'a Path, &'a PolicyReport);

impl fmt::Display for CheckSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckSummary(file, report) = self;
        write!(f, "{} is valid.", file.display())?;
        for note in &report.notes {
            write!(f, "\n{note}")?;
        }
        // The report has effects only if a tenant was named.
        let Some(effects) = &report.effects else { return Ok(()) };
        write_loosened(f, &report.loosens)?;
        if report.difference.is_empty() {
            f.write_str("\nNo difference from the active policy.")?;
        } else {
            f.write_str("\n\nDifference from the active policy:")?;
        }
        for line in &report.difference {
            write!(f, "\n{}", format!("{} {}", line.mark, line.text).trim_end())?;
        }
        let more = if effects.more {
            " (the newest; there are more)"
        } else {
            ""
        };
        write!(
            f,
            "\n\nActions of the last {} days{more}: {} checked, {} would have had another outcome",
            effects.days, effects.looked, effects.changed
        )?;
        f.write_str(if effects.named.is_empty() { "." } else { ":" })?;
        for effect in &effects.named {
            write!(f, "\n{} {}", effect.action.id, effect.action.name)?;
            for words in &effect.words {
                write!(f, "\n    {words}")?;
            }
        }
        let unnamed = effects.changed - effects.named.len();
        if unnamed > 0 {
            write!(f, "\nand {unnamed} older ones.")?;
        }
        Ok(())
    }
}
