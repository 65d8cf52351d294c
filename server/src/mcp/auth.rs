//! The bearer token (RFC 6750): who calls, or 401 with where to get a token (RFC 9728, 5.1).

use super::Door;
use super::problem::problem;
use crate::http::rates;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::engine::TokenRefusal;

/// Lets a request in with its principal among its extensions.
pub(super) async fn bearer(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let Some(token) = token(request.headers()) else {
        if let Err(seconds) = rates::check_address(&door.rates, request.extensions()) {
            return too_many(seconds);
        }
        // RFC 6750, 3.1: who showed nothing is told where to ask, and no error code.
        return unauthorized(&door, None, "This needs a bearer token in the header Authorization.");
    };
    match door.engine.authenticate(token, &door.resource()).await {
        Ok(Ok(principal)) => {
            let span = tracing::Span::current();
            span.record("tenant", principal.tenant().as_str());
            if let Some(person) = principal.person() {
                span.record("person", person.id.as_str());
            }
            if let Err(seconds) = rates::check_principal(&door.rates, &principal) {
                return too_many(seconds);
            }
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Ok(Err(refusal)) => {
            let why = why(refusal);
            if let Err(seconds) = rates::check_address(&door.rates, request.extensions()) {
                return too_many(seconds);
            }
            tracing::warn!(%refusal, "a bearer token was refused");
            unauthorized(&door, Some(why), why)
        }
        Err(error) => problem(crate::http::status_of(&error), &error.to_string()),
    }
}

fn too_many(seconds: u64) -> Response {
    rates::retry_after(
        problem(StatusCode::TOO_MANY_REQUESTS, &rates::sentence(seconds)),
        seconds,
    )
}

/// The token of the header `Authorization`. Another scheme counts as none.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Stands in a quoted string of a header: no quotation marks.
fn why(refusal: TokenRefusal) -> &'static str {
    match refusal {
        TokenRefusal::Unknown => "The token is not known here. Ask for a new one.",
        TokenRefusal::Expired => "The token has expired. Ask for a new one.",
        TokenRefusal::WrongAudience => "The token was given out for another resource. Ask for one for this resource.",
    }
}

fn unauthorized(door: &Door, description: Option<&str>, detail: &str) -> Response {
    let mut challenge = format!("Bearer resource_metadata=\"{}\"", door.metadata_url());
    if let Some(description) = description {
        challenge.push_str(&format!(
            ", error=\"invalid_token\", error_description=\"{description}\""
        ));
    }
    let mut response = problem(StatusCode::UNAUTHORIZED, detail);
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
