//! Middleware that lets only signed-in people with a role reach pages and server functions.

use super::{SESSION_PERSON, browser_session, no_role_page, session_store, tenants};
use crate::http::message_page::{self, Format, MessagePage};
use crate::http::problem::problem;
use crate::http::typed_text::TypedText;
use crate::http::{limits, rate_limits, request_context, request_origin};
use crate::state::AppState;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::domain::{BrowserSession, Permission, Person, Principal, allows};
use loopiq::engine::Error;
use loopiq_app::Services;
use openidconnect::url::form_urlencoded;
use std::sync::Arc;
use tower_sessions::Session;

/// Why a request is refused.
enum Denied {
    /// The browser has no session.
    SignedOut,
    /// The person has no role any more.
    NoRole,
    /// The person has not chosen one of several tenants yet.
    NoTenant,
    /// The session cannot be read, because the database does not answer.
    Unavailable,
}

/// Lets a request of a signed-in person with a role pass, with [`Services`] in its extensions.
pub(crate) async fn require_sign_in(
    State(state): State<AppState>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let limits = &state.requests.rate_limits;
    let (principal, found) = match authenticate(&state, &session, request.extensions(), request.headers()).await {
        Ok(signed_in) => signed_in,
        Err(denied @ Denied::Unavailable) => return refuse(&state, request, &denied).await,
        Err(denied) => {
            return match rate_limits::check_address(limits, request.extensions()) {
                Ok(()) => refuse(&state, request, &denied).await,
                Err(seconds) => rate_limits::too_many_requests(&state, &request, seconds),
            };
        }
    };
    if let Err(seconds) = rate_limits::check_principal(limits, &principal) {
        return rate_limits::too_many_requests(&state, &request, seconds);
    }
    if is_prefetch(request.headers()) && request.uri().path().starts_with("/actions/") {
        // The service records no view for a prefetched page, and without a recorded view the person could not decide. A browser discards
        // this response and requests the page again when the person opens it.
        return (StatusCode::FORBIDDEN, "This page cannot be prefetched.\n").into_response();
    }
    let span = tracing::Span::current();
    span.record("tenant", principal.tenant().as_str());
    if let Some(person) = principal.person() {
        span.record("person", person.id.as_str());
    }
    let services = Services {
        engine: state.engine.clone(),
        ctx: request_context(&state.runtime, principal, request.extensions(), request.headers()),
        prefetch: is_unseen(&request),
        can_switch: found.tenants.len() > 1,
    };
    request.extensions_mut().insert(Arc::new(services));
    next.run(request).await
}

/// Who uses a browser.
pub(super) enum Visitor {
    /// A person without a session.
    SignedOut,
    /// A person of several tenants who has not chosen one yet.
    Undecided(BrowserSession),
    /// A signed-in person, with the roles from the last sign-in.
    Person(Principal, BrowserSession),
}

