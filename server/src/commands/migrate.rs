//! `loopiq migrate`: copies a whole installation into another database.

use super::{print, print_line};
use crate::audit_key::AuditKeyArgs;
use crate::installation::{Installation, database_url, require_tenant_isolation};
use crate::secret::{SecretArgs, secret_setting};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use loopiq::domain::InstallationKind;
use loopiq::engine::Engine;
use loopiq::store::{CopyReport, Store};
use serde::Serialize;
use std::fmt;

secret_setting! {
    /// The database to copy.
    MigrateFrom, "from", "LOOPIQ_MIGRATE_FROM", "URL",
    "The database to copy: sqlite://FILE, or postgres://USER:PASSWORD@HOST/DATABASE as the service's role. Stop the service first. Put a \
     URL with a password into the environment variable or a file: other users of the machine can read flags",
    "A file that contains this URL, for its owner or group only"
}

secret_setting! {
    /// The empty database to copy into.
    MigrateTo, "to", "LOOPIQ_MIGRATE_TO", "URL",
    "The empty database to copy into: a new SQLite file, or a PostgreSQL database after `loopiq schema upgrade`",
    "A file that contains this URL, for its owner or group only"
}

/// The arguments of `loopiq migrate`.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    from: SecretArgs<MigrateFrom>,
    #[command(flatten)]
    to: SecretArgs<MigrateTo>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct MigrateReport(CopyReport);

impl fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows copied, equal on both sides", self.0.rows)?;
        for (tenant, entries, hash) in &self.0.audit {
            write!(
                f,
                "\n{tenant}: {entries} audit entries, {}…",
                hash.get(..16).unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

/// Copies the installation, and checks the copy's audit logs as `loopiq audit verify` does.
///
/// # Errors
/// A database cannot be used, the target is not empty, or the copy differs from the source. The target is unchanged then.
pub async fn run(args: MigrateArgs, runtime: Runtime) -> Result<()> {
    let MigrateArgs { from, to, json } = args;
    let (from, to) = (
        database_url(from.require()?.expose()).context("--from")?,
        database_url(to.require()?.expose()).context("--to")?,
    );
    if from == to {
        bail!("--from and --to name the same database");
    }
    let source = Installation {
        data_dir: Default::default(),
        database_url: SecretArgs::of_text(&from),
        audit_key: AuditKeyArgs::default(),
    };
    source.must_exist()?;
    source.restrict_database_permissions();
    let source = Store::open(&from).await.context("--from")?;
    let target = Store::open(&to).await.context("--to")?;
    let demo = source.installation().await? == Some(InstallationKind::Demo);
    require_tenant_isolation(&source, demo).await.context("--from")?;
    require_tenant_isolation(&target, demo).await.context("--to")?;
    // indicatif draws the bar only on a terminal, so a log file does not contain it.
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:30} {percent:>3} %  {human_pos} of {human_len} rows, {msg}, {eta} left",
    )?);
    let report = source
        .copy_into(&target, |step| {
            bar.set_length(step.total);
            bar.set_position(step.done);
            bar.set_message(step.table);
        })
        .await?;
    bar.finish_and_clear();
    let engine = Engine::new(target.clone(), runtime, "");
    for (tenant, entries, _) in &report.audit {
        let checked = engine.verify_audit(tenant, &[]).await?;
        if let Some((seq, why)) = checked.bad {
            bail!("{tenant}: audit entry {seq} {why}, in the copy and so in the source");
        }
        if checked.entries.unsigned_abs() != *entries {
            bail!(
                "{tenant}: the copy has {} audit entries instead of {entries}",
                checked.entries
            );
        }
    }
    source.close().await;
    target.close().await;
    print(&MigrateReport(report), json)?;
    if !json {
        print_line("start the service with the new LOOPIQ_DATABASE_URL")?;
    }
    Ok(())
}
