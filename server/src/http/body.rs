//! Limits: how long an answer may take, and how large a request may be.

use super::pages;
use crate::App;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Duration;

/// The largest body that is read: 1 MiB.
const MAX_BODY: usize = 1 << 20;

/// How long the client may take to send, and the service to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the body before anybody acts on it, so that one that is too large or never ends is refused as a whole and
/// clearly, whatever the handler would have made of the half of it.
pub(super) async fn whole(State(app): State<App>, request: Request, next: Next) -> Response {
    let html = pages::wants_html(request.headers());
    let too_large = |app: &App| {
        let text = "The request is larger than 1 MiB, so nothing of it was read. Send less.";
        pages::Notice::new(StatusCode::PAYLOAD_TOO_LARGE, "Too much at once", text).answer(html, &app.stylesheet)
    };
    if declared(request.headers()).is_some_and(|length| length > MAX_BODY as u64) {
        return too_large(&app);
    }
    let answer = async {
        let (parts, body) = request.into_parts();
        match to_bytes(body, MAX_BODY).await {
            Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Err(error) if is_limit(&error) => too_large(&app),
            Err(error) => {
                tracing::debug!(%error, "the body ended early");
                let text = "The request ended before it was complete, so nothing was done. Send it again.";
                pages::Notice::new(StatusCode::BAD_REQUEST, "Half a request", text).answer(html, &app.stylesheet)
            }
        }
    };
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("no answer within {} seconds", PATIENCE.as_secs());
            let text = "This took too long and was given up. What was already stored stays stored: look before you try \
                        again.";
            pages::Notice::new(StatusCode::SERVICE_UNAVAILABLE, "No answer in time", text).answer(html, &app.stylesheet)
        }
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}
