//! What people who run the service need: health, metrics, logs, and an orderly end.

pub mod drain;
pub mod health;
pub mod log;
pub mod metrics;

use crate::App;
use axum::Router;
use axum::routing::get;

/// `/healthz`, `/readyz` and `/metrics`. They need no sign-in and tell nothing about any tenant; a proxy in front of a
/// public service should still keep `/metrics` to itself.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::print))
}
