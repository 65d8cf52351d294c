//! What every answer tells the browser about how far to trust it.

use crate::App;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leptos::nonce::Nonce;

/// The nonce of this answer's own script, in the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct CspNonce(pub(super) Nonce);

/// Gives the request a nonce, and the answer its headers. What a handler has set itself stays.
pub(super) async fn protect(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let nonce = STANDARD.encode(app.runtime.random::<16>());
    request
        .extensions_mut()
        .insert(CspNonce(Nonce::from_value(nonce.as_str())));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&nonce)) {
        unless_set(headers, header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in FIXED {
        unless_set(headers, name, HeaderValue::from_static(value));
    }
    if app.is_https() {
        unless_set(
            headers,
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

const FIXED: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: the browser would send `Origin: null` with plain forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // What is not a file belongs to one person at one time.
    (header::CACHE_CONTROL, "no-store"),
];

/// Nothing inline but Leptos' own script, and nothing from elsewhere.
fn content_security_policy(nonce: &str) -> String {
    // cargo-leptos reloads pages over a socket of its own; it sets the variable for the server it starts.
    let reload = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        " ws://127.0.0.1:3001 ws://localhost:3001"
    } else {
        ""
    };
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'{reload}; font-src 'self'; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

fn unless_set(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}
