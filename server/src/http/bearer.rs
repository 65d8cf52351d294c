//! Authentication by bearer token (RFC 6750), for MCP and for the API. A 401 names the metadata that leads to the authorization server
//! (RFC 9728, 5.1).

use super::problem::problem;
use super::rate_limits;
use super::request_context::TokenUsed;
use crate::net::RateLimits;
use crate::oidc::{Oidc, OidcError};
use crate::state::AppState;
use crate::urls;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use loopiq::domain::{Principal, Scopes};
use loopiq::engine::{Authentication, Engine, Error, TokenRefusal};
use std::error::Error as _;

/// What decides about the tokens of an endpoint.
pub(crate) struct BearerGate<'a> {
    /// The engine, which knows the tokens of this service.
    pub(crate) engine: &'a Engine,
    /// The identity provider, whose access tokens are accepted too, if an operator has turned that on.
    pub(crate) oidc: Option<&'a Oidc>,
    /// The rate limits of addresses and of clients.
    pub(crate) rate_limits: &'a RateLimits,
    /// The audience that a token must have (RFC 8707).
    pub(crate) resource: String,
    /// The URL of the metadata that names the authorization server.
    pub(crate) metadata_url: String,
    /// The scopes that a client without a token should ask for, if the endpoint knows them.
    pub(crate) scopes: Option<Scopes>,
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

/// The part of the header `Authorization` after the scheme `Bearer`; `None` for another scheme and without the header.
pub(crate) fn credentials(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl<'a> BearerGate<'a> {
    /// The gate of the API. It accepts the tokens of the MCP endpoint, because both are one resource: the same program, the same scopes and the
    /// same records.
    pub(crate) fn of_api(state: &'a AppState) -> Self {
        Self {
            engine: &state.engine,
            oidc: Some(&state.oidc),
            rate_limits: &state.requests.rate_limits,
            resource: state.mcp_audience(),
            metadata_url: urls::mcp_metadata_url(&state.public_url),
            // The endpoints of the API need different scopes. A 403 names those that are missing.
            scopes: None,
        }
    }

    /// Authenticates a request and puts its token into its extensions. The error is the response to a request that is refused.
    pub(crate) async fn admit(&self, request: &mut Request) -> Result<Principal, Box<Response>> {
        let Some(token) = credentials(request.headers()).filter(|token| !token.is_empty()) else {
            self.count_address(request)?;
            // RFC 6750, 3.1: the challenge for a request without a token contains no error code.
            let detail = "This endpoint needs a bearer token in the header Authorization.";
            return Err(Box::new(self.unauthorized(None, detail)));
        };
        match self.authenticate(token).await {
            Ok(Authenticated::Accepted(principal, name)) => {
                let span = tracing::Span::current();
                span.record("tenant", principal.tenant().as_str());
                if let Some(person) = principal.person() {
                    span.record("person", person.id.as_str());
                }
                rate_limits::check_principal(self.rate_limits, &principal).map_err(too_many_requests)?;
                request.extensions_mut().insert(TokenUsed(name));
                Ok(*principal)
            }
            Ok(Authenticated::Refused(why)) => {
                self.count_address(request)?;
                tracing::warn!(why, "a bearer token was refused");
                Err(Box::new(self.unauthorized(Some(&why), &why)))
            }
            Ok(Authenticated::Unavailable) => {
                let text =
                    "The keys of the identity provider cannot be fetched, so its token cannot be checked. Try again.";
                Err(Box::new(problem(StatusCode::SERVICE_UNAVAILABLE, text)))
            }
            Err(error) => Err(Box::new(problem(super::status_of(&error), &error.to_string()))),
        }
    }

    /// Whose token it is: one of this service, or an access token of the identity provider.
    async fn authenticate(&self, token: &str) -> Result<Authenticated, Error> {
        if let Some(oidc) = self.oidc.filter(|oidc| oidc.may_be_access_token(token)) {
            let now = self.engine.runtime().now().0.div_euclid(1_000_000);
            let (grant, name) = match oidc.access_token(token, &self.resource, now).await {
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
            return Ok(match self.engine.principal_of_provider(grant).await? {
                Ok(principal) => Authenticated::Accepted(Box::new(principal), name),
                Err(refusal) => Authenticated::Refused(description(refusal).to_owned()),
            });
        }
        Ok(match self.engine.authenticate(token, &self.resource).await? {
            Authentication::Accepted(principal, id) => Authenticated::Accepted(principal, id.to_string()),
            Authentication::Refused(refusal) => Authenticated::Refused(description(refusal).to_owned()),
        })
    }

    /// The response 403 to a request whose token lacks scopes (RFC 6750, 3.1).
    pub(crate) fn insufficient_scope(&self, scopes: &Scopes, mut response: Response) -> Response {
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scopes}\", resource_metadata=\"{}\", error_description=\"The token lacks a scope.\"",
            self.metadata_url
        );
        challenge_with(&mut response, &challenge);
        response
    }

    fn count_address(&self, request: &Request) -> Result<(), Box<Response>> {
        rate_limits::check_address(self.rate_limits, request.extensions()).map_err(too_many_requests)
    }

    fn unauthorized(&self, description: Option<&str>, detail: &str) -> Response {
        let mut challenge = format!("Bearer resource_metadata=\"{}\"", self.metadata_url);
        if let Some(scopes) = &self.scopes {
            challenge.push_str(&format!(", scope=\"{scopes}\""));
        }
        if let Some(description) = description {
            challenge.push_str(&format!(
                ", error=\"invalid_token\", error_description=\"{description}\""
            ));
        }
        let mut response = problem(StatusCode::UNAUTHORIZED, detail);
        challenge_with(&mut response, &challenge);
        response
    }
}

fn challenge_with(response: &mut Response, challenge: &str) {
    if let Ok(value) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}

fn too_many_requests(seconds: u64) -> Box<Response> {
    Box::new(rate_limits::with_retry_after(
        problem(StatusCode::TOO_MANY_REQUESTS, &rate_limits::message(seconds)),
        seconds,
    ))
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
        TokenRefusal::SeveralTenants => {
            "The token must name one tenant: this service has several, or the person is in several of those that it names."
        }
        TokenRefusal::NoRole => {
            "The person you act for has no role any more. Ask the people who run the identity provider for one."
        }
        TokenRefusal::RolesTooOld => {
            "The identity provider confirmed the roles of the person you act for too long ago. The person has to sign in again in a browser."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scheme_bearer_has_a_token() {
        let of = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
            credentials(&headers).map(str::to_owned)
        };
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Basic abc", None),
            ("Bearerabc", None),
            ("", None),
        ] {
            assert_eq!(of(value).as_deref(), token, "{value:?}");
        }
        assert_eq!(credentials(&HeaderMap::new()), None);
    }
}
