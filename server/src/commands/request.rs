//! `loopiq request`: what operators have asked for and a second operator has to confirm. Confirming is for people in a browser.

use super::{engine, known_tenant, print};
use crate::settings::Installation;
use anyhow::Result;
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::PlainText;
use loopiq::engine::Engine;
use loopiq::views::{AccountView, ChangeView, RequestView, RequestsPage};
use serde::Serialize;
use std::fmt;

/// What there is to do with requests.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the requests that wait, those that were settled, and the accounts that operators have to identify.
    List(Place),
    /// Show one request.
    Show(Show),
    /// Ask for two accounts to be linked: they are one person's.
    Same(Link),
    /// Ask for two accounts to be told apart: they are two people's.
    Different(Link),
}

/// Where the requests are.
#[derive(Debug, clap::Args)]
pub struct Place {
    #[command(flatten)]
    installation: Installation,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// What `loopiq request show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The request's ID.
    id: String,
    #[command(flatten)]
    place: Place,
}

/// What `loopiq request same` and `different` take.
#[derive(Debug, clap::Args)]
pub struct Link {
    /// One account's ID (per_...), as `loopiq request list` names it.
    one: String,
    /// The other account's ID.
    other: String,
    /// How you know.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: Place,
}

/// Runs it.
///
/// # Errors
/// There is no such tenant, request or account.
pub async fn run(command: Command, runtime: Runtime) -> Result<()> {
    match command {
        Command::List(place) => {
            let (engine, ctx) = at(&place, &runtime).await?;
            print(&List(engine.requests_page(&ctx).await?), place.json)
        }
        Command::Show(Show { id, place }) => {
            let (engine, ctx) = at(&place, &runtime).await?;
            print(&One(engine.request(&ctx, &id).await?), place.json)
        }
        Command::Same(link) => ask(link, true, &runtime).await,
        Command::Different(link) => ask(link, false, &runtime).await,
    }
}

async fn at(place: &Place, runtime: &Runtime) -> Result<(Engine, Ctx)> {
    let engine = engine(&place.installation, runtime).await?;
    let tenant = known_tenant(&engine, &place.tenant).await?;
    Ok((engine, Ctx::system(tenant, runtime)))
}

async fn ask(link: Link, same: bool, runtime: &Runtime) -> Result<()> {
    let (engine, ctx) = at(&link.place, runtime).await?;
    let asked = engine
        .request_link(&ctx, &link.one, &link.other, same, &link.reason)
        .await?;
    let made = Made {
        request: asked.id.to_string(),
        expires_at: asked.expires_at.minute(),
        next: asked.next(),
        confirmers: asked.confirmers,
    };
    print(&made, link.place.json)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    request: String,
    expires_at: String,
    confirmers: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            expires_at,
            next,
            ..
        } = self;
        write!(
            f,
            "the request {request} waits for an operator.\n{next}\nIt expires on {expires_at}."
        )
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct List(RequestsPage);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(page) = self;
        if page.waiting.is_empty() {
            f.write_str("No request waits.")?;
        } else {
            f.write_str("Waiting for an operator:")?;
        }
        for request in page.waiting.iter().chain(&page.history) {
            if page.history.first() == Some(request) {
                f.write_str("\n\nSettled:")?;
            }
            write!(
                f,
                "\n{}  {}  {}  by {}",
                request.id,
                request.status.as_str(),
                request.summary,
                request.by
            )?;
        }
        if !page.resemblances.is_empty() {
            f.write_str("\n\nAccounts that cannot decide before operators have said whose they are:")?;
        }
        for one in &page.resemblances {
            write!(
                f,
                "\n{}:\n  newer: {}\n  known: {}",
                one.address,
                Account(&one.newcomer),
                Account(&one.known)
            )?;
            if let Some(request) = &one.request {
                write!(f, "\n  {request} waits for an operator")?;
            }
        }
        match &page.alone {
            Some(words) => write!(f, "\n\n{words}"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct One(RequestView);

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(request) = self;
        write!(f, "{}: {}", request.id, request.summary)?;
        write!(f, "\nmade by {} on {}", request.by, request.at.utc)?;
        match (&request.expires, &request.settled) {
            (Some(until), _) => write!(f, "\nwaits for a second operator until {}", until.utc)?,
            (None, Some((by, at, outcome))) => {
                write!(f, "\n{} by {by} on {}: {outcome}", request.status.as_str(), at.utc)?;
            }
            (None, None) => write!(f, "\n{}", request.status.as_str())?,
        }
        if !request.confirmers.is_empty() {
            write!(f, "\nwho can confirm it: {}", joined(&request.confirmers, ", "))?;
        }
        match &request.change {
            ChangeView::Policy {
                note,
                loosens,
                difference,
                ..
            } => {
                if !note.is_empty() {
                    write!(f, "\nwhy: {note}")?;
                }
                super::policy::loosened(f, loosens)?;
                f.write_str("\n")?;
                for line in difference {
                    write!(f, "\n{}", format!("{} {}", line.mark, line.text).trim_end())?;
                }
                Ok(())
            }
            ChangeView::LinkPeople {
                one,
                other,
                same,
                reason,
            } => {
                let whose = if *same { "one person's" } else { "two people's" };
                write!(
                    f,
                    "\nthese accounts are {whose}:\n  {}\n  {}\nwhy: {reason}",
                    Account(one),
                    Account(other)
                )
            }
        }
    }
}

struct Account<'a>(&'a AccountView);

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountView {
            id,
            name,
            email,
            issuer,
            subject,
            roles,
            last_sign_in,
        } = self.0;
        write!(
            f,
            "{id}  {name}, {email}, {subject} at {issuer}, {}, last signed in on {}",
            joined(roles, " and "),
            last_sign_in.utc
        )
    }
}

fn joined(texts: &[PlainText], between: &str) -> String {
    texts.iter().map(PlainText::as_str).collect::<Vec<_>>().join(between)
}
