//! JSON-RPC errors. Before there is a JSON-RPC message, errors are problem details.

use crate::http::problem::json_response;
pub(super) use crate::http::problem::problem;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

/// JSON-RPC 2.0, 5.1: the text is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0, 5.1: the JSON is not a message.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// A JSON-RPC error about a message that did not reach a handler. `id` is null if the message has none.
pub(super) fn rpc(code: i32, message: &str, id: Value) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    json_response(StatusCode::BAD_REQUEST, "application/json", &body)
}
