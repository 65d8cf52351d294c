//! The JSON body of an API request, read strictly, and the ID in its path.

use crate::http::problem::{problem, problem_with};
use axum::body::{Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use loopiq::domain::canonical::parse_strict;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A JSON body. Duplicate keys and numbers that JSON parsers read differently are refused, and so are unknown fields, by the body's type.
pub(super) struct StrictJson<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        if media_type(request.headers()) != "application/json" {
            let text = "The body must be JSON, with the content type application/json. Nothing was changed.";
            return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let bytes = whole(request).await?;
        let wrong = |why: String| {
            problem(
                StatusCode::BAD_REQUEST,
                &format!("The body is not valid: {why}. Nothing was changed."),
            )
        };
        let value = parse_strict(&bytes).map_err(|error| wrong(error.to_string()))?;
        if !value.is_object() {
            return Err(wrong("it must be an object".to_owned()));
        }
        serde_json::from_value(value)
            .map(Self)
            .map_err(|error| wrong(error.to_string()))
    }
}

/// The content type without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// The whole body. `http::limits` has received it, and has refused a larger one.
pub(super) async fn whole(request: Request) -> Result<Bytes, Response> {
    let body = request.into_body();
    let size = body.size_hint().upper().and_then(|size| usize::try_from(size).ok());
    let bytes = to_bytes(body, size.unwrap_or(usize::MAX)).await;
    bytes.map_err(|_| {
        problem(
            StatusCode::BAD_REQUEST,
            "The body ended before it was complete. Nothing was changed.",
        )
    })
}

/// The response to a wrong field of a body.
pub(super) fn wrong_field(pointer: &str, message: &str) -> Response {
    problem_with(
        StatusCode::BAD_REQUEST,
        "invalid_arguments",
        &format!("{pointer}: {message} Nothing was changed."),
        &[("fields", json!([{ "pointer": pointer, "message": message }]))],
    )
}

/// The ID in the path. Text that is not UTF-8 is an ID that does not exist.
pub(super) struct IdInPath(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(problem(StatusCode::NOT_FOUND, "There is no such record.")),
        }
    }
}
