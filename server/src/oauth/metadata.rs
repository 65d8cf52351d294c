//! OAuth 2.0 Authorization Server Metadata (RFC 8414).

use super::{authorize, register, revoke, token};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use loopiq::domain::Scope;
use serde_json::{Value, json};

/// The path of the metadata. The issuer is the service's public URL, which has no path.
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// Responds with the metadata.
pub(super) async fn show(State(state): State<AppState>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", state.public_url);
    Json(json!({
        "issuer": &*state.public_url,
        "authorization_endpoint": at(authorize::PATH),
        "token_endpoint": at(token::PATH),
        "registration_endpoint": at(register::PATH),
        "revocation_endpoint": at(revoke::PATH),
        "scopes_supported": Scope::ALL,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "protected_resources": [state.mcp_audience()],
    }))
}
