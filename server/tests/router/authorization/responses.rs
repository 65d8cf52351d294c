//! What a response says about the caller's rights.

use super::callers::{Caller, Verdict};
use super::endpoint::{Access, Endpoint};
use crate::support::Answer;
use serde_json::Value;

/// The response to a call of a tool.
pub(super) fn result(answer: &Answer) -> Value {
    let message: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    assert!(message["result"].is_object(), "{} {}", answer.status, answer.text);
    message["result"].clone()
}

/// The code in the JSON-RPC error of an MCP method; empty for a result.
fn rpc_error(answer: &Answer) -> String {
    let message: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let code = &message["error"]["data"]["error"];
    code.as_str().unwrap_or_default().to_owned()
}

/// What the response says about the caller's rights.
pub(super) fn verdict(endpoint: &Endpoint, answer: &Answer) -> Verdict {
    match answer.status {
        401 => Verdict::Unauthenticated,
        403 => Verdict::Forbidden,
        303 if answer.location().starts_with("/login") => Verdict::SignIn,
        200 if endpoint.is_tool() && result(answer)["structuredContent"]["error"] == "not_authorized" => {
            Verdict::Forbidden
        }
        _ if endpoint.is_mcp_method() && rpc_error(answer) == "not_authorized" => Verdict::Forbidden,
        _ => Verdict::Allowed,
    }
}

/// Whether a request that was let through was well-formed and names what the endpoint expects. Otherwise the verdict would say nothing.
pub(super) fn is_well_formed(endpoint: &Endpoint, caller: &Caller, answer: &Answer) -> bool {
    let fits = match &endpoint.access {
        // The sealed question of the consent page is bound to the session that was asked.
        Access::Needs(..) if endpoint.name == "POST /oauth/authorize" => answer.status == 400,
        Access::Needs(..) if endpoint.exists && !caller.is_of("acme") => matches!(answer.status, 200 | 303 | 400 | 404),
        Access::Needs(..) => matches!(answer.status, 200 | 201 | 303 | 404 | 409 | 422),
        _ => answer.status < 500 && !matches!(answer.status, 405 | 415 | 429),
    };
    if endpoint.is_mcp_method() && endpoint.access != Access::Token {
        let message: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        return message["result"].is_object() || rpc_error(answer) == "not_found";
    }
    if !endpoint.is_tool() {
        return fits;
    }
    let result = result(answer);
    let error = result["structuredContent"]["error"].as_str();
    fits && match (endpoint.exists && caller.is_of("acme"), error) {
        (true, error) => error.is_none(),
        (false, error) => matches!(error, None | Some("not_found" | "invalid_arguments")),
    }
}

/// A response without what differs between any two requests: the ID, the nonce of the content security policy, and the number of
/// entries in the log of the caller's own tenant, because each search adds one.
pub(super) fn comparable(answer: &Answer, id: &str) -> (u16, String, String) {
    let text = without(&answer.text, "nonce=\"", "\"");
    let text = without(&text, "<p class=\"total\">", " entries in the log");
    let text = without(&text, "\"total\":", "}");
    (
        answer.status,
        answer.location().replace(id, "ID"),
        text.replace(id, "ID"),
    )
}

/// The text without what is between these two texts, each time.
fn without(text: &str, before: &str, after: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        let (_, rest) = part.split_once(after).unwrap_or_default();
        kept + before + after + rest
    })
}
