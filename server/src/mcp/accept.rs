//! The header `Accept`. The endpoint responds with JSON only, but rmcp demands that a client accepts event streams as well, as the protocol says;
//! many clients send `application/json`, `*/*` or nothing.

use super::problem::problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// What rmcp demands.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Passes on a request whose sender takes JSON.
pub(super) async fn json(mut request: Request, next: Next) -> Response {
    if !takes_json(request.headers()) {
        let detail = "This endpoint responds with JSON, and the header Accept excludes that. Send Accept: application/json, text/event-stream.";
        return problem(StatusCode::NOT_ACCEPTABLE, detail);
    }
    request.headers_mut().insert(header::ACCEPT, BOTH);
    next.run(request).await
}

/// Whether `Accept` permits `application/json` (RFC 9110, 12.5.1). A request without the header takes everything.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .filter(|range| !range.trim().is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    // The most specific range decides: `*/*, application/json;q=0` excludes JSON.
    let weight = |wanted: &str, ranges: &[&str]| {
        let found = ranges.iter().find(|range| {
            let media = range.split(';').next().unwrap_or_default();
            media.trim().eq_ignore_ascii_case(wanted)
        });
        found.map(|range| !is_zero(range))
    };
    let ranges: Vec<&str> = ranges.collect();
    ["application/json", "application/*", "*/*"]
        .iter()
        .find_map(|wanted| weight(wanted, &ranges))
        .unwrap_or(false)
}

/// Whether the range has the weight 0.
fn is_zero(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_permits_json_is_accepted() {
        let takes = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT, HeaderValue::from_static(value));
            }
            takes_json(&headers)
        };
        for fine in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["Application/JSON; charset=utf-8"],
            &["application/*;q=0.1"],
            &["text/html, */*;q=0.8"],
            &["text/event-stream", "application/json"],
            &["application/json, text/event-stream"],
        ] {
            assert!(takes(fine), "{fine:?}");
        }
        for not in [
            &["text/event-stream"][..],
            &["text/html"],
            &["application/json;q=0"],
            &["*/*, application/json;q=0.0"],
            &["application/xml"],
        ] {
            assert!(!takes(not), "{not:?}");
        }
    }
}
