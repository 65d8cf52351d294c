//! `loopiq request`: requests of operators that a second operator has to confirm. Confirmation is possible only in a browser.

use super::{TenantArgs, print};
use anyhow::Result;
use loopiq::context::Runtime;
use loopiq::domain::PlainText;
use loopiq::engine::Asked;
use loopiq::views::{AccountView, ChangeView, RequestView, RequestsPage};
use serde::Serialize;
use std::fmt;

/// The commands on requests.
#[derive(Debug, clap::Subcommand)]
pub enum RequestCommand {
    /// List pending and closed requests, and the accounts that operators have to identify.
    List(TenantArgs),
    /// Show one request.
    Show(RequestShowArgs),
    /// Request that two accounts are linked, because they belong to the same person.
    Same(RequestLinkArgs),
    /// Request that two accounts are kept separate, because they belong to different people.
    Different(RequestLinkArgs),
    /// Request that the key that signs the audit log is replaced.
    AuditKey(RequestAuditKeyArgs),
}

/// The arguments of `loopiq request show`.
#[derive(Debug, clap::Args)]
pub struct RequestShowArgs {
    /// The request's ID.
    id: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// The arguments of `loopiq request same` and `different`.
#[derive(Debug, clap::Args)]
pub struct RequestLinkArgs {
    /// One account's ID (per_...), as `loopiq request list` names it.
    one: String,
    /// The other account's ID.
    other: String,
    /// How you verified this.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// The arguments of `loopiq request audit-key`.
#[derive(Debug, clap::Args)]
pub struct RequestAuditKeyArgs {
    /// Why the key has to be replaced.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// Runs the command.
///
/// # Errors
/// There is no such tenant, request or account.
pub async fn run(command: RequestCommand, runtime: Runtime) -> Result<()> {
    match command {
        RequestCommand::List(args) => {
            let (engine, ctx) = args.open(&runtime).await?;
            print(&RequestList(engine.requests_page(&ctx).await?), args.json)
        }
        RequestCommand::Show(RequestShowArgs { id, tenant }) => {
            let (engine, ctx) = tenant.open(&runtime).await?;
            print(&RequestDetails(engine.request(&ctx, &id).await?), tenant.json)
        }
        RequestCommand::Same(args) => request_link(args, true, &runtime).await,
        RequestCommand::Different(args) => request_link(args, false, &runtime).await,
        RequestCommand::AuditKey(RequestAuditKeyArgs { reason, tenant }) => {
            let (engine, ctx) = tenant.open(&runtime).await?;
            print(
                &CreatedRequest::of(engine.request_key_rotation(&ctx, &reason).await?),
                tenant.json,
            )
        }
    }
}

async fn request_link(args: RequestLinkArgs, same: bool, runtime: &Runtime) -> Result<()> {
    let (engine, ctx) = args.tenant.open(runtime).await?;
    let asked = engine
        .request_link(&ctx, &args.one, &args.other, Some(same), &args.reason)
        .await?;
    print(&CreatedRequest::of(asked), args.tenant.json)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedRequest {
    request: String,
    expires_at: String,
    confirmers: Vec<String>,
    #[serde(skip)]
    next: String,
}

impl CreatedRequest {
    fn of(asked: Asked) -> Self {
        Self {
            request: asked.id.to_string(),
            expires_at: asked.expires_at.minute(),
            next: asked.next(),
            confirmers: asked.confirmers,
        }
    }
}

impl fmt::Display for CreatedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            expires_at,
            next,
            ..
        } = self;
        write!(
            f,
            "Request {request} must be confirmed by an operator.\n{next}\nThe request expires on {expires_at}."
        )
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct RequestList(RequestsPage);

impl fmt::Display for RequestList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(page) = self;
        if page.waiting.is_empty() {
            f.write_str("No pending request.")?;
        } else {
            f.write_str("Waiting for an operator:")?;
        }
        for request in page.waiting.iter().chain(&page.history) {
            if page.history.first() == Some(request) {
                f.write_str("\n\nClosed:")?;
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
            f.write_str("\n\nAccounts that cannot decide until operators have identified their owners:")?;
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
                write!(f, "\n  request {request} must be confirmed by an operator")?;
            }
        }
        match &page.alone {
            Some(warning) => write!(f, "\n\n{warning}"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct RequestDetails(RequestView);

impl fmt::Display for RequestDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(request) = self;
        write!(f, "{}: {}", request.id, request.summary)?;
        write!(f, "\nrequested by {} on {}", request.by, request.at.utc)?;
        match (&request.expires, &request.settled) {
            (Some(until), _) => write!(f, "\npending: a second operator can confirm it until {}", until.utc)?,
            (None, Some((by, at, outcome))) => {
                write!(f, "\n{} by {by} on {}: {outcome}", request.status.as_str(), at.utc)?;
            }
            (None, None) => write!(f, "\n{}", request.status.as_str())?,
        }
        if !request.confirmers.is_empty() {
            write!(f, "\ncan be confirmed by: {}", joined(&request.confirmers, ", "))?;
        }
        match &request.change {
            ChangeView::Policy {
                note,
                loosens,
                difference,
                ..
            } => {
                if !note.is_empty() {
                    write!(f, "\nreason: {note}")?;
                }
                super::policy::write_loosened(f, loosens)?;
                f.write_str("\n")?;
                for line in difference {
                    write!(f, "\n{}", format!("{} {}", line.mark, line.text).trim_end())?;
                }
                Ok(())
            }
            ChangeView::RotateLogKey { reason } => write!(f, "\nreason: {reason}"),
            ChangeView::LinkPeople {
                one,
                other,
                same,
                reason,
            } => {
                let owners = if *same { "the same person" } else { "different people" };
                write!(
                    f,
                    "\nthese accounts belong to {owners}:\n  {}\n  {}\nreason: {reason}",
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
