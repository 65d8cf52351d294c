//! Responses whose content the client may know already (RFC 9110, 8.8.3 and 13.1.2).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use loopiq::domain::canonical::sha256_hex;
use loopiq::engine::Error;
use serde::Serialize;

/// The value as JSON with its ETag, or 304 if the client has that content.
pub(super) fn respond(headers: &HeaderMap, value: &impl Serialize) -> Response {
    let json = match serde_json::to_vec(value) {
        Ok(json) => json,
        Err(error) => return crate::http::problem::problem_of(&Error::internal(error)),
    };
    let tag = format!("\"{}\"", &sha256_hex(&json)[..32]);
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .any(|value| names(value, &tag));
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(json) });
    let headers = response.headers_mut();
    // The client asks again each time, because permissions and checks change.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// Whether the header names this tag. Proxies that compress make a tag weak.
fn names(value: &str, tag: &str) -> bool {
    value
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_content_is_not_sent_again() {
        let first = respond(&HeaderMap::new(), &"content");
        let tag = first.headers()[header::ETAG].clone();
        let text = tag.to_str().unwrap().to_owned();
        for value in [
            text.clone(),
            format!("W/{text}"),
            format!("\"other\", {text}"),
            "*".to_owned(),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&value).unwrap())]);
            let again = respond(&headers, &"content");
            assert_eq!(
                (again.status(), &again.headers()[header::ETAG]),
                (StatusCode::NOT_MODIFIED, &tag),
                "{value}"
            );
            let other = respond(&headers, &"other content").status();
            assert_eq!(other == StatusCode::NOT_MODIFIED, value == "*", "{value}");
        }
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\", y"))]);
        assert_eq!(respond(&headers, &"content").status(), StatusCode::OK);
    }
}
