//! `loopiq sessions`: lists and ends the sessions of a person.

use super::{open_tenant, print};
use crate::installation::Installation;
use anyhow::{Result, anyhow};
use loopiq::context::Runtime;
use loopiq::domain::PlainText;
use loopiq::engine::Error;
use loopiq::views::{PersonPage, SessionView};
use serde::Serialize;
use std::fmt;

/// The commands on sessions.
#[derive(Debug, clap::Subcommand)]
pub enum SessionsCommand {
    /// List the sessions of a person, with the person's roles.
    List(SessionsArgs),
    /// End all sessions of a person, or one of them.
    End(EndSessionsArgs),
}

/// The arguments of every `loopiq sessions` command.
#[derive(Debug, clap::Args)]
pub struct SessionsArgs {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The person: a verified e-mail address, or the account's ID (per_...).
    #[arg(long, value_name = "EMAIL")]
    person: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The arguments of `loopiq sessions end`.
#[derive(Debug, clap::Args)]
pub struct EndSessionsArgs {
    #[command(flatten)]
    of: SessionsArgs,
    /// Only this session (ses_...), as `loopiq sessions list` names it.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// There is no such tenant, person or session.
pub async fn run(command: SessionsCommand, runtime: Runtime) -> Result<()> {
    let (SessionsCommand::List(of) | SessionsCommand::End(EndSessionsArgs { of, .. })) = &command;
    let (engine, ctx) = open_tenant(&of.installation, &of.tenant, &runtime).await?;
    let mut accounts = Vec::new();
    for account in engine.accounts_named(&ctx, &of.person).await.map_err(unknown)? {
        accounts.push(engine.person_page(&ctx, account.as_str()).await?);
    }
    match &command {
        SessionsCommand::List(_) => print(&Listed { accounts }, of.json),
        SessionsCommand::End(EndSessionsArgs { session: None, .. }) => {
            let mut ended = Vec::new();
            for account in accounts {
                let outcome = engine.end_sessions_of(&ctx, &account.person.id).await?;
                ended.push(OfAccount {
                    account: account.person.id,
                    message: outcome.message,
                });
            }
            print(&Ended { accounts: ended }, of.json)
        }
        SessionsCommand::End(EndSessionsArgs { session: Some(id), .. }) => {
            let has_it = |account: &&PersonPage| account.sessions.iter().any(|session| session.id == *id);
            let Some(account) = accounts.iter().find(has_it) else {
                anyhow::bail!("{} has no session {id} in the tenant {}", of.person, of.tenant);
            };
            let ended = OfAccount {
                account: account.person.id.clone(),
                message: engine.end_session(&ctx, id).await?.message,
            };
            print(&Ended { accounts: vec![ended] }, of.json)
        }
    }
}

/// The engine's own message speaks of what a person can see on pages.
fn unknown(error: Error) -> anyhow::Error {
    match error {
        Error::NotFound { id, .. } => anyhow!("no account of this tenant has the ID or the address {id}"),
        error => error.into(),
    }
}

/// The accounts of a person.
#[derive(Serialize)]
struct Listed {
    accounts: Vec<PersonPage>,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, account) in self.accounts.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", Account(account))?;
        }
        Ok(())
    }
}

struct Account<'a>(&'a PersonPage);

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PersonPage {
            person,
            sessions,
            clients,
            ..
        } = self.0;
        let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
        let roles = if roles.is_empty() {
            "no role".to_owned()
        } else {
            roles.join(", ")
        };
        writeln!(f, "{} ({}, {}): {roles}", person.name, person.email, person.id)?;
        write!(f, "last sign-in {}", person.signed_in.utc)?;
        if *clients > 0 {
            write!(f, "\nclients that act for the person: {clients}")?;
        }
        if sessions.is_empty() {
            return write!(f, "\nno open sessions");
        }
        for SessionView {
            id,
            program,
            address,
            started,
            seen,
            ends,
            ..
        } in sessions
        {
            let (started, seen, ends) = (&started.utc, &seen.utc, &ends.utc);
            write!(
                f,
                "\n{id}  {program}, {address}; started {started}, last used {seen}, ends {ends}"
            )?;
        }
        Ok(())
    }
}

/// What was ended, of each account.
#[derive(Serialize)]
struct Ended {
    accounts: Vec<OfAccount>,
}

#[derive(Serialize)]
struct OfAccount {
    account: String,
    message: PlainText,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self
            .accounts
            .iter()
            .map(|one| format!("{}: {}", one.account, one.message))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}
