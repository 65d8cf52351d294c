//! The MCP door: `POST /mcp`, for agents.
//!
//! A request passes from the outside in: the bearer token ([`auth`]), the body as strict JSON ([`body`]), rmcp's transport
//! (Host and Origin, protocol version, headers), the handler ([`handler`]), one engine call. No node keeps anything between
//! two requests: no sessions, no event streams, one JSON answer for each message. What is decided here is how a call is
//! read and how an answer is written, and nothing else.

mod auth;
mod body;
mod handler;
mod metadata;
mod problem;
#[cfg(test)]
pub(crate) mod tests;

use crate::App;
use crate::net::Rates;
use axum::Router;
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post_service};
use loopiq::context::Runtime;
use loopiq::engine::Engine;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;

/// The path of the door.
pub(crate) const PATH: &str = "/mcp";

/// What the door needs of the service.
#[derive(Clone)]
struct Door {
    engine: Engine,
    runtime: Runtime,
    /// Where the service is reached, without a slash at the end.
    public_url: Arc<str>,
    /// Who signs people in; `None` where the settings name nobody that a client could ask.
    issuer: Arc<str>,
    rates: Rates,
}

impl Door {
    /// What a token must have been given out for (RFC 8707), and the name of this resource (RFC 9728).
    fn resource(&self) -> String {
        crate::mcp_audience(&self.public_url)
    }

    /// Where a client learns whom to ask for a token. RFC 9728, 3.1: the well-known part stands before the path.
    fn metadata_url(&self) -> String {
        format!("{}{}{PATH}", self.public_url, metadata::WELL_KNOWN)
    }
}

/// The routes of the MCP door.
pub fn router(app: App) -> Router {
    routes(Door {
        issuer: app.oidc.issuer().into(),
        rates: app.edge.rates,
        engine: app.engine,
        runtime: app.runtime,
        public_url: app.public_url,
    })
}

fn routes(door: Door) -> Router {
    let config = config(&door.public_url);
    let handler = handler::Handler::new(door.engine.clone(), door.runtime.clone());
    let service: StreamableHttpService<_, NeverSessionManager> =
        StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), config);
    // `route_layer` leaves the 405 of every other method outside: a client that probes for an event stream with GET is
    // told that there is none, not that its token is missing.
    let mcp = post_service(service)
        .route_layer(from_fn(body::strict))
        .route_layer(from_fn_with_state(door.clone(), auth::bearer));
    Router::new()
        .route(PATH, mcp)
        .route(metadata::WELL_KNOWN, get(metadata::show))
        .route(&format!("{}{PATH}", metadata::WELL_KNOWN), get(metadata::show))
        .with_state(door)
}

/// How rmcp serves: nothing kept, plain JSON, and only the names of this service let in.
fn config(public_url: &str) -> StreamableHttpServerConfig {
    let (hosts, origins) = names(public_url);
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body::MAX)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
}

/// The names under which a request may come, as `Host` and as `Origin`.
///
/// A page elsewhere may have its own name resolved to this machine (DNS rebinding), so only names that belong to the
/// service count: its public one and, where that is loopback, the other names of loopback. Each has its port; without one,
/// rmcp would take any.
fn names(public_url: &str) -> (Vec<String>, Vec<String>) {
    let uri: Uri = public_url.parse().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    let all = if loopback.contains(&host) {
        loopback.to_vec()
    } else {
        vec![host]
    };
    let origins = all.iter().map(|name| format!("{scheme}://{name}:{port}")).collect();
    let hosts = all.iter().map(|name| match uri.port_u16() {
        Some(port) => format!("{name}:{port}"),
        // A client leaves the scheme's own port out of `Host`.
        None => (*name).to_owned(),
    });
    (hosts.collect(), origins)
}
