//! The response 403 to a call for which the token lacks a scope (RFC 6750, 3.1).
//!
//! The engine refuses the call behind rmcp, which can only respond with a JSON-RPC message. The handler therefore leaves the scopes in the
//! request's extensions, and the middleware outside rmcp replaces the response.

use super::McpState;
use super::problem::problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use loopiq::domain::Scopes;
use loopiq::engine::Error;
use std::sync::{Arc, OnceLock};

/// Where the handler leaves the refusal. A request is one call, so that there is at most one.
#[derive(Clone, Default)]
pub(super) struct ScopeChallenge(Arc<OnceLock<Refused>>);

/// A call that was refused for its scopes.
struct Refused {
    scopes: Scopes,
    message: String,
}

impl ScopeChallenge {
    /// Notes the refusal, if it is about scopes.
    pub(super) fn note(&self, error: &Error) {
        if let Error::InsufficientScope { needed, held } = error {
            // A client that asks for the named scopes must not lose those that it has.
            let scopes = held.and(needed);
            let message = error.to_string();
            let _ = self.0.set(Refused { scopes, message });
        }
    }

    /// The response 403, if the handler has noted a refusal.
    pub(super) fn response(&self, state: &McpState) -> Option<Response> {
        let Refused { scopes, message } = self.0.get()?;
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scopes}\", resource_metadata=\"{}\", error_description=\"The token lacks a scope.\"",
            state.metadata_url()
        );
        let mut response = problem(StatusCode::FORBIDDEN, message);
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        Some(response)
    }
}
