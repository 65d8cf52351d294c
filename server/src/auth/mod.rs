//! Who is in front of the browser: sign-in, session, sign-out, and the door that demands them.

mod require;
mod sealed;
mod session_store;
mod sign_in;
mod sign_out;

pub(crate) use require::require;
pub use sealed::Seal;
pub use session_store::Sessions;

use crate::App;
use crate::http::rates;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use loopiq::domain::{PersonId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// The session's cookie.
pub const COOKIE: &str = "loopiq_session";

/// How long a session of somebody signed in lives without a request: 8 hours.
const LIFETIME: i64 = 8 * Timestamp::HOUR;
/// After which time a session's use is written down. Not at each request: reading pages must not write.
const TOUCH_EVERY: i64 = 15 * Timestamp::MINUTE;

/// The session's key for who is signed in.
const WHO: &str = "who";
/// The session's key for the person behind [`WHO`], with the roles that were asserted last. It comes with the session, in the same
/// look-up, and is never kept in it.
const HOLDER: &str = "holder";

/// Who is signed in. Roles are not here: what the identity provider asserted last counts, and the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Who {
    tenant: TenantId,
    person: PersonId,
    /// When the session was last written because of its use, in microseconds.
    seen: i64,
}

/// Who is signed in here. A session that cannot be read counts as none: it was written by another version.
async fn who(session: &Session) -> Result<Option<Who>, tower_sessions::session::Error> {
    match session.get(WHO).await {
        Err(tower_sessions::session::Error::SerdeJson(error)) => {
            tracing::warn!(%error, "a session cannot be read");
            Ok(None)
        }
        outcome => outcome,
    }
}

/// The routes of signing in and out.
pub(crate) fn router(app: &App) -> Router<App> {
    Router::new()
        .route("/login", get(sign_in::begin))
        .route("/auth/callback", get(sign_in::finish))
        .route_layer(from_fn_with_state(app.clone(), rates::anonymous))
        .route("/logout", get(sign_out::ask).post(sign_out::finish))
        .layer(session_layer(app))
}

/// Reads the session when somebody asks for it, and writes it when it was changed.
pub(crate) fn session_layer(app: &App) -> SessionManagerLayer<Sessions> {
    SessionManagerLayer::new(Sessions::new(app.store.clone(), app.runtime.clone()))
        .with_name(COOKIE)
        .with_path("/")
        .with_http_only(true)
        // Strict would keep the cookie from the callback, which comes from the provider's page.
        .with_same_site(SameSite::Lax)
        .with_secure(app.is_https())
        // For the cookie alone: how long the session lives is kept in the database, see `Sessions`.
        .with_expiry(Expiry::OnInactivity(time::Duration::microseconds(LIFETIME)))
}
