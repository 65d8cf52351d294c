//! Sign-in, sessions and sign-out of people in browsers.

mod require_sign_in;
mod session_store;
mod sign_in;
mod sign_out;

pub(crate) use require_sign_in::require_sign_in;
pub use session_store::Sessions;

use crate::http::message_page::MessagePage;
use crate::http::rate_limits;
use crate::state::AppState;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use loopiq::domain::{PersonId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// The name of the session's cookie.
pub const COOKIE: &str = "loopiq_session";

/// A session ends after this time without a request: 8 hours, in microseconds.
const LIFETIME: i64 = 8 * Timestamp::HOUR;
/// The use of a session is stored at most once in this time: 15 minutes, in microseconds. Otherwise each page view would write to the
/// database.
const TOUCH_EVERY: i64 = 15 * Timestamp::MINUTE;

/// The key of the [`SessionUser`] in a session. The store's SQL reads the person by this key.
const SESSION_USER: &str = "who";
/// The key of the person in a session, with the roles from the last sign-in. The store reads the person together with the session and never
/// writes it.
const SESSION_PERSON: &str = "person";

/// The person who is signed in. Without roles: those that the identity provider asserted last apply, and they are in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SessionUser {
    tenant: TenantId,
    person: PersonId,
    /// The last time that the session's use was stored, in microseconds.
    seen: i64,
}

/// The person who is signed in. A session that cannot be read, because another version wrote it, counts as none.
async fn session_user(session: &Session) -> Result<Option<SessionUser>, tower_sessions::session::Error> {
    match session.get(SESSION_USER).await {
        Err(tower_sessions::session::Error::SerdeJson(error)) => {
            tracing::warn!(%error, "a session cannot be read");
            Ok(None)
        }
        outcome => outcome,
    }
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
        .route_layer(from_fn_with_state(state.clone(), rate_limits::limit_by_address))
        .route("/logout", get(sign_out::confirm).post(sign_out::sign_out))
        .layer(session_layer(state))
}

/// Reads a request's session when a handler uses it, and stores it when it was changed.
pub(crate) fn session_layer(state: &AppState) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions::new(state.store.clone(), state.runtime.clone()))
        .with_name(COOKIE)
        .with_path("/")
        .with_http_only(true)
        // With `Strict` the browser would not send the cookie to the callback, which the provider's page leads to.
        .with_same_site(SameSite::Lax)
        .with_secure(state.is_https())
        // Only for the cookie. The session's own lifetime is in the database, see `Sessions`.
        .with_expiry(Expiry::OnInactivity(time::Duration::microseconds(LIFETIME)))
}
