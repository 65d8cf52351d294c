//! Whether the service is alive, and whether it can be sent requests.

use crate::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers with the schema of this version, and nobody has told the service to stop.
pub(super) async fn ready(State(app): State<App>) -> Response {
    if app.is_draining() {
        return not_ready("draining");
    }
    match app.engine.ready().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            // The cause is for the log; whoever asks here need not be a friend.
            tracing::error!(%error, "not ready");
            not_ready("the database does not answer")
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
