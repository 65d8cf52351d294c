//! The MCP endpoint `POST /mcp`, for agents.
//!
//! A request passes from the outside in: the bearer token ([`auth`]), the body as strict JSON ([`body`]), rmcp's transport (Host
//! and Origin, protocol version, headers), the handler ([`handler`]), one engine call. The endpoint is stateless: no sessions, no
//! event streams, one JSON response for each message. This module only decodes calls and encodes results.

mod accept;
mod app;
mod auth;
mod body;
mod handler;
mod metadata;
mod problem;
mod scope_challenge;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;

use crate::net::RateLimits;
use crate::oidc::Oidc;
use crate::state::AppState;
use crate::urls::{self, MCP_PATH};
use axum::Router;
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post_service};
use loopiq::context::Runtime;
use loopiq::engine::Engine;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;

/// The part of the service's state that the MCP endpoint uses.
#[derive(Clone)]
struct McpState {
    engine: Engine,
    runtime: Runtime,
    /// The service's public URL, without a trailing slash.
    public_url: Arc<str>,
    rate_limits: RateLimits,
    /// The identity provider, whose access tokens may be accepted.
    oidc: Option<Oidc>,
}

impl McpState {
    /// The audience that a token must have (RFC 8707), and the name of this resource (RFC 9728).
    fn resource(&self) -> String {
        urls::mcp_audience(&self.public_url)
    }

    /// The URL of the metadata that names the authorization server.
    fn metadata_url(&self) -> String {
        urls::mcp_metadata_url(&self.public_url)
    }
}

/// The routes of the MCP endpoint and its metadata.
pub fn router(state: &AppState) -> Router {
    routes(McpState {
        oidc: Some(state.oidc.clone()),
        rate_limits: state.requests.rate_limits.clone(),
        engine: state.engine.clone(),
        runtime: state.runtime.clone(),
        public_url: state.public_url.clone(),
    })
}

fn routes(state: McpState) -> Router {
    let config = config(&state.public_url);
    let handler = handler::Handler::new(state.engine.clone(), state.runtime.clone());
    let service: StreamableHttpService<_, NeverSessionManager> =
        StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), config);
    // `route_layer` leaves the 405 of other methods outside: a client that probes for an event stream with GET learns that there is none,
    // instead of getting 401.
    let mcp = post_service(service)
        .route_layer(from_fn(body::strict))
        .route_layer(from_fn(accept::json))
        .route_layer(from_fn_with_state(state.clone(), auth::bearer));
    Router::new()
        // Some clients add a slash to the address that a person has entered.
        .route(&format!("{MCP_PATH}/"), mcp.clone())
        .route(MCP_PATH, mcp)
        .route(metadata::WELL_KNOWN, get(metadata::show))
        .route(&format!("{}{MCP_PATH}", metadata::WELL_KNOWN), get(metadata::show))
        .with_state(state)
}

/// Configures rmcp: stateless, plain JSON, and only the host names of this service.
fn config(public_url: &str) -> StreamableHttpServerConfig {
    let (hosts, origins) = allowed_names(public_url);
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(body::MAX_BODY)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
}

/// The allowed values of `Host` and `Origin`.
///
/// A foreign site could have its own name resolved to this machine (DNS rebinding), so only the service's names are allowed: its public one
/// and, if that is loopback, the other names of loopback. Each includes the port, because rmcp accepts any port for a name without one.
fn allowed_names(public_url: &str) -> (Vec<String>, Vec<String>) {
    let uri: Uri = public_url.parse().unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    let names = if loopback.contains(&host) {
        loopback.to_vec()
    } else {
        vec![host]
    };
    let origins = names.iter().map(|name| format!("{scheme}://{name}:{port}")).collect();
    let hosts = names.iter().map(|name| match uri.port_u16() {
        Some(port) => format!("{name}:{port}"),
        // Clients omit the scheme's default port in `Host`.
        None => (*name).to_owned(),
    });
    (hosts.collect(), origins)
}
