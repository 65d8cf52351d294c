//! `loopiq check-config`: checks what `loopiq serve` needs, with the functions that `serve` uses, and changes nothing.

mod claims;
mod database;
mod files;
mod provider;
mod report;
mod settings;

use super::print;
use super::serve::{ServeArgs, settings_error};
use crate::environment::Unknown;
use crate::oidc::Oidc;
use anyhow::{Result, bail};
use loopiq::context::Runtime;
use loopiq::domain::text::prose;
use report::Report;
use std::path::PathBuf;

/// The arguments of `loopiq check-config`: the settings of `serve`, and examples of what the provider sends.
#[derive(Debug, clap::Args)]
pub struct CheckConfigArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// A file with an ID token that the provider issued for this client: verifies the token, and shows whom the service would sign in.
    #[arg(long, value_name = "FILE", conflicts_with = "claims")]
    sample_token: Option<PathBuf>,
    /// A file with the claims of an ID token as a JSON object: shows whom the service would sign in.
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints one line for each check.
///
/// # Errors
/// There is a problem, because of which `serve` would not start or people could not sign in.
pub async fn run(args: CheckConfigArgs, unknown: &[Unknown], runtime: Runtime) -> Result<()> {
    let mut report = Report::default();
    let serve = &args.serve;
    for variable in unknown {
        let message = format!("{} is set, and there is no such setting", variable.name);
        report.warning("environment", message, variable.fix());
    }
    let configured = settings::check(serve, &mut report);
    let url = configured.clone().unwrap_or_else(|| settings::default_url(serve));
    let database = if files::check(serve, &mut report) {
        settings::secret_key(serve, &mut report);
        database::check(serve, &url, &runtime, &mut report).await
    } else {
        None
    };
    if serve.demo {
        report.ok("provider", "a demo has its own identity provider");
    } else if let Some(oidc) = relying_party(serve, &url, &mut report) {
        provider::check(&oidc, configured.is_some(), &runtime, &mut report).await;
        claims::check(&args, &oidc, database.as_ref(), &runtime, &mut report).await;
    }
    if let Some(database) = database {
        database.close().await;
    }
    print(&report, args.json)?;
    match report.problems() {
        0 => Ok(()),
        problems => bail!("{}; nothing was changed", prose::counted(problems, "problem")),
    }
}

/// The relying party with these settings, as `serve` makes it.
fn relying_party(serve: &ServeArgs, url: &str, report: &mut Report) -> Option<Oidc> {
    const ISSUER: &str = "write LOOPIQ_OIDC_ISSUER with https://, as the discovery document of the provider names it";
    let settings = match serve.oidc.settings(url) {
        Ok(settings) => settings,
        Err(error) => {
            // The errors say what to do, or have an advice.
            report.error("provider settings", &error, "");
            return None;
        }
    };
    match Oidc::new(settings).map_err(|error| settings_error(&error)) {
        Ok(oidc) => {
            report.ok("provider settings", "issuer, client ID and client secret are set");
            let mapping = serve.oidc.role_mapping();
            let pairs: Vec<String> = mapping
                .pairs()
                .map(|(group, role)| format!("{group} → {}", role.as_str()))
                .collect();
            if !pairs.is_empty() {
                report.ok("role mapping", pairs.join("; "));
            }
            Some(oidc)
        }
        Err(error) => {
            report.error("provider settings", &error, ISSUER);
            None
        }
    }
}
