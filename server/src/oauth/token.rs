//! `POST /oauth/token`: exchanges codes and refresh tokens for tokens (RFC 6749, 4.1.3 and 6). Public clients only: PKCE and the client ID bind a code
//! to its client.

use super::client::key;
use super::error::OAuthError;
use crate::http::problem::json_response;
use crate::http::request_origin;
use crate::oauth_params::{Params, Repeated};
use crate::state::AppState;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopiq::engine::{CodeBinding, GrantRefusal, IssuedTokens, TokenRefusal};
use serde_json::json;
use sha2::{Digest, Sha256};

/// The path of the endpoint.
pub(super) const PATH: &str = "/oauth/token";

type Pairs = Vec<(String, String)>;

/// The parameters of a form for a program.
pub(super) fn params(form: Result<Form<Pairs>, FormRejection>) -> Result<Params, OAuthError> {
    match form {
        Ok(Form(pairs)) => Ok(Params::new(pairs)),
        Err(_) => Err(OAuthError::invalid_request(
            "The request is not a form (application/x-www-form-urlencoded).",
        )),
    }
}

/// A parameter that must be there once.
pub(super) fn required<'p>(params: &'p Params, name: &str) -> Result<&'p str, OAuthError> {
    match params.get(name) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(OAuthError::invalid_request(format!("The request has no {name}."))),
        Err(Repeated) => Err(OAuthError::invalid_request(format!(
            "The request contains {name} more than once."
        ))),
    }
}

/// Issues tokens.
pub(super) async fn token(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Pairs>, FormRejection>,
) -> Result<Response, OAuthError> {
    let params = params(form)?;
    let client_key = key(required(&params, "client_id")?);
    let resource = state.mcp_audience();
    if params.all("resource").any(|named| named != resource) {
        let text = format!("The resource must be {resource}.");
        return Err(OAuthError::new("invalid_target", text));
    }
    let origin = request_origin(&extensions, &headers);
    let outcome = match required(&params, "grant_type")? {
        "authorization_code" => {
            let code = required(&params, "code")?;
            let binding = CodeBinding {
                redirect_uri: required(&params, "redirect_uri")?.to_owned(),
                challenge: challenge(required(&params, "code_verifier")?)?,
            };
            let engine = &state.engine;
            engine
                .exchange_code(&origin, code, &client_key, &binding, &resource)
                .await?
        }
        "refresh_token" => {
            let token = required(&params, "refresh_token")?;
            state.engine.refresh(&origin, token, &client_key, &resource).await?
        }
        other => {
            let shown: String = other.chars().take(50).collect();
            let text = format!("The grant_type {shown} is not supported: use authorization_code or refresh_token.");
            return Err(OAuthError::new("unsupported_grant_type", text));
        }
    };
    // A parameter `scope` changes nothing: the response says what the tokens have.
    Ok(issued(&outcome.map_err(refused)?))
}

/// The challenge of a PKCE verifier: 43 to 128 unreserved characters (RFC 7636, 4.1).
fn challenge(verifier: &str) -> Result<String, OAuthError> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
        return Err(OAuthError::invalid_request(
            "The code_verifier must have 43 to 128 letters, digits or - . _ ~.",
        ));
    }
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)))
}

fn refused(refusal: GrantRefusal) -> OAuthError {
    let code = match refusal {
        GrantRefusal::Refused(TokenRefusal::WrongAudience) => "invalid_target",
        _ => "invalid_grant",
    };
    OAuthError::new(code, refusal.to_string())
}

fn issued(tokens: &IssuedTokens) -> Response {
    let body = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh,
        "scope": tokens.scopes.to_string(),
    });
    json_response(StatusCode::OK, "application/json", &body)
}

#[cfg(test)]
mod tests {
    use super::challenge;

    #[test]
    fn the_challenge_of_a_verifier_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            challenge(verifier).unwrap(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        for wrong in ["", "short", &"x".repeat(129), &format!("{}+", "x".repeat(43))] {
            assert!(challenge(wrong).is_err(), "{wrong}");
        }
    }
}
