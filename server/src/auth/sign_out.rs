//! Signing out.

use super::require;
use crate::App;
use crate::http::pages::{self, Notice};
use crate::http::rates;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

/// `GET /logout`: asks whoever is signed in, as following a link must not end anything; tells everybody else that they
/// are signed out.
pub(super) async fn ask(State(app): State<App>, session: Session, request: Request) -> Response {
    match require::principal(&app, &session).await {
        Ok(Some(principal)) => {
            let name = principal
                .person()
                .map(|person| person.name.as_str())
                .unwrap_or_default();
            let text = format!("You are signed in as {name}. Sign out of LoopIQ in this browser?");
            Notice::new(StatusCode::OK, "Sign out", &text)
                .post("/logout", "Sign out")
                .link("/", "Stay signed in")
                .page(&app.stylesheet)
        }
        Ok(None) => match rates::check_address(&app.edge.rates, request.extensions()) {
            Ok(()) => signed_out(&app),
            Err(seconds) => rates::too_many(&app, &request, seconds),
        },
        Err(_) => pages::unavailable().page(&app.stylesheet),
    }
}

fn signed_out(app: &App) -> Response {
    let text = "Nobody is signed in to LoopIQ in this browser.";
    let notice = Notice::new(StatusCode::OK, "You are signed out", text).link("/login", "Sign in");
    // A link and not a redirect: the policy for forms lets none lead to another site.
    match app.oidc.end_session_url(None) {
        Some(url) => notice
            .link(&url, "Sign out of the identity provider too")
            .page(&app.stylesheet),
        None => notice.page(&app.stylesheet),
    }
}

/// `POST /logout`: ends the session.
pub(super) async fn finish(State(app): State<App>, session: Session, request: Request) -> Response {
    match require::principal(&app, &session).await {
        Ok(Some(principal)) => {
            let ctx = require::context(&app, principal, &request);
            if let Err(error) = app.engine.signed_out(&ctx).await {
                // Whoever wants to go must be able to.
                tracing::error!(%error, "a sign-out could not be recorded");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::error!(%error, "who signs out is not known"),
    }
    if let Err(error) = session.flush().await {
        tracing::error!(%error, "a session could not be ended");
        return pages::unavailable().page(&app.stylesheet);
    }
    Redirect::to("/logout").into_response()
}
