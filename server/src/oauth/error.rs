//! Errors of the endpoints for programs (RFC 6749, 5.2).

use crate::http::problem::json_response;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use loopiq::engine::Error;
use serde_json::json;

/// An error with its code and a sentence.
#[derive(Debug)]
pub(super) struct OAuthError {
    status: StatusCode,
    code: &'static str,
    description: String,
}

impl OAuthError {
    /// An error of the client: status 400.
    pub(super) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            description: description.into(),
        }
    }

    /// A parameter is missing or wrong.
    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// The same error with another status.
    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        Self {
            status,
            code,
            description: error.to_string(),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        tracing::info!(
            code = self.code,
            description = self.description,
            "an OAuth request was refused"
        );
        let body = json!({ "error": self.code, "error_description": self.description });
        json_response(self.status, "application/json", &body)
    }
}
