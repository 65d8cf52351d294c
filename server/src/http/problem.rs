//! Error responses for programs: problem details (RFC 9457), with a stable code.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use loopiq::domain::Scopes;
use loopiq::engine::Error;
use serde_json::{Value, json};

/// Problem details with this HTTP status and its general code.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    problem_with(status, code_of(status), detail, &[])
}

/// The scopes that the token of a request lacks, in the extensions of the response 403: the middleware that knows the metadata adds the
/// challenge.
#[derive(Debug, Clone)]
pub(crate) struct MissingScopes(pub(crate) Scopes);

/// Problem details of an error of the engine, with its own code.
pub(crate) fn problem_of(error: &Error) -> Response {
    let mut more = vec![("fields", Value::Array(error_fields(error)))];
    match error {
        Error::IdempotencyConflict { action, .. } => more.push(("actionId", json!(action))),
        Error::RejectedBefore { action, codes, .. } => {
            more.extend([("actionId", json!(action)), ("reasonCodes", json!(codes))]);
        }
        Error::AlreadyDecided { state, .. } => more.push(("state", json!(state))),
        _ => {}
    }
    more.retain(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty()));
    let mut response = problem_with(super::status_of(error), error.code(), &error.to_string(), &more);
    if let Error::InsufficientScope { needed, held } = error {
        // A client that asks for the named scopes must not lose those that it has.
        response.extensions_mut().insert(MissingScopes(held.and(needed)));
    }
    response
}

/// Problem details with further members.
pub(crate) fn problem_with(status: StatusCode, code: &str, detail: &str, more: &[(&str, Value)]) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut body =
        json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail, "code": code });
    for (name, value) in more {
        body[*name] = value.clone();
    }
    let mut response = json_response(status, "application/problem+json", &body);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The mistakes that an error names, each with its place in the arguments (RFC 6901).
pub(crate) fn error_fields(error: &Error) -> Vec<Value> {
    let field = |pointer: &str, message: &str| json!({ "pointer": pointer, "message": message });
    match error {
        Error::Invalid { fields } => fields
            .iter()
            .map(|error| field(&error.pointer, &error.message))
            .collect(),
        Error::RejectedBefore { reasons, .. } => reasons
            .iter()
            .flat_map(|check| {
                check
                    .pointers
                    .iter()
                    .map(|pointer| field(pointer, check.message.as_str()))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The code of a problem that no use case has found. `docs/api.md` lists the codes.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthenticated",
        StatusCode::FORBIDDEN => "not_authorized",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "timed_out",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        status if status.is_server_error() => "internal",
        _ => "invalid_request",
    }
}

/// JSON with this HTTP status and content type.
pub(crate) fn json_response(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
