//! The context in which the engine handles a request.

use crate::net::ClientAddress;
use axum::http::{Extensions, HeaderMap, HeaderName, header};
use loopiq::context::{Ctx, RequestOrigin, Runtime};
use loopiq::domain::{Principal, SenderClaims};
use std::sync::Arc;

/// The header of a request's ID, in both directions.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of the bearer token of a request, in its extensions. It opens nothing.
#[derive(Debug, Clone)]
pub(crate) struct TokenUsed(pub String);

/// The request's ID, in its extensions. The service generates it.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The context of a request by this principal: with the request's ID, where the request comes from, and what its sender says.
pub(crate) fn request_context(
    runtime: &Runtime,
    principal: Principal,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Ctx {
    let mut ctx = request_origin(extensions, headers).context(principal, runtime);
    if let Some(TokenUsed(token)) = extensions.get() {
        ctx.source.session = Some(token.clone());
    }
    ctx
}

/// What is known about a request before its principal is.
pub(crate) fn request_origin(extensions: &Extensions, headers: &HeaderMap) -> RequestOrigin {
    RequestOrigin {
        request_id: extensions.get().map(|RequestId(id)| id.to_string()),
        address: extensions.get().map(|ClientAddress(address)| address.to_string()),
        claims: SenderClaims {
            agent: text(headers, &header::USER_AGENT).and_then(SenderClaims::bounded_program),
            version: None,
            request_id: client_request_id(headers),
            trace_id: trace_id(headers),
        },
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The sender's own ID of the request, if it can be stored.
pub(crate) fn client_request_id(headers: &HeaderMap) -> Option<String> {
    text(headers, &X_REQUEST_ID).and_then(SenderClaims::valid_request_id)
}

/// The trace ID in the header `traceparent` (W3C Trace Context, 3.2).
pub fn trace_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && is_hex(trace, 32)
        && trace.bytes().any(|byte| byte != b'0')
        && is_hex(parent, 16)
        && parent.bytes().any(|byte| byte != b'0')
        && is_hex(flags, 2);
    is_valid.then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_traceparent_is_accepted_or_ignored_as_w3c_says() {
        let trace_of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
            trace_id(&headers)
        };
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(
            trace_of(&format!("00-{trace}-b7ad6b7169203331-01")).as_deref(),
            Some(trace)
        );
        assert_eq!(
            trace_of(&format!("cc-{trace}-b7ad6b7169203331-01-more")).as_deref(),
            Some(trace)
        );
        for wrong in [
            format!("00-{trace}-b7ad6b7169203331-01-more"),
            format!("ff-{trace}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", trace.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{trace}"),
        ] {
            assert_eq!(trace_of(&wrong), None, "{wrong}");
        }
    }
}
