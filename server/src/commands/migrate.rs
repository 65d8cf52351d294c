//! `loopiq migrate`: a whole installation into another database.

use super::installation::stands_behind_the_wall;
use super::{print, print_line};
use crate::settings::{Installation, database_url};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use loopiq::context::Runtime;
use loopiq::domain::InstallationKind;
use loopiq::engine::Engine;
use loopiq::store::{CopyReport, Store};
use serde::Serialize;
use std::fmt;

/// What `loopiq migrate` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The database to copy: sqlite://FILE, or postgres://USER:PASSWORD@HOST/DATABASE as the service's role. Stop the service first.
    /// A URL with a password belongs into the variable: other users of the machine see a command's words.
    #[arg(long, env = "LOOPIQ_MIGRATE_FROM", hide_env_values = true, value_name = "URL")]
    from: String,
    /// An empty database to copy into: a new SQLite file, or a PostgreSQL database after `loopiq schema upgrade`.
    #[arg(long, env = "LOOPIQ_MIGRATE_TO", hide_env_values = true, value_name = "URL")]
    to: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Report(CopyReport);

impl fmt::Display for Report {
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

/// Copies, and checks the copy's audit logs as `loopiq audit verify` does.
///
/// # Errors
/// A database cannot be used, the target is not empty, or the copy came out different; the target is as it was.
pub async fn run(args: Args, runtime: Runtime) -> Result<()> {
    let Args { from, to, json } = args;
    let (from, to) = (
        database_url(&from).context("--from")?,
        database_url(&to).context("--to")?,
    );
    if from == to {
        bail!("--from and --to name the same database");
    }
    let there = Installation {
        data_dir: Default::default(),
        database_url: Some(from.clone()),
    };
    there.must_exist()?;
    there.protect_database();
    let source = Store::open(&from).await.context("--from")?;
    let target = Store::open(&to).await.context("--to")?;
    let demo = source.installation().await? == Some(InstallationKind::Demo);
    stands_behind_the_wall(&source, demo).await.context("--from")?;
    stands_behind_the_wall(&target, demo).await.context("--to")?;
    // On a console a bar; elsewhere nothing, so that logs stay logs.
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
        let checked = engine.verify_audit(tenant).await?;
        if let Some((seq, why)) = checked.bad {
            bail!("{tenant}: audit entry {seq} does not hold in the copy, nor in the source: it {why}");
        }
        if checked.entries.unsigned_abs() != *entries {
            bail!(
                "{tenant}: {} audit entries were found in the copy, not {entries}",
                checked.entries
            );
        }
    }
    source.close().await;
    target.close().await;
    print(&Report(report), json)?;
    if !json {
        print_line("start the service with the new LOOPIQ_DATABASE_URL")?;
    }
    Ok(())
}
