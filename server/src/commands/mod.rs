//! What the binary does from a console. Each command works beside a running service, prints its result on stdout and
//! everything else on stderr.

pub mod audit;
pub mod backup;
pub mod helix;
pub mod import;
mod installation;
pub mod migrate;
pub mod policy;
pub mod request;
pub mod schema;
pub mod serve;
pub mod token;
pub mod words;

use crate::settings::{Cli, Command, Installation};
use anyhow::{Context, Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::TenantId;
use loopiq::engine::Engine;
use loopiq::store::Store;
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Runs one command.
///
/// # Errors
/// What it says, in one line, is for the person at the console.
pub async fn run(cli: Cli, runtime: Runtime) -> Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(*args, runtime).await,
        Command::Token(args) => token::run(args, runtime).await,
        Command::Words(args) => words::run(args, runtime).await,
        Command::Policy(command) => policy::run(command, runtime).await,
        Command::Request(command) => request::run(command, runtime).await,
        Command::Import(args) => import::run(args, runtime).await,
        Command::Helix(args) => helix::run(args, runtime).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Migrate(args) => migrate::run(args, runtime).await,
        Command::Schema(command) => schema::run(command).await,
        Command::Audit(command) => audit::run(command, runtime).await,
    }
}

/// An error as one line: what failed, and why.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Many errors repeat their cause in their own text.
        if !line.contains(&cause) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&cause);
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints a result on stdout: in words, or as one JSON object.
pub(crate) fn print<T: Display + Serialize>(result: &T, json: bool) -> Result<()> {
    let text = if json {
        serde_json::to_string(result)?
    } else {
        result.to_string()
    };
    print_line(&text)
}

/// Prints a line on stdout.
pub(crate) fn print_line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("the result cannot be printed")
}

/// The store of an installation that exists.
pub(crate) async fn open(installation: &Installation) -> Result<Store> {
    installation.must_exist()?;
    installation.protect();
    let store = Store::open(&installation.url()?).await?;
    installation::stands_behind_the_wall(&store, false).await?;
    Ok(store)
}

/// An engine for a command. It makes no links, so it needs no public URL.
pub(crate) async fn engine(installation: &Installation, runtime: &Runtime) -> Result<Engine> {
    Ok(Engine::new(open(installation).await?, runtime.clone(), ""))
}

/// A tenant's name from the command line.
pub(crate) fn tenant(name: &str) -> Result<TenantId> {
    TenantId::parse(name)
        .ok()
        .with_context(|| format!("{name} is no tenant's name: a-z, 0-9 and hyphens"))
}

/// The tenant, if the installation has it.
pub(crate) async fn known_tenant(engine: &Engine, name: &str) -> Result<TenantId> {
    let tenant = tenant(name)?;
    if engine.store().tenants().await?.contains(&tenant) {
        return Ok(tenant);
    }
    bail!("there is no tenant {name} here");
}

/// What a demo leaves in its data directory: the public URL it was last started with. Whether the installation is a demo stands in its
/// database.
pub(crate) fn demo_marker(data_dir: &Path) -> PathBuf {
    data_dir.join("demo-url")
}

/// The public URL that the demo in this data directory was last started with.
pub fn demo_url(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(demo_marker(data_dir)).ok()?;
    Some(text.trim().to_owned()).filter(|url| !url.is_empty())
}
