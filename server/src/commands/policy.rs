//! `loopiq policy`: a tenant's policy from files, as it is kept beside other configuration.

use super::{engine, known_tenant, print, print_line};
use crate::settings::Installation;
use anyhow::{Context, Result, anyhow, bail};
use loopiq::context::{Ctx, Runtime};
use loopiq::engine::{Engine, Switched, policy_mistakes};
use loopiq::views::PolicyReport;
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The largest file that is read; the engine says how long a policy may be.
const MAX_BYTES: u64 = 1 << 20;

/// What there is to do with a policy.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say what is wrong with a file, and with --tenant also what it would mean there. Changes nothing.
    Check(Check),
    /// Print a tenant's policy as it was written.
    Show(Show),
    /// Ask for a file to be switched on as a tenant's policy. An operator confirms it in a browser; nothing changes before.
    Apply(Apply),
}

/// What `loopiq policy check` takes.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The file, in TOML.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The tenant that it is meant for. Without it no database is touched.
    #[arg(long)]
    tenant: Option<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// What `loopiq policy show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// A version; without it, the one in force.
    #[arg(long, value_name = "NUMBER")]
    version: Option<i64>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// What `loopiq policy apply` takes.
#[derive(Debug, clap::Args)]
pub struct Apply {
    /// The file, in TOML.
    file: PathBuf,
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Why, kept with the version.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// The file cannot be read or has mistakes, each of which is a line of its own on stderr; or there is no such tenant or version.
pub async fn run(command: Command, runtime: Runtime) -> Result<()> {
    match command {
        Command::Check(args) => check(args, &runtime).await,
        Command::Show(args) => show(args, &runtime).await,
        Command::Apply(args) => apply(args, &runtime).await,
    }
}

async fn check(args: Check, runtime: &Runtime) -> Result<()> {
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
            let (engine, ctx) = at(&args.installation, tenant, runtime).await?;
            engine.check_policy(&ctx, &source).await?
        }
    };
    let bad = report.mistakes.len();
    if args.json {
        print_line(&serde_json::to_string(&report)?)?;
    } else if bad > 0 {
        name(&args.file, &report.mistakes)?;
    } else {
        print_line(&Said(&args.file, &report).to_string())?;
    }
    none_of(bad, &args.file)
}

async fn show(args: Show, runtime: &Runtime) -> Result<()> {
    let (engine, ctx) = at(&args.installation, &args.tenant, runtime).await?;
    let page = engine.policy_page(&ctx, args.version, None).await?;
    let shown = Shown {
        version: page.version,
        today: page.today,
        source: page.source,
    };
    print(&shown, args.json)
}

async fn apply(args: Apply, runtime: &Runtime) -> Result<()> {
    let source = read(&args.file)?;
    let mistakes: Vec<String> = policy_mistakes(&source).iter().map(ToString::to_string).collect();
    name(&args.file, &mistakes)?;
    none_of(mistakes.len(), &args.file)?;
    let (engine, ctx) = at(&args.installation, &args.tenant, runtime).await?;
    let before = engine.policy_page(&ctx, None, None).await?.today;
    let applied = match engine.switch_policy(&ctx, &source, &args.note, before).await? {
        Switched::InForce(version) | Switched::Same(version) => Applied {
            tenant: args.tenant,
            before,
            version: Some(version),
            request: None,
        },
        Switched::Waits(asked, loosens) => Applied {
            tenant: args.tenant,
            before,
            version: None,
            request: Some(Waiting {
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

async fn at(installation: &Installation, tenant: &str, runtime: &Runtime) -> Result<(Engine, Ctx)> {
    let engine = engine(installation, runtime).await?;
    let tenant = known_tenant(&engine, tenant).await?;
    Ok((engine, Ctx::system(tenant, runtime)))
}

/// Reads the file. Lines that end as on Windows would differ from every line of the policy in force.
fn read(file: &Path) -> Result<String> {
    let cannot = || format!("{} cannot be read", file.display());
    if std::fs::metadata(file).with_context(cannot)?.len() > MAX_BYTES {
        bail!("{} is larger than {} MiB", file.display(), MAX_BYTES >> 20);
    }
    let bytes = std::fs::read(file).with_context(cannot)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8", file.display()))?;
    Ok(text.replace("\r\n", "\n"))
}

/// Names each mistake on stderr, as compilers do.
fn name(file: &Path, mistakes: &[impl std::fmt::Display]) -> Result<()> {
    let mut err = std::io::stderr().lock();
    for mistake in mistakes {
        writeln!(err, "{}: {mistake}", file.display()).context("the mistakes cannot be printed")?;
    }
    Ok(())
}

fn none_of(mistakes: usize, file: &Path) -> Result<()> {
    match mistakes {
        0 => Ok(()),
        1 => bail!("{} has 1 mistake; nothing was changed", file.display()),
        count => bail!("{} has {count} mistakes; nothing was changed", file.display()),
    }
}

#[derive(Serialize)]
struct Shown {
    version: i64,
    today: i64,
    source: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever prints a result ends its line.
        f.write_str(self.source.strip_suffix('\n').unwrap_or(&self.source))
    }
}

/// What became of a file that was applied.
#[derive(Serialize)]
struct Applied {
    tenant: String,
    /// The version in force when it was applied.
    before: i64,
    /// The version that says the same, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The request that waits for an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Waiting>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    id: String,
    expires_at: String,
    loosens: Vec<String>,
    confirmers: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, before, .. } = self;
        let Some(request) = &self.request else {
            return write!(f, "{tenant}: version {before} says the same and is in force already");
        };
        write!(
            f,
            "{tenant}: the request {} waits for an operator; version {before} stays in force until then.\n{}\nIt expires on {}.",
            request.id, request.next, request.expires_at
        )?;
        loosened(f, &request.loosens)
    }
}

/// What a policy loosens, a line each.
pub(super) fn loosened(f: &mut fmt::Formatter<'_>, loosens: &[impl fmt::Display]) -> fmt::Result {
    if loosens.is_empty() {
        return f.write_str("\nIt loosens nothing.");
    }
    f.write_str("\nWhat it loosens:")?;
    loosens.iter().try_for_each(|one| write!(f, "\n- {one}"))
}

/// A report without mistakes, in words.
struct Said<'a>(&'a Path, &'a PolicyReport);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said(file, report) = self;
        write!(f, "{} is a policy.", file.display())?;
        for note in &report.notes {
            write!(f, "\n{note}")?;
        }
        // Without a tenant there is nothing that it could differ from.
        let Some(effects) = &report.effects else { return Ok(()) };
        loosened(f, &report.loosens)?;
        if report.difference.is_empty() {
            f.write_str("\nIt does not differ from the one in force.")?;
        } else {
            f.write_str("\n\nWhat differs from the one in force:")?;
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
            "\n\nOf {} actions{more} of the last {} days, {} would have been different",
            effects.looked, effects.days, effects.changed
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
            write!(f, "\nand {unnamed} before them.")?;
        }
        Ok(())
    }
}
