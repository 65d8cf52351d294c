//! OAuth 2.0 Protected Resource Metadata (RFC 9728), which names the authorization server.

use super::McpState;
use axum::Json;
use axum::extract::State;
use loopiq::domain::Scopes;
use serde::Serialize;

pub(super) use crate::urls::PROTECTED_RESOURCE as WELL_KNOWN;

/// The metadata, with the names of RFC 9728.
#[derive(Serialize)]
pub(super) struct Metadata {
    resource: String,
    resource_name: &'static str,
    authorization_servers: [String; 1],
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: Scopes,
}

/// Responds with the metadata. Both paths return the same, because there is one resource and clients try either path.
pub(super) async fn show(State(state): State<McpState>) -> Json<Metadata> {
    Json(Metadata {
        resource: state.resource(),
        resource_name: "LoopIQ Governed Actions",
        // The service itself: it delegates only the sign-in to the company's identity provider, which need not know about clients.
        authorization_servers: [state.public_url.to_string()],
        // Not in the URL, which ends up in logs and browser histories.
        bearer_methods_supported: ["header"],
        // What the tools of this resource need. Service tokens also have scopes for other endpoints.
        scopes_supported: Scopes::of_agents(),
    })
}
