//! Whom a client asks for a token: OAuth 2.0 Protected Resource Metadata (RFC 9728).

use super::Door;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// Where the metadata of a resource at the root stands; a resource's own path comes behind it.
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The names are RFC 9728's.
#[derive(Serialize)]
pub(super) struct Metadata {
    resource: String,
    resource_name: &'static str,
    authorization_servers: [String; 1],
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: [&'static str; 3],
}

/// Answers with the metadata. Both places tell the same: there is one resource, and clients look in either.
pub(super) async fn show(State(door): State<Door>) -> Json<Metadata> {
    Json(Metadata {
        resource: door.resource(),
        resource_name: "LoopIQ Governed Actions",
        authorization_servers: [door.issuer.to_string()],
        // Never in the URL: it stands in logs and histories.
        bearer_methods_supported: ["header"],
        // What the identity provider must know, to tell who it is and of which tenant.
        scopes_supported: ["openid", "email", "profile"],
    })
}
