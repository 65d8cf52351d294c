//! Logging and measurement of requests. A request's ID is in each of its log lines and in its response.

use super::rate_limits::add_client_address;
use super::request_context::{RequestId, X_REQUEST_ID, client_request_id};
use crate::prometheus::{HTTP_ACTIVE, HTTP_SECONDS};
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::canonical::hex;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

/// Gives the request an ID and a client address, opens its log span, and logs its status.
pub(crate) async fn log(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    // Never the sender's ID: an attacker could hide a request behind the ID of another one.
    let id: Arc<str> = Arc::from(hex(&state.runtime.random::<16>()));
    let client = add_client_address(&state.requests, &mut request);
    // Without the query, which may contain authorization codes and search terms.
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        client_request_id = tracing::field::Empty,
        method = %request.method(),
        path = request.uri().path(),
        client = tracing::field::Empty,
        tenant = tracing::field::Empty,
        person = tracing::field::Empty,
    );
    if let Some(named) = client_request_id(request.headers()) {
        span.record("client_request_id", named);
    }
    if let Some(client) = client {
        span.record("client", tracing::field::display(client.0));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    async move {
        let changes = !request.method().is_safe();
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        match status {
            500.. => tracing::error!(status, "answered"),
            400.. => tracing::info!(status, "answered"),
            _ if changes => tracing::info!(status, "answered"),
            // Most requests are successful reads, so a line for each would flood the log.
            _ => tracing::debug!(status, "answered"),
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Measures the time until the head of the response.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    // The route, not the path: each value of a label creates a time series.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = method_label(request.method());
    let _active = Active::begin();
    #[expect(
        clippy::disallowed_methods,
        reason = "measures a duration; no decision depends on it"
    )]
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!(HTTP_SECONDS, "route" => route, "method" => method, "status" => status).record(begun.elapsed());
    response
}

/// Counts a request as active until it is dropped, which also happens when the client disconnects.
struct Active;

impl Active {
    fn begin() -> Self {
        metrics::gauge!(HTTP_ACTIVE).increment(1.0);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!(HTTP_ACTIVE).decrement(1.0);
    }
}

/// A label for the method. A client may send any word as a method, so unknown ones share a label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
