//! Sign-in, sessions and sign-out of people in browsers.

mod backchannel;
mod require_sign_in;
mod session_store;
mod sign_in;
mod sign_out;
mod step_up;
mod tenants;

pub(crate) use require_sign_in::require_sign_in;
pub use session_store::Sessions;
pub(crate) use tenants::PATH as SWITCH_PATH;

use crate::http::message_page::MessagePage;
use crate::http::rate_limits;
use crate::state::AppState;
use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use loopiq::domain::BrowserSession;
use loopiq_app::{STEP_UP_PAGE, STEP_UP_START};
use tower_sessions::cookie::{Cookie, SameSite};
use tower_sessions::session::Id;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// The name of the session's cookie over http, which only a service on loopback uses.
const PLAIN_COOKIE: &str = "loopiq_session";
/// The name over https. Browsers accept the prefix only with `Secure`, `Path=/` and without `Domain`, so that no other host can set it.
const HOST_COOKIE: &str = "__Host-loopiq_session";

/// The pages to which browsers send the session's cookie.
const COOKIE_PATH: &str = "/";
/// With `Strict` the browser would not send the cookie to the callback, which the provider's page leads to.
const SAME_SITE: SameSite = SameSite::Lax;

/// The name of the session's cookie.
pub fn cookie_name(https: bool) -> &'static str {
    if https { HOST_COOKIE } else { PLAIN_COOKIE }
}

/// The key of the [`BrowserSession`] in a session's record. The store has columns for it.
const SESSION: &str = "session";
/// The key of the person in a session's record, with the roles from the last sign-in. The store reads the person together with the session and
/// never writes it.
const SESSION_PERSON: &str = "person";

/// The session of this browser, if it has one.
async fn browser_session(session: &Session) -> Result<Option<BrowserSession>, tower_sessions::session::Error> {
    session.get(SESSION).await
}

/// The page for a person who is signed in and has no role.
fn no_role_page() -> MessagePage<'static> {
    let text = "Your account has no role in this tenant. Ask the people who run your identity provider for one (developer, reviewer, lead, \
                auditor or operator), or an operator to add you to the catalog, and sign in again.";
    MessagePage::new(StatusCode::FORBIDDEN, "You don't have access", text).link("/login", "Sign in again")
}

/// The routes of signing in and out.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/login", get(sign_in::start))
        .route("/auth/callback", get(sign_in::callback))
        .route(STEP_UP_PAGE, get(step_up::ask))
        .route(STEP_UP_START, get(step_up::start))
        .route(tenants::PATH, get(tenants::ask).post(tenants::choose))
        .route_layer(from_fn_with_state(state.clone(), rate_limits::limit_by_address))
        .route("/auth/backchannel-logout", post(backchannel::logout))
        .route("/logout", get(sign_out::confirm).post(sign_out::sign_out))
        .layer(session_layer(state))
}

/// The header that gives the browser the secret of a session, as [`session_layer`] does for the sessions that it stores itself.
fn session_cookie(state: &AppState, id: &Id) -> HeaderValue {
    let cookie = Cookie::build((cookie_name(state.is_https()), id.to_string()))
        .path(COOKIE_PATH)
        .http_only(true)
        .same_site(SAME_SITE)
        .secure(state.is_https())
        .max_age(state.sessions.cookie_lifetime());
    // The name is a constant, and the ID has only letters, digits, `-` and `_`.
    HeaderValue::try_from(cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Reads a request's session when a handler uses it, and stores it when it was changed.
pub(crate) fn session_layer(state: &AppState) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions::of(state))
        .with_name(cookie_name(state.is_https()))
        .with_path(COOKIE_PATH)
        .with_http_only(true)
        .with_same_site(SAME_SITE)
        .with_secure(state.is_https())
        // Only for the cookie. The session's own lifetime is in the database, see `Sessions`.
        .with_expiry(Expiry::OnInactivity(state.sessions.cookie_lifetime()))
}
