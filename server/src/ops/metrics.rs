//! Counters for Prometheus. Doors count with the macros of the crate `metrics`.

use crate::App;
use crate::http::{files::not_found, pages::wants_html};
use crate::net::Peer;
use anyhow::{Context, Result, anyhow};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// How long requests took, in seconds, by route, method and status.
pub const HTTP_SECONDS: &str = "http_request_duration_seconds";
/// Requests that are being answered.
pub const HTTP_ACTIVE: &str = "http_requests_in_flight";
/// Connections that are open.
pub const CONNECTIONS: &str = "loopiq_connections";
/// Connections that ended, by why.
pub const CONNECTIONS_ENDED: &str = "loopiq_connections_ended_total";
/// Requests that were refused because of a rate limit, by whose.
pub const RATE_LIMITED: &str = "loopiq_rate_limited_total";
/// Sign-ins by outcome.
pub const SIGN_INS: &str = "loopiq_sign_ins_total";

const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The process' one recorder; the first call installs it.
///
/// # Errors
/// Another recorder was installed before, which is a mistake of the program.
pub fn recorder() -> Result<PrometheusHandle> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(HTTP_SECONDS.to_owned()), &BUCKETS)
        .context("the metrics' buckets")?
        .build_recorder();
    let handle = recorder.handle();
    // Two threads may come here at once (tests do): the first one's recorder is the one that counts.
    let mut mine = None;
    let shared = RECORDER.get_or_init(|| {
        mine = Some(recorder);
        handle
    });
    if let Some(recorder) = mine {
        metrics::set_global_recorder(recorder).map_err(|_| anyhow!("metrics are recorded by somebody else"))?;
        metrics::describe_histogram!(
            HTTP_SECONDS,
            metrics::Unit::Seconds,
            "Time until the head of the answer."
        );
        metrics::describe_gauge!(HTTP_ACTIVE, "Requests that are being answered.");
        metrics::describe_gauge!(CONNECTIONS, "Connections that are open.");
        metrics::describe_counter!(CONNECTIONS_ENDED, "Connections that ended, by why.");
        metrics::describe_counter!(
            RATE_LIMITED,
            "Requests that were refused because of a rate limit, by whose."
        );
        metrics::describe_counter!(SIGN_INS, "Sign-ins by outcome.");
    }
    Ok(shared.clone())
}

/// What a proxy adds to a request that it hands on.
const BY_PROXY: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// `GET /metrics` on the service's own address: for a program on this machine alone, and only where the public URL is on loopback as
/// well. Elsewhere a proxy on this machine may hand on what strangers ask for.
pub(super) async fn for_this_machine(State(app): State<App>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let local = peer.is_some_and(|Peer(peer)| peer.ip().to_canonical().is_loopback())
        && !BY_PROXY.iter().any(|name| request.headers().contains_key(*name));
    if app.edge.metrics && local {
        print(State(app)).await.into_response()
    } else {
        not_found(&app, wants_html(request.headers()))
    }
}

/// `GET /metrics` on an address of its own, in Prometheus' text format.
pub(super) async fn print(State(app): State<App>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        app.metrics.render(),
    )
}
