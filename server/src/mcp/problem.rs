//! What a client is told before there is a JSON-RPC message to answer (RFC 9457), and errors of JSON-RPC itself.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// JSON-RPC 2.0, 5.1: the text is no JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0, 5.1: the JSON is no message.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// A problem in HTTP terms.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    answer(status, "application/problem+json", &body)
}

/// An error of JSON-RPC, about a message that never reached a handler. `id` is null where none could be read.
pub(super) fn rpc(code: i32, message: &str, id: Value) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    answer(StatusCode::BAD_REQUEST, "application/json", &body)
}

fn answer(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
