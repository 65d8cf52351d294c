//! `/healthz` and `/readyz`.

use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use loopiq::engine::Error;
use serde_json::json;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers, its schema is that of this version, and the service was not told to stop.
pub(super) async fn ready(State(state): State<AppState>) -> Response {
    if state.is_draining() {
        return not_ready("draining");
    }
    match state.engine.ready().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            // The cause is only logged, because any client may send this request.
            tracing::error!(%error, "not ready");
            not_ready(match error {
                Error::Unavailable { disk_is_full: true, .. } => "the disk of the database is full",
                _ => "the database cannot be used",
            })
        }
    }
}

fn not_ready(reason: &str) -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Json(json!({ "status": "not ready", "reason": reason })),
    )
        .into_response()
}
