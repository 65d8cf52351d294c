//! Authentication by bearer token (RFC 6750). A 401 names the metadata that leads to the authorization server (RFC 9728, 5.1).

use super::McpState;
use super::problem::problem;
use super::scope_challenge::ScopeChallenge;
use crate::http::{TokenUsed, rate_limits};
use crate::oidc::OidcError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::{Principal, Scopes};
use loopiq::engine::{Authentication, Error, TokenRefusal};
use std::error::Error as _;

/// Authenticates a request and puts its principal into its extensions.
pub(super) async fn bearer(State(state): State<McpState>, mut request: Request, next: Next) -> Response {
    let Some(token) = token(request.headers()) else {
        if let Err(seconds) = rate_limits::check_address(&state.rate_limits, request.extensions()) {
            return too_many_requests(seconds);
        }
        // RFC 6750, 3.1: the challenge for a request without a token contains no error code.
        return unauthorized(
            &state,
            None,
            "This endpoint needs a bearer token in the header Authorization.",
        );
    };
    match authenticate(&state, token).await {
        Ok(Authenticated::Accepted(principal, name)) => {
            let span = tracing::Span::current();
            span.record("tenant", principal.tenant().as_str());
            if let Some(person) = principal.person() {
                span.record("person", person.id.as_str());
            }
            if let Err(seconds) = rate_limits::check_principal(&state.rate_limits, &principal) {
                return too_many_requests(seconds);
            }
            request.extensions_mut().insert(*principal);
            request.extensions_mut().insert(TokenUsed(name));
            let challenge = ScopeChallenge::default();
            request.extensions_mut().insert(challenge.clone());
            let response = next.run(request).await;
            challenge.response(&state).unwrap_or(response)
        }
        Ok(Authenticated::Refused(why)) => {
            if let Err(seconds) = rate_limits::check_address(&state.rate_limits, request.extensions()) {
                return too_many_requests(seconds);
            }
            tracing::warn!(why, "a bearer token was refused");
            unauthorized(&state, Some(&why), &why)
        }
        Ok(Authenticated::Unavailable) => {
            let text =
                "The keys of the identity provider cannot be fetched, so its token cannot be checked. Try again.";
            problem(StatusCode::SERVICE_UNAVAILABLE, text)
        }
        Err(error) => problem(crate::http::status_of(&error), &error.to_string()),
    }
}

/// The result of presenting a token.
enum Authenticated {
    /// Who has the token, and a name of the token.
    Accepted(Box<Principal>, String),
    /// Why it is not accepted, without quotation marks, because a header quotes it.
    Refused(String),
    /// The keys of the identity provider cannot be fetched.
    Unavailable,
}

/// Whose token it is: one of this service, or an access token of the identity provider.
async fn authenticate(state: &McpState, token: &str) -> Result<Authenticated, Error> {
    let resource = state.resource();
    if let Some(oidc) = state.oidc.as_ref().filter(|oidc| oidc.may_be_access_token(token)) {
        let now = state.runtime.now().0.div_euclid(1_000_000);
        let (grant, name) = match oidc.access_token(token, &resource, now).await {
            Ok(read) => read,
            Err(error @ OidcError::InvalidToken { .. }) => {
                let why = error.source().map(ToString::to_string).unwrap_or_default();
                let why = format!(
                    "The token of the identity provider is not accepted: {}.",
                    why.replace('"', "'")
                );
                return Ok(Authenticated::Refused(why));
            }
            Err(error) => {
                tracing::warn!(
                    code = error.code(),
                    "the keys of the identity provider cannot be fetched"
                );
                return Ok(Authenticated::Unavailable);
            }
        };
        return Ok(match state.engine.principal_of_provider(grant).await? {
            Ok(principal) => Authenticated::Accepted(Box::new(principal), name),
            Err(refusal) => Authenticated::Refused(description(refusal).to_owned()),
        });
    }
    Ok(match state.engine.authenticate(token, &resource).await? {
        Authentication::Accepted(principal, id) => Authenticated::Accepted(principal, id.to_string()),
        Authentication::Refused(refusal) => Authenticated::Refused(description(refusal).to_owned()),
    })
}

fn too_many_requests(seconds: u64) -> Response {
    rate_limits::with_retry_after(
        problem(StatusCode::TOO_MANY_REQUESTS, &rate_limits::message(seconds)),
        seconds,
    )
}

/// The token in the header `Authorization`. Another scheme counts as no token.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The `error_description` of a challenge. Without quotation marks, because the header quotes it.
fn description(refusal: TokenRefusal) -> &'static str {
    match refusal {
        TokenRefusal::Unknown => "The token is unknown. Request a new one.",
        TokenRefusal::Expired => "The token has expired. Request a new one.",
        TokenRefusal::Revoked => "The token was revoked. Connect again, or ask an operator why.",
        TokenRefusal::WrongAudience => "The token is for another resource. Request one for this resource.",
        TokenRefusal::NoPerson => {
            "The person of the token has not signed in here, or not in the tenant that the token names. The person has to sign in once in a browser."
        }
        TokenRefusal::SeveralTenants => "The person is in several tenants here, and the token names none of them.",
        TokenRefusal::NoRole => {
            "The person you act for has no role any more. Ask the people who run the identity provider for one."
        }
        TokenRefusal::RolesTooOld => {
            "The identity provider confirmed the roles of the person you act for too long ago. The person has to sign in again in a browser."
        }
    }
}

fn unauthorized(state: &McpState, description: Option<&str>, detail: &str) -> Response {
    // The scope is what a client should ask for (MCP, authorization).
    let mut challenge = format!(
        "Bearer resource_metadata=\"{}\", scope=\"{}\"",
        state.metadata_url(),
        Scopes::of_agents()
    );
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
