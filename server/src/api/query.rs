//! The query of an API request, read strictly: a misspelled parameter would otherwise be ignored without a word.

use crate::http::problem::{problem, problem_with};
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The parameters of the query. Their type refuses unknown ones; the values are text, which the handler reads.
pub(super) struct StrictQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                let why = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                Err(problem(
                    StatusCode::BAD_REQUEST,
                    &format!("The query is wrong: {why}. Nothing was changed."),
                ))
            }
        }
    }
}

/// The query of an operation without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

/// The response to a wrong value of a parameter.
pub(super) fn wrong_parameter(name: &str, message: &str) -> Response {
    problem_with(
        StatusCode::BAD_REQUEST,
        "invalid_arguments",
        &format!("{name}: {message}. Nothing was changed."),
        &[("fields", json!([{ "parameter": name, "message": message }]))],
    )
}
