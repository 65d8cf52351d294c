//! What the engine refuses with, in HTTP's terms: the one mapping, for every door.

use axum::http::StatusCode;
use loopiq::engine::Error;

/// The status that an engine's refusal has over HTTP.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::NotFound { .. } | Error::UnknownTool { .. } => StatusCode::NOT_FOUND,
        Error::Invalid { .. } | Error::Wording { .. } | Error::Setting { .. } => StatusCode::BAD_REQUEST,
        Error::NotAuthorized { .. } => StatusCode::FORBIDDEN,
        Error::IdempotencyConflict { .. }
        | Error::RejectedBefore { .. }
        | Error::DigestMismatch
        | Error::AlreadyDecided { .. } => StatusCode::CONFLICT,
        Error::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::NotExecuted { cause } => status_of(cause),
        Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
