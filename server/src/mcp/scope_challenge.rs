//! The response 403 to a call for which the token lacks a scope (RFC 6750, 3.1).
//!
//! The engine refuses the call behind rmcp, which can only respond with a JSON-RPC message. The handler therefore leaves the scopes in the
//! request's extensions, and the middleware outside rmcp replaces the response.

use super::problem::problem;
use crate::http::bearer::BearerGate;
use axum::http::StatusCode;
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
    pub(super) fn response(&self, gate: &BearerGate<'_>) -> Option<Response> {
        let Refused { scopes, message } = self.0.get()?;
        Some(gate.insufficient_scope(scopes, problem(StatusCode::FORBIDDEN, message)))
    }
}
