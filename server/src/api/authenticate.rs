//! Who calls the API: the token if the request has one, otherwise the person of the session. Never both.

use crate::auth;
use crate::http::bearer::{self, BearerGate};
use crate::http::problem::MissingScopes;
use crate::http::request_context;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use loopiq_app::Services;
use std::sync::Arc;
use tower_sessions::Session;

/// Authenticates a request and puts [`Services`] into its extensions.
///
/// A request with the scheme `Bearer` is judged by its token alone, also if the token is wrong and the browser has a session: the sender
/// wants to be a program.
pub(super) async fn authenticate(
    State(state): State<AppState>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    if bearer::credentials(request.headers()).is_none() {
        return auth::require_sign_in(State(state), session, request, next).await;
    }
    let gate = BearerGate::of_api(&state);
    let principal = match gate.admit(&mut request).await {
        Ok(principal) => principal,
        Err(refusal) => return *refusal,
    };
    let services = Services {
        engine: state.engine.clone(),
        ctx: request_context(&state.runtime, principal, request.extensions(), request.headers()),
        prefetch: request.method() == Method::HEAD,
        can_switch: false,
    };
    request.extensions_mut().insert(Arc::new(services));
    let mut response = next.run(request).await;
    match response.extensions_mut().remove() {
        Some(MissingScopes(scopes)) => gate.insufficient_scope(&scopes, response),
        None => response,
    }
}
