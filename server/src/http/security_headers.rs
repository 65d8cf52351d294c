//! The security headers of every response.

use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leptos::nonce::Nonce;

/// The nonce of the inline script in the response, in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct CspNonce(pub(crate) Nonce);

/// Gives the request a nonce, and the response its headers. Headers that a handler has set are kept.
pub(crate) async fn add(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let nonce = STANDARD.encode(state.runtime.random::<16>());
    request
        .extensions_mut()
        .insert(CspNonce(Nonce::from_value(nonce.as_str())));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(content_security_policy(&nonce)) {
        set_default(headers, header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in FIXED {
        set_default(headers, name, HeaderValue::from_static(value));
    }
    if state.is_https() {
        set_default(
            headers,
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

const FIXED: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with it the browser would send `Origin: null` with plain forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // Responses except static files are for one person at one time.
    (header::CACHE_CONTROL, "no-store"),
];

/// Allows no inline script except Leptos' own, and no content from other sites.
fn content_security_policy(nonce: &str) -> String {
    // `cargo leptos watch` reloads pages through its own WebSocket, and sets this variable for the server it starts.
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

fn set_default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}
