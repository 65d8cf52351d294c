//! Error responses: problem details (RFC 9457) as long as there is no JSON-RPC message, and JSON-RPC errors.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// JSON-RPC 2.0, 5.1: the text is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0, 5.1: the JSON is not a message.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// Problem details with this HTTP status.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    json_response(status, "application/problem+json", &body)
}

/// A JSON-RPC error about a message that did not reach a handler. `id` is null if the message has none.
pub(super) fn rpc(code: i32, message: &str, id: Value) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    json_response(StatusCode::BAD_REQUEST, "application/json", &body)
}

fn json_response(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
