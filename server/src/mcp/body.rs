//! The body as strict JSON, before rmcp reads it.
//!
//! JSON parsers differ in how they handle duplicate keys and large integers. The body is therefore parsed once, strictly, and serialized
//! again, so that no later parser can read it in another way.

use super::problem::{INVALID_REQUEST, PARSE_ERROR, problem, rpc};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::canonical::parse_strict;
use serde_json::Value;

/// The maximum size of a body, in bytes: 1 MiB. A payload may have 256 KiB.
pub(super) const MAX_BODY: usize = 1 << 20;

/// Passes on one valid JSON-RPC message, or responds with what is wrong with it.
pub(super) async fn strict(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let bytes = match to_bytes(body, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(error) if is_limit(&error) => {
            let detail = "The request is larger than 1 MiB (1048576 bytes), so it was not read. Send less.";
            return problem(StatusCode::PAYLOAD_TOO_LARGE, detail);
        }
        Err(_) => {
            return problem(
                StatusCode::BAD_REQUEST,
                "The request ended before it was complete. Send it again.",
            );
        }
    };
    let message = match parse_strict(&bytes) {
        Ok(message) => message,
        Err(cause) => {
            return rpc(
                PARSE_ERROR,
                &format!("The body is not valid JSON: {cause}."),
                Value::Null,
            );
        }
    };
    if let Err(why) = check_message(&message) {
        return rpc(INVALID_REQUEST, why, id(&message));
    }
    let Ok(serialized) = serde_json::to_vec(&message) else {
        return rpc(INVALID_REQUEST, "The message cannot be serialized again.", id(&message));
    };
    // The serialized message has another length.
    parts.headers.remove(header::CONTENT_LENGTH);
    next.run(Request::from_parts(parts, Body::from(serialized))).await
}

/// Checks that the message is a request or a notification. A client sends responses only to a server that sends requests, and this one does
/// not.
fn check_message(message: &Value) -> Result<(), &'static str> {
    if message.is_array() {
        return Err("MCP no longer supports batches. Send one message in each request.");
    }
    if message["jsonrpc"] != "2.0" {
        return Err("The message is not JSON-RPC 2.0: the field jsonrpc must be \"2.0\".");
    }
    if !message["method"].is_string() {
        return Err("The message has no method.");
    }
    // JSON-RPC 2.0, 4, as MCP narrows it: a string or an integer, and no null.
    if let Some(id) = message.get("id")
        && !(id.is_string() || id.is_i64() || id.is_u64())
    {
        return Err("The id must be a string or an integer. A notification has no id.");
    }
    if message["method"] == "tools/call" {
        let params = &message["params"];
        if !params["name"].is_string() || !(params["arguments"].is_object() || params["arguments"].is_null()) {
            return Err("tools/call needs params {name, arguments}: name a string, arguments an object.");
        }
    }
    Ok(())
}

fn id(message: &Value) -> Value {
    match &message["id"] {
        id @ (Value::String(_) | Value::Number(_)) => id.clone(),
        _ => Value::Null,
    }
}

fn is_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}
