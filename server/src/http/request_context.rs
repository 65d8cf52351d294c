//! The context in which the engine handles a request.

use axum::http::{Extensions, HeaderMap};
use loopiq::context::{Ctx, Runtime};
use loopiq::domain::Principal;
use std::sync::Arc;

/// The request's ID, in its extensions.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The context of a request by this principal: with the request's ID, and with the trace that the client has given.
pub(crate) fn request_context(
    runtime: &Runtime,
    principal: Principal,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Ctx {
    let mut ctx = Ctx::new(principal, runtime);
    if let Some(RequestId(id)) = extensions.get() {
        ctx.request_id = id.to_string();
    }
    if let Some(trace) = trace_id(headers) {
        ctx.trace_id = trace;
        ctx.trace_given = true;
    }
    ctx
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
