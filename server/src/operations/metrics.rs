//! `/metrics`, in Prometheus' text format.

use crate::http::{message_page::Format, static_files::not_found};
use crate::net::Peer;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Headers that proxies add to the requests they forward.
const PROXY_HEADERS: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// `GET /metrics` on the service's own address: only for programs on this machine, and only if the public URL is on loopback too.
/// Otherwise a proxy on this machine could forward the requests of strangers.
pub(super) async fn local(State(state): State<AppState>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_local = peer.is_some_and(|Peer(peer)| peer.ip().to_canonical().is_loopback())
        && !PROXY_HEADERS.iter().any(|name| request.headers().contains_key(*name));
    if state.requests.serve_metrics && is_local {
        render(State(state)).await.into_response()
    } else {
        not_found(&state, Format::of(&request))
    }
}

/// `GET /metrics` on an address of its own.
pub(super) async fn render(State(state): State<AppState>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        state.metrics.render(),
    )
}
