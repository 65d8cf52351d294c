//! The door: pages and server functions are reached by people who are signed in and have a role, and by nobody else.

use super::{HOLDER, TOUCH_EVERY, WHO, Who, session_store, who};
use crate::App;
use crate::http::pages::{self, Notice};
use crate::http::{RequestId, rates, trace_id};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::context::Ctx;
use loopiq::domain::{Person, Principal};
use loopiq::engine::Error;
use loopiq_app::Services;
use openidconnect::url::form_urlencoded;
use tower_sessions::Session;

/// Why nobody comes through.
enum Closed {
    /// Nobody is signed in.
    SignedOut,
    /// Somebody is, but may do nothing here any more.
    NoRole,
    /// It cannot be told: the database does not answer.
    Unavailable,
}

/// Lets through whoever is signed in and has a role, with [`Services`] in the request's extensions.
pub(crate) async fn require(State(app): State<App>, session: Session, mut request: Request, next: Next) -> Response {
    let principal = match open(&app, &session).await {
        Ok(principal) => principal,
        Err(closed @ Closed::Unavailable) => return refuse(&app, &request, &closed),
        Err(closed) => {
            return match rates::check_address(&app.edge.rates, request.extensions()) {
                Ok(()) => refuse(&app, &request, &closed),
                Err(seconds) => rates::too_many(&app, &request, seconds),
            };
        }
    };
    if let Err(seconds) = rates::check_principal(&app.edge.rates, &principal) {
        return rates::too_many(&app, &request, seconds);
    }
    if is_prefetch(request.headers()) && request.uri().path().starts_with("/actions/") {
        // A page that nobody looks at records no view, and without one it could not be decided on. A browser discards this answer, and
        // asks again when the person opens the page.
        return (StatusCode::FORBIDDEN, "Not fetched in advance.\n").into_response();
    }
    let span = tracing::Span::current();
    span.record("tenant", principal.tenant().as_str());
    if let Some(person) = principal.person() {
        span.record("person", person.id.as_str());
    }
    let ctx = context(&app, principal, &request);
    let services = Services {
        engine: app.engine.clone(),
        ctx,
        prefetch: is_unseen(&request),
    };
    request.extensions_mut().insert(services);
    next.run(request).await
}

/// A request of this principal.
pub(super) fn context(app: &App, principal: Principal, request: &Request) -> Ctx {
    let mut ctx = Ctx::new(principal, &app.runtime);
    if let Some(RequestId(id)) = request.extensions().get() {
        ctx.request_id = id.to_string();
    }
    if let Some(trace) = trace_id(request.headers()) {
        ctx.trace_id = trace;
        ctx.trace_given = true;
    }
    ctx
}

/// Who is signed in, with the roles that were asserted last. Fails where the database does, which is logged.
pub(super) async fn principal(app: &App, session: &Session) -> Result<Option<Principal>, Error> {
    let Some(who) = who(session).await.map_err(Error::unavailable)? else {
        return Ok(None);
    };
    let Some(id) = session.id() else { return Ok(None) };
    let holder: Option<Person> = session.get(HOLDER).await.map_err(Error::unavailable)?;
    let Some(person) = holder.filter(|person| person.id == who.person) else {
        // The person is gone; so is the session, then.
        session.flush().await.map_err(Error::unavailable)?;
        return Ok(None);
    };
    let now = app.runtime.now().0;
    if now.saturating_sub(who.seen) >= TOUCH_EVERY {
        let seen = Who {
            seen: now,
            ..who.clone()
        };
        session.insert(WHO, seen).await.map_err(Error::unavailable)?;
    }
    Ok(Some(Principal::Person {
        tenant: who.tenant,
        person,
        session: session_store::digest(&id),
    }))
}

async fn open(app: &App, session: &Session) -> Result<Principal, Closed> {
    match principal(app, session).await {
        Ok(Some(principal)) if principal.person().is_some_and(|person| person.roles.is_empty()) => Err(Closed::NoRole),
        Ok(Some(principal)) => Ok(principal),
        Ok(None) => Err(Closed::SignedOut),
        Err(_) => Err(Closed::Unavailable),
    }
}

/// Whether nobody looks at the answer: it is fetched in advance, or only its head is.
fn is_unseen(request: &Request) -> bool {
    is_prefetch(request.headers()) || request.method() == Method::HEAD
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
}

fn refuse(app: &App, request: &Request, closed: &Closed) -> Response {
    let html = pages::wants_html(request.headers());
    match closed {
        // What a browser fetches in advance must not begin a sign-in.
        Closed::SignedOut if is_page(request) && !is_prefetch(request.headers()) => {
            Redirect::to(&login(request.uri())).into_response()
        }
        Closed::SignedOut => {
            let text = "Your session is over, so nothing was done. Sign in, and do it again.";
            Notice::new(StatusCode::UNAUTHORIZED, "You are signed out", text)
                .link("/login", "Sign in")
                .answer(html, &app.stylesheet)
        }
        Closed::NoRole => no_role().answer(html, &app.stylesheet),
        Closed::Unavailable => pages::unavailable().answer(html, &app.stylesheet),
    }
}

/// What somebody is told who is known and may do nothing.
pub(super) fn no_role() -> Notice<'static> {
    let text = "You are known here, but you have no role in this tenant, so there is nothing you can see. Ask the people \
                who run your identity provider for one (developer, reviewer, lead, auditor or operator), and sign in \
                again.";
    Notice::new(StatusCode::FORBIDDEN, "You have no role here", text).link("/login", "Sign in again")
}

/// A document that the browser opens. Everything else is called by a page or a form, and a redirect would not help it.
fn is_page(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.uri().path().starts_with("/do/")
}

/// The sign-in that comes back to this address.
fn login(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if path == "/" {
        return "/login".to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", path)
        .finish();
    format!("/login?{query}")
}
