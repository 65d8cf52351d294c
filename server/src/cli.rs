//! The command line. Each setting is a flag and an environment variable `LOOPIQ_*`; the flag wins.

use crate::commands::agents::{self, AgentsCommand};
use crate::commands::audit::{self, AuditCommand};
use crate::commands::backup::{self, BackupArgs};
use crate::commands::catalog::{self, CatalogCommand};
use crate::commands::check_config::{self, CheckConfigArgs};
use crate::commands::generic_words::{self, GenericWordsArgs};
use crate::commands::helix::{self, HelixArgs};
use crate::commands::import::{self, ImportArgs};
use crate::commands::migrate::{self, MigrateArgs};
use crate::commands::openapi;
use crate::commands::policy::{self, PolicyCommand};
use crate::commands::release::{self, CertificationCommand, ReleaseCommand};
use crate::commands::request::{self, RequestCommand};
use crate::commands::schema::{self, SchemaCommand};
use crate::commands::serve::{self, ServeArgs};
use crate::commands::service_token::{self, ServiceTokenCommand};
use crate::commands::sessions::{self, SessionsCommand};
use crate::commands::tenant::{self, TenantCommand};
use crate::commands::token::{self, TokenArgs};
use crate::environment::Unknown;
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use loopiq::context::Runtime;

/// Governed actions: an agent proposes a write, a person reviews and approves it, and the service executes it once and audits it.
#[derive(Debug, Parser)]
#[command(name = "loopiq", version, arg_required_else_help = true)]
pub struct Cli {
    /// The log on stderr: `text` or `json`, and levels, such as `json,debug` or `info,loopiq=debug`.
    #[arg(
        long,
        global = true,
        env = "LOOPIQ_LOG",
        default_value = "info",
        value_name = "FORMAT,LEVELS"
    )]
    pub log: String,
    /// What to do.
    #[command(subcommand)]
    pub command: CliCommand,
}

/// The commands of the binary.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Run the service.
    Serve(Box<ServeArgs>),
    /// Check the settings of `serve`, the identity provider, the database and the files, and say how to correct what is wrong. Changes nothing.
    CheckConfig(Box<CheckConfigArgs>),
    /// Print a bearer token for an MCP client that acts for a person (demo only).
    Token(TokenArgs),
    /// Create and list tenants: organisations whose records are separate.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Apply files with teams, components, releases and people, of this service or of Backstage.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Set the status of a release.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Grant or refuse a certification.
    #[command(subcommand)]
    Certification(CertificationCommand),
    /// List, add or remove words that count as too generic for a title, in addition to the built-in list.
    Words(GenericWordsArgs),
    /// Check a policy, show the active one, or request the activation of another.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List and show the requests of operators and who can confirm them; request that two accounts are linked or kept separate.
    #[command(subcommand)]
    Request(RequestCommand),
    /// List and end the sessions of a person.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Create tokens for programs without a browser; list and revoke the clients and tokens of a tenant.
    #[command(subcommand)]
    ServiceToken(ServiceTokenCommand),
    /// Pause agents, a tool or a client, and resume.
    #[command(subcommand)]
    Agents(AgentsCommand),
    /// Import evidence and findings from a file.
    Import(ImportArgs),
    /// Run the demo agent: an MCP client without a language model.
    Helix(HelixArgs),
    /// Copy a SQLite installation into one file, also while the service runs.
    Backup(BackupArgs),
    /// Copy a whole installation into another, empty database.
    Migrate(MigrateArgs),
    /// Maintain the database's schema.
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Check the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the description of the API under /api/v1: OpenAPI 3.1, as JSON.
    Openapi,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// One line for the person at the terminal.
    pub async fn run(self, runtime: Runtime) -> Result<()> {
        match self.command {
            CliCommand::Serve(args) => {
                for unknown in Unknown::of_process(&Self::command()) {
                    tracing::warn!(
                        variable = unknown.name,
                        "an environment variable is no setting: {}",
                        unknown.fix()
                    );
                }
                serve::run(*args, runtime).await
            }
            CliCommand::CheckConfig(args) => {
                check_config::run(*args, &Unknown::of_process(&Self::command()), runtime).await
            }
            CliCommand::Token(args) => token::run(args, runtime).await,
            CliCommand::Tenant(command) => tenant::run(command, runtime).await,
            CliCommand::Catalog(command) => catalog::run(command, runtime).await,
            CliCommand::Release(command) => release::run(command, runtime).await,
            CliCommand::Certification(command) => release::certify(command, runtime).await,
            CliCommand::Words(args) => generic_words::run(args, runtime).await,
            CliCommand::Policy(command) => policy::run(command, runtime).await,
            CliCommand::Request(command) => request::run(command, runtime).await,
            CliCommand::Sessions(command) => sessions::run(command, runtime).await,
            CliCommand::ServiceToken(command) => service_token::run(command, runtime).await,
            CliCommand::Agents(command) => agents::run(command, runtime).await,
            CliCommand::Import(args) => import::run(args, runtime).await,
            CliCommand::Helix(args) => helix::run(args, runtime).await,
            CliCommand::Backup(args) => backup::run(args).await,
            CliCommand::Migrate(args) => migrate::run(args, runtime).await,
            CliCommand::Schema(command) => schema::run(command).await,
            CliCommand::Audit(command) => audit::run(command, runtime).await,
            CliCommand::Openapi => openapi::run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_refused_with_its_setting() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let mut any_text = Vec::new();
        for argument in serve.get_arguments().filter(|argument| argument.get_env().is_some()) {
            if !argument.get_action().takes_values() {
                continue;
            }
            let flag = argument.get_long().unwrap();
            match Cli::try_parse_from(["loopiq", "serve", &format!("--{flag}"), "no sense"]) {
                Ok(_) => any_text.push(flag),
                Err(error) => assert!(error.to_string().contains(flag), "{error}"),
            }
        }
        any_text.sort_unstable();
        // `serve` and `check-config` judge these: they depend on files, on the database, on the provider or on each other.
        assert_eq!(
            any_text,
            [
                "audit-key",
                "audit-key-file",
                "data-dir",
                "database-url",
                "database-url-file",
                "oidc-client-id",
                "oidc-client-secret",
                "oidc-client-secret-file",
                "oidc-groups-claim",
                "oidc-issuer",
                "oidc-roles-claim",
                "oidc-tenant-claim",
                "public-url",
                "secret-key",
                "secret-key-file",
                "witnesses",
            ]
        );
    }

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