/// Who uses this browser. Fails if the database does, which is logged.
pub(super) async fn visitor(
    state: &AppState,
    session: &Session,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<Visitor, Error> {
    let Some(found) = browser_session(session).await.map_err(Error::unavailable)? else {
        return Ok(Visitor::SignedOut);
    };
    let Some(id) = session.id() else {
        return Ok(Visitor::SignedOut);
    };
    let Some((tenant, _)) = found.holder.clone() else {
        return Ok(Visitor::Undecided(found));
    };
    let person: Option<Person> = session.get(SESSION_PERSON).await.map_err(Error::unavailable)?;
    let Some(person) = person else {
        // The person was deleted, so the session ends.
        session.flush().await.map_err(Error::unavailable)?;
        return Ok(Visitor::SignedOut);
    };
    let digest = session_store::digest(&state.runtime, &id);
    touch(state, &digest, &found, extensions, headers).await;
    let principal = Principal::Person {
        tenant,
        person,
        session: digest,
    };
    Ok(Visitor::Person(principal, found))
}

/// Stores at intervals that the session is used.
async fn touch(state: &AppState, digest: &str, session: &BrowserSession, extensions: &Extensions, headers: &HeaderMap) {
    let now = state.runtime.now();
    if now.0.saturating_sub(session.seen_at.0) < state.sessions.touch_every() {
        return;
    }
    let origin = request_origin(extensions, headers);
    let seen = BrowserSession {
        seen_at: now,
        address: origin.address,
        agent: origin.claims.agent,
        ..session.clone()
    };
    let expires = seen.expires_at(state.sessions.idle);
    if let Err(error) = state.store.touch_session(digest, &seen, expires).await {
        // The request itself may only read, and the next one tries again.
        tracing::warn!(%error, "the use of a session could not be stored");
    }
}

async fn authenticate(
    state: &AppState,
    session: &Session,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Principal, BrowserSession), Denied> {
    match visitor(state, session, extensions, headers).await {
        Ok(Visitor::Person(principal, found)) if allows(&principal, Permission::SignIn) => Ok((principal, found)),
        Ok(Visitor::Person(..)) => Err(Denied::NoRole),
        Ok(Visitor::Undecided(_)) => Err(Denied::NoTenant),
        Ok(Visitor::SignedOut) => Err(Denied::SignedOut),
        Err(_) => Err(Denied::Unavailable),
    }
}

/// Whether the person does not see the response: the browser prefetches it, or asks for the headers only.
fn is_unseen(request: &Request) -> bool {
    is_prefetch(request.headers()) || request.method() == Method::HEAD
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"))
}

async fn refuse(state: &AppState, request: Request, denied: &Denied) -> Response {
    let format = Format::of(&request);
    let (parts, body) = request.into_parts();
    let typed = match format == Format::Html && limits::is_form(&parts.headers) {
        // The whole body is in memory already.
        true => TypedText::of_form(&to_bytes(body, usize::MAX).await.unwrap_or_default()),
        false => TypedText::default(),
    };
    let request = &Request::from_parts(parts, Body::empty());
    match denied {
        Denied::SignedOut if is_api(request) => problem(StatusCode::UNAUTHORIZED, "Sign in first."),
        Denied::NoRole if is_api(request) => problem(StatusCode::FORBIDDEN, "Your account has no role in this tenant."),
        Denied::NoTenant if is_api(request) => problem(StatusCode::FORBIDDEN, "Choose an organisation first."),
        Denied::NoTenant if is_page(request) && !is_prefetch(request.headers()) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&tenants::choose_url(path)).into_response()
        }
        Denied::NoTenant => {
            let text = "Choose the organisation in which you want to work first. Nothing was changed.";
            MessagePage::new(StatusCode::FORBIDDEN, "Choose an organisation", text)
                .typed(typed)
                .link(tenants::PATH, "Choose an organisation")
                .respond(format, &state.stylesheet)
        }
        // A prefetch must not start a sign-in.
        Denied::SignedOut if is_page(request) && !is_prefetch(request.headers()) => {
            Redirect::to(&login_url(request.uri())).into_response()
        }
        Denied::SignedOut => {
            let text = "You were signed out before this was saved. Sign in and try again.";
            MessagePage::new(StatusCode::UNAUTHORIZED, "You're signed out", text)
                .typed(typed)
                .link("/login", "Sign in")
                .respond(format, &state.stylesheet)
        }
        // The page of the sign-out also leads to that of the provider.
        Denied::NoRole => no_role_page()
            .link("/logout", "Sign out")
            .typed(typed)
            .respond(format, &state.stylesheet),
        Denied::Unavailable => message_page::unavailable()
            .typed(typed)
            .respond(format, &state.stylesheet),
    }
}

/// Whether the browser opens the address as a page. Forms and scripts call the other addresses, and cannot follow a redirect to the
/// sign-in.
fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    matches!(*request.method(), Method::GET | Method::HEAD) && !path.starts_with("/do/") && !is_api(request)
}

/// Whether a program calls the address.
fn is_api(request: &Request) -> bool {
    request.uri().path().starts_with("/api/")
}

/// The sign-in that returns to this address.
fn login_url(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    if path == "/" {
        return "/login".to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", path)
        .finish();
    format!("/login?{query}")
}
