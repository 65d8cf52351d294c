//! `loopiq check-config`: checks what `loopiq serve` needs, with the functions that `serve` uses, and changes nothing.

mod claims;
mod database;
mod files;
mod provider;
mod report;
mod settings;

use super::print;
use super::serve::{ServeArgs, settings_error};
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
pub async fn run(args: CheckConfigArgs, runtime: Runtime) -> Result<()> {
    let mut report = Report::default();
    let serve = &args.serve;
    let url = settings::check(serve, &mut report);
    files::check(serve, &mut report);
    let tenants = database::check(serve, &url, &runtime, &mut report).await;
    if serve.demo {
        report.ok("provider", "a demo has its own identity provider");
    } else if let Some(oidc) = relying_party(serve, &url, &mut report) {
        provider::check(&oidc, &runtime, &mut report).await;
        claims::check(&args, &oidc, tenants.as_deref(), &runtime, &mut report).await;
    }
    print(&report, args.json)?;
    match report.problems() {
        0 => Ok(()),
        problems => bail!("{}; nothing was changed", prose::counted(problems, "problem")),
    }
}

/// The relying party with these settings, as `serve` makes it.
fn relying_party(serve: &ServeArgs, url: &str, report: &mut Report) -> Option<Oidc> {
    let oidc = serve
        .oidc
        .settings(url)
        .and_then(|settings| Oidc::new(settings).map_err(|error| settings_error(&error)));
    match oidc {
        Ok(oidc) => {
            report.ok("provider settings", "issuer, client ID and client secret are set");
            Some(oidc)
        }
        Err(error) => {
            let fix =
                "take them from the registration of this service at the identity provider: docs/identity-providers.md";
            report.error("provider settings", &error, fix);
            None
        }
    }
}
