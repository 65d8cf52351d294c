//! The authorization request (RFC 6749, 4.1.1; RFC 7636; RFC 8707): what it contains, and what may be wrong with it. Pure.

use crate::oauth_params::{Params, Repeated};
use loopiq::domain::Scopes;

/// The length of a challenge with method S256: SHA-256 in base64url.
const CHALLENGE: usize = 43;

/// A valid request of a client. Client and redirect URI are checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthorizationRequest {
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    /// The scopes that the client wants, of those that the service knows.
    pub(super) scopes: Scopes,
}

/// An error that is sent to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError {
    pub(super) code: &'static str,
    pub(super) description: &'static str,
}

fn error<T>(code: &'static str, description: &'static str) -> Result<T, RequestError> {
    Err(RequestError { code, description })
}

/// The value of a parameter that a request may contain once.
fn once<'p>(params: &'p Params, name: &str, repeated: &'static str) -> Result<Option<&'p str>, RequestError> {
    params.get(name).or_else(|Repeated| error("invalid_request", repeated))
}

/// Reads the request. `resource`: the only resource for which the service gives out tokens.
pub(super) fn read(params: &Params, resource: &str) -> Result<AuthorizationRequest, RequestError> {
    let state = once(params, "state", "The request contains state more than once.")?;
    match once(
        params,
        "response_type",
        "The request contains response_type more than once.",
    )? {
        Some("code") => {}
        Some(_) => return error("unsupported_response_type", "The response_type must be code."),
        None => return error("invalid_request", "The request has no response_type."),
    }
    if once(params, "request", "The request contains request more than once.")?.is_some() {
        return error("request_not_supported", "The parameter request is not supported.");
    }
    if once(
        params,
        "request_uri",
        "The request contains request_uri more than once.",
    )?
    .is_some()
    {
        return error(
            "request_uri_not_supported",
            "The parameter request_uri is not supported.",
        );
    }
    let method = once(
        params,
        "code_challenge_method",
        "The request contains code_challenge_method more than once.",
    )?;
    let challenge = once(
        params,
        "code_challenge",
        "The request contains code_challenge more than once.",
    )?;
    let is_challenge = |text: &str| {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        text.len() == CHALLENGE && text.bytes().all(base64url)
    };
    // A missing method means `plain`, which protects nothing.
    let challenge = match (challenge, method) {
        (None, _) => {
            return error(
                "invalid_request",
                "The request has no code_challenge. This service requires PKCE with S256.",
            );
        }
        (Some(challenge), Some("S256")) if is_challenge(challenge) => challenge.to_owned(),
        (Some(_), Some("S256")) => {
            return error("invalid_request", "The code_challenge is not a SHA-256 in base64url.");
        }
        (Some(_), _) => return error("invalid_request", "The code_challenge_method must be S256."),
    };
    if params.all("resource").any(|named| named != resource) {
        return error(
            "invalid_target",
            "The resource must be the URL of this service's MCP endpoint.",
        );
    }
    let scope = once(params, "scope", "The request contains scope more than once.")?;
    let scopes = match scope {
        None => Scopes::of_agents(),
        // Clients also ask for scopes of OpenID Connect, such as offline_access, which mean nothing here.
        Some(scope) => Scopes::parse(scope).0,
    };
    if scopes.is_empty() {
        return error("invalid_scope", "None of the requested scopes is one of this service.");
    }
    Ok(AuthorizationRequest {
        state: state.map(str::to_owned),
        challenge,
        scopes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MCP: &str = "https://loopiq.example/mcp";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read_with(change: &[(&str, &str)]) -> Result<AuthorizationRequest, RequestError> {
        let mut pairs = vec![
            ("response_type", "code"),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", MCP),
            ("scope", "loopiq:read"),
        ];
        for (name, value) in change {
            // A name with a plus is added; any other one replaces its parameter.
            match name.strip_prefix('+') {
                Some(name) => pairs.push((name, value)),
                None => {
                    pairs.retain(|(known, _)| known != name);
                    pairs.push((name, value));
                }
            }
        }
        let owned = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        read(&Params::new(owned.collect()), MCP)
    }

    #[test]
    fn a_request_names_its_challenge_resource_and_scopes() {
        let request = read_with(&[]).unwrap();
        assert_eq!(
            (request.state.as_deref(), request.challenge.as_str()),
            (Some("s"), CHALLENGE)
        );
        assert_eq!(request.scopes.to_string(), "loopiq:read");
        let without = read_with(&[("state", ""), ("scope", ""), ("resource", "")]).unwrap();
        assert_eq!((without.state, without.scopes), (None, Scopes::of_agents()));
        let known = read_with(&[("scope", "openid loopiq:propose offline_access")]).unwrap();
        assert_eq!(known.scopes.to_string(), "loopiq:propose");
        assert!(read_with(&[("+resource", MCP)]).is_ok(), "the same resource twice");
    }

    #[test]
    fn what_is_wrong_has_the_code_of_the_standard() {
        for (change, code) in [
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "")], "invalid_request"),
            (vec![("+response_type", "code")], "invalid_request"),
            (vec![("+state", "t")], "invalid_request"),
            (vec![("code_challenge", "")], "invalid_request"),
            (vec![("code_challenge", "short")], "invalid_request"),
            (
                vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")],
                "invalid_request",
            ),
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge_method", "")], "invalid_request"),
            (vec![("resource", "https://other.example/mcp")], "invalid_target"),
            (vec![("+resource", "https://loopiq.example/")], "invalid_target"),
            (vec![("scope", "openid profile")], "invalid_scope"),
            (vec![("+scope", "loopiq:read")], "invalid_request"),
            (vec![("request", "eyJ")], "request_not_supported"),
            (vec![("request_uri", "https://x/")], "request_uri_not_supported"),
        ] {
            assert_eq!(read_with(&change).unwrap_err().code, code, "{change:?}");
        }
    }
}
