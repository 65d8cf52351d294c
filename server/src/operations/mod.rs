//! Operation of the service: health, metrics, logs, background tasks and shutdown.

pub mod background;
mod health;
pub mod log;
mod metrics;
pub mod shutdown;

use crate::state::AppState;
use axum::Router;
use axum::routing::get;

/// `/healthz` and `/readyz`, which need no sign-in and tell nothing about any tenant, and `/metrics` for programs on this machine.
pub(crate) fn router() -> Router<AppState> {
    health().route("/metrics", get(metrics::local))
}

/// The same routes for a listen address of their own, where every client may read the metrics.
pub(crate) fn metrics_router(state: &AppState) -> Router {
    health()
        .route("/metrics", get(metrics::render))
        .with_state(state.clone())
}

fn health() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
}
