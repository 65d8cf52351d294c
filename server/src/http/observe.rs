//! Every request has a name, which stands in each of its log lines and in the answer, and is measured.

use crate::App;
use crate::ops::metrics::{HTTP_ACTIVE, HTTP_SECONDS};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::canonical::hex;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of the request, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// Names the request and opens its log span.
pub(super) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id));
    let id: Arc<str> = match given {
        Some(id) => Arc::from(id),
        None => Arc::from(hex(&app.runtime.random::<16>())),
    };
    let client = super::rates::name_client(&app.edge, &mut request);
    // Paths without their query: that may hold codes and what people search for.
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        method = %request.method(),
        path = request.uri().path(),
        client = tracing::field::Empty,
        tenant = tracing::field::Empty,
        person = tracing::field::Empty,
    );
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
            // Reading is most of what happens: a line for each costs more than it tells.
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

/// Measures the time until the head of the answer.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    // Routes, not paths: each label makes a series of its own.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let method = method_label(request.method());
    let _active = Active::begin();
    #[expect(clippy::disallowed_methods, reason = "measures a duration; nothing is decided by it")]
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!(HTTP_SECONDS, "route" => route, "method" => method, "status" => status).record(begun.elapsed());
    response
}

/// Counts a request as long as it lives; it may be dropped when the client goes away.
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

/// A client may send any word as its method.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Whether a name that came from outside may stand in our logs and audit entries.
fn is_sane(id: &str) -> bool {
    (8..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The trace that a request is part of, by its header `traceparent` (W3C Trace Context, 3.2).
pub fn trace_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let fits = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && is_hex(trace, 32)
        && trace.bytes().any(|byte| byte != b'0')
        && is_hex(parent, 16)
        && parent.bytes().any(|byte| byte != b'0')
        && is_hex(flags, 2);
    fits.then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_request_id_is_taken_over() {
        assert!(is_sane("a1b2c3d4") && is_sane("req_2026-11.22"));
        assert!(!is_sane("short") && !is_sane("with space") && !is_sane(&"x".repeat(65)) && !is_sane("line\nbreak"));
    }

    #[test]
    fn a_trace_is_read_as_w3c_writes_it() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
            trace_id(&headers)
        };
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(of(&format!("00-{trace}-b7ad6b7169203331-01")).as_deref(), Some(trace));
        assert_eq!(
            of(&format!("cc-{trace}-b7ad6b7169203331-01-more")).as_deref(),
            Some(trace)
        );
        for wrong in [
            format!("00-{trace}-b7ad6b7169203331-01-more"),
            format!("ff-{trace}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}"),
        ] {
            assert_eq!(of(&wrong), None, "{wrong}");
        }
    }
}
