//! `loopiq sessions`: lists and ends the sessions of a person.

use super::{open_tenant, print};
use crate::installation::Installation;
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::views::{Outcome, PersonPage, SessionView};
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
    let person = engine.person_named(&ctx, &of.person).await?;
    let page = engine.person_page(&ctx, person.as_str()).await?;
    match &command {
        SessionsCommand::List(_) => print(&Listed(page), of.json),
        SessionsCommand::End(EndSessionsArgs { session: None, .. }) => {
            print(&Ended(engine.end_sessions_of(&ctx, person.as_str()).await?), of.json)
        }
        SessionsCommand::End(EndSessionsArgs { session: Some(id), .. }) => {
            let is_theirs = page.sessions.iter().any(|session| session.id == *id);
            anyhow::ensure!(
                is_theirs,
                "{} has no session {id} in the tenant {}",
                of.person,
                of.tenant
            );
            print(&Ended(engine.end_session(&ctx, id).await?), of.json)
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Listed(PersonPage);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PersonPage { person, sessions, .. } = &self.0;
        let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
        let roles = if roles.is_empty() {
            "no role".to_owned()
        } else {
            roles.join(", ")
        };
        writeln!(f, "{} ({}, {}): {roles}", person.name, person.email, person.id)?;
        write!(f, "last sign-in {}", person.signed_in.utc)?;
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

#[derive(Serialize)]
#[serde(transparent)]
struct Ended(Outcome);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)
    }
}
