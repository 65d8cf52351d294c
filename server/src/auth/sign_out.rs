//! Signing out.

use super::require_sign_in::{self, Visitor};
use super::tenants;
use crate::http::message_page::{self, MessagePage};
use crate::http::{rate_limits, request_context};
use crate::oidc::SIGNED_OUT;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use loopiq::domain::Principal;
use openidconnect::url::form_urlencoded;
use tower_sessions::Session;

/// `GET /logout`: asks a signed-in person for confirmation, because following a link must not end a session. Tells a person without
/// a session that they are signed out.
pub(super) async fn confirm(State(state): State<AppState>, session: Session, request: Request) -> Response {
    match require_sign_in::visitor(&state, &session, request.extensions(), request.headers()).await {
        Ok(Visitor::Undecided(_)) => {
            let text = "You have not chosen an organisation yet. Sign out of LoopIQ in this browser?";
            MessagePage::new(StatusCode::OK, "Sign out", text)
                .post("/logout", "Sign out")
                .link(tenants::PATH, "Choose an organisation")
                .page(&state.stylesheet)
        }
        Ok(Visitor::Person(principal, _)) => {
            let name = principal
                .person()
                .map(|person| person.name.as_str())
                .unwrap_or_default();
            let text = format!("You are signed in as {name}. Sign out of LoopIQ in this browser?");
            MessagePage::new(StatusCode::OK, "Sign out", &text)
                .post("/logout", "Sign out")
                .link("/", "Stay signed in")
                .page(&state.stylesheet)
        }
        Ok(Visitor::SignedOut) => match rate_limits::check_address(&state.requests.rate_limits, request.extensions()) {
            Ok(()) if comes_from_provider(&request) => {
                let text = "You are not signed in to LoopIQ in this browser, and your identity provider sent you back after its own sign-out.";
                MessagePage::new(StatusCode::OK, "You're signed out", text)
                    .link("/login", "Sign in")
                    .page(&state.stylesheet)
            }
            Ok(()) => signed_out(&state, None).await,
            Err(seconds) => rate_limits::too_many_requests(&state, &request, seconds),
        },
        Err(_) => message_page::unavailable().page(&state.stylesheet),
    }
}

/// The page of a person who is signed out here, with the provider's own sign-out. `hint`: the ID token of the session that has ended.
async fn signed_out(state: &AppState, hint: Option<&str>) -> Response {
    let text = "You are not signed in to LoopIQ in this browser.";
    let page = MessagePage::new(StatusCode::OK, "You're signed out", text).link("/login", "Sign in");
    with_provider_sign_out(state, page, hint).await.page(&state.stylesheet)
}

/// Whether the provider sent the browser here after its own sign-out.
fn comes_from_provider(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "state" && value == SIGNED_OUT)
}

/// The page with a link to the provider's own sign-out, if the provider has one. Without it a person who signs in again gets the same account again.
pub(super) async fn with_provider_sign_out<'a>(
    state: &AppState,
    page: MessagePage<'a>,
    hint: Option<&str>,
) -> MessagePage<'a> {
    let return_url = format!("{}/logout", state.public_url);
    let url = state.oidc.end_session_url(hint, Some(&return_url), state.now_seconds());
    // A link instead of a redirect: the content security policy forbids forms that lead to another site.
    match url.await {
        Some(url) => page.link(&url, "Sign out of the identity provider too"),
        None => page,
    }
}

/// `POST /logout`: ends the session. Responds with the page itself, because only this request knows the ID token that the provider asks for.
pub(super) async fn sign_out(State(state): State<AppState>, session: Session, request: Request) -> Response {
    let mut hint = None;
    match require_sign_in::visitor(&state, &session, request.extensions(), request.headers()).await {
        Ok(Visitor::Person(principal, _)) => {
            if let Principal::Person { session, .. } = &principal {
                hint = state.store.session_id_token(session).await.unwrap_or_default();
            }
            let ctx = request_context(&state.runtime, principal, request.extensions(), request.headers());
            if let Err(error) = state.engine.signed_out(&ctx).await {
                // The person is signed out even if the audit entry cannot be written.
                tracing::error!(%error, "a sign-out could not be recorded");
            }
        }
        Ok(Visitor::Undecided(_) | Visitor::SignedOut) => {}
        Err(error) => tracing::error!(%error, "the session to end cannot be read"),
    }
    if let Err(error) = session.flush().await {
        tracing::error!(%error, "a session could not be ended");
        return message_page::unavailable().page(&state.stylesheet);
    }
    signed_out(&state, hint.as_deref()).await
}
