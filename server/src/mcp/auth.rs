//! Authentication by bearer token.

use super::McpState;
use super::scope_challenge::ScopeChallenge;
use crate::http::bearer::BearerGate;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::Scopes;

/// Authenticates a request and puts its principal into its extensions.
pub(super) async fn bearer(State(state): State<McpState>, mut request: Request, next: Next) -> Response {
    let gate = gate(&state);
    let principal = match gate.admit(&mut request).await {
        Ok(principal) => principal,
        Err(refusal) => return *refusal,
    };
    request.extensions_mut().insert(principal);
    let challenge = ScopeChallenge::default();
    request.extensions_mut().insert(challenge.clone());
    let response = next.run(request).await;
    challenge.response(&gate).unwrap_or(response)
}

fn gate(state: &McpState) -> BearerGate<'_> {
    BearerGate {
        engine: &state.engine,
        oidc: state.oidc.as_ref(),
        rate_limits: &state.rate_limits,
        resource: state.resource(),
        metadata_url: state.metadata_url(),
        // What a client should ask for (MCP, authorization).
        scopes: Some(Scopes::of_agents()),
    }
}
