//! The errors of the API in its description.

use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `http::problem` writes")]
pub(super) struct Problem {
    /// Always `about:blank`: `code` says which problem it is.
    #[schema(example = "about:blank")]
    r#type: String,
    /// The name of the HTTP status.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do, for people.
    detail: String,
    /// What is wrong, for programs. Stable.
    #[schema(example = "not_found")]
    code: String,
    /// Each mistake with its place.
    #[schema(required = false)]
    fields: Option<Vec<Mistake>>,
    /// The action that the problem is about.
    #[schema(required = false)]
    action_id: Option<String>,
    /// Why that action was rejected.
    #[schema(required = false)]
    reason_codes: Option<Vec<String>>,
    /// The state of the action.
    #[schema(required = false)]
    state: Option<String>,
    /// The mistakes of a catalog.
    #[schema(required = false)]
    problems: Option<Vec<CatalogMistake>>,
    /// The number of further mistakes of a catalog.
    #[schema(required = false)]
    more: Option<u64>,
}

/// A mistake in a body or in a query.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what `http::problem` writes")]
pub(super) struct Mistake {
    /// The place in the body (RFC 6901).
    #[schema(required = false)]
    pointer: Option<String>,
    /// The parameter of the query.
    #[schema(required = false)]
    parameter: Option<String>,
    /// The first wrong character of the parameter, from 0.
    #[schema(required = false)]
    at: Option<u32>,
    /// The number of wrong characters.
    #[schema(required = false)]
    length: Option<u32>,
    /// What is wrong.
    message: String,
}

/// A mistake in a catalog.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what `catalog::Problem` writes")]
pub(super) struct CatalogMistake {
    /// The file; empty for a mistake without a file.
    file: String,
    /// The line, from 1; 0 for a mistake without a line.
    line: u32,
    /// The field; empty for a mistake without a field.
    field: String,
    /// What is wrong, and what is allowed.
    message: String,
}

/// What every endpoint may respond with instead of a result.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "exists for the description")]
pub(super) enum Refusals {
    /// The request is refused, and nothing was changed.
    #[response(status = "4XX", content_type = "application/problem+json")]
    Refused(Problem),
    /// The service failed, or is busy. `Retry-After` says when to try again.
    #[response(status = "5XX", content_type = "application/problem+json")]
    Failed(Problem),
}
