//! The HTTP API for programs, under `/api/v1`. Errors are problem details (RFC 9457).

mod audit;

use crate::auth;
use crate::http::rate_limits;
use crate::state::AppState;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

/// The routes.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    let signed_in = Router::new()
        .route("/api/v1/audit/checkpoint", get(audit::checkpoint))
        .route("/api/v1/audit/consistency", get(audit::consistency))
        .route("/api/v1/audit/key-rotations", get(audit::key_rotations))
        .route("/api/v1/audit/{seq}/proof", get(audit::proof))
        .layer(from_fn_with_state(state.clone(), auth::require_sign_in))
        .layer(auth::session_layer(state));
    // A verifier has no account, so public keys need no sign-in.
    let keys = Router::new()
        .route("/api/v1/audit/keys", get(audit::keys))
        .route_layer(from_fn_with_state(state.clone(), rate_limits::limit_by_address));
    signed_in.merge(keys)
}
