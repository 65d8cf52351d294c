//! What people who run the service need: health, metrics, logs, and an orderly end.

pub mod drain;
pub mod health;
pub mod log;
pub mod metrics;

use crate::App;
use axum::Router;
use axum::routing::get;

/// `/healthz` and `/readyz`, which need no sign-in and tell nothing about any tenant, and `/metrics` for this machine.
pub(crate) fn router() -> Router<App> {
    health().route("/metrics", get(metrics::for_this_machine))
}

/// The same on an address of its own, where whoever reaches it may ask for all of it.
pub(crate) fn own_router(app: &App) -> Router {
    health().route("/metrics", get(metrics::print)).with_state(app.clone())
}

fn health() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
}
