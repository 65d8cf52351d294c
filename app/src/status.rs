//! The HTTP status of each error of the engine. Pages, server functions and the server use this one mapping.

use axum::http::StatusCode;
use loopiq::engine::Error;

/// The HTTP status of an error of the engine.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::NotFound { .. } | Error::NoAuditEntry { .. } | Error::UnknownTool { .. } => StatusCode::NOT_FOUND,
        Error::Invalid { .. } | Error::Wording { .. } | Error::Setting { .. } => StatusCode::BAD_REQUEST,
        Error::NotAuthorized { .. } | Error::InsufficientScope { .. } => StatusCode::FORBIDDEN,
        Error::IdempotencyConflict { .. }
        | Error::RejectedBefore { .. }
        | Error::DigestMismatch
        | Error::Paused { .. }
        | Error::AlreadyDecided { .. } => StatusCode::CONFLICT,
        Error::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NotExecuted { cause } => status_of(cause),
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::LogTampered { .. } | Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
