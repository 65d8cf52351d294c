//! The token endpoint, which exchanges an authorization code for an ID token.

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::url::form_urlencoded;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::codes::Grant;
use super::{DemoIdp, secret};
use crate::oauth_params::{Params, Repeated};

/// The lifetime of an ID token, in seconds.
const TOKEN_LIFETIME: i64 = 300;

/// An error response (RFC 6749, 5.2).
struct Refusal {
    error: &'static str,
    description: &'static str,
    status: StatusCode,
}

impl Refusal {
    fn new(error: &'static str, description: &'static str) -> Self {
        Self {
            error,
            description,
            status: StatusCode::BAD_REQUEST,
        }
    }

    fn client(description: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::new("invalid_client", description)
        }
    }
}

impl From<Repeated> for Refusal {
    fn from(Repeated: Repeated) -> Self {
        Self::new("invalid_request", "A parameter was sent more than once.")
    }
}

#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    acr: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    at_hash: String,
    email: &'a str,
    email_verified: bool,
    name: &'a str,
    tenant: &'a str,
    roles: &'a [String],
}

/// `POST /token`.
pub(super) async fn exchange(
    State(idp): State<DemoIdp>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let outcome = match form {
        Ok(Form(pairs)) => answer(&idp, &headers, &Params::new(pairs)),
        Err(_) => Err(Refusal::new("invalid_request", "The body is not a form.")),
    };
    // RFC 6749 (5.1) forbids caching of tokens. Errors are not cached either, for simplicity.
    let mut response = match outcome {
        Ok(tokens) => Json(tokens).into_response(),
        Err(refusal) => {
            let body = json!({ "error": refusal.error, "error_description": refusal.description });
            let mut response = (refusal.status, Json(body)).into_response();
            if refusal.status == StatusCode::UNAUTHORIZED {
                let scheme = HeaderValue::from_static("Basic realm=\"demo-idp\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            response
        }
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

fn answer(idp: &DemoIdp, headers: &HeaderMap, params: &Params) -> Result<Value, Refusal> {
    authenticate(idp, headers, params)?;
    match params.get("grant_type")? {
        Some("authorization_code") => {}
        Some(_) => {
            return Err(Refusal::new(
                "unsupported_grant_type",
                "Only authorization_code is supported.",
            ));
        }
        None => return Err(Refusal::new("invalid_request", "grant_type is required.")),
    }
    let Some(code) = params.get("code")? else {
        return Err(Refusal::new("invalid_request", "code is required."));
    };
    let Some(redirect_uri) = params.get("redirect_uri")? else {
        return Err(Refusal::new("invalid_request", "redirect_uri is required."));
    };
    let Some(verifier) = params.get("code_verifier")? else {
        return Err(Refusal::new("invalid_request", "code_verifier is required."));
    };
    let now = (idp.0.now)();
    let Some(grant) = idp.0.codes.take(code, now) else {
        return Err(Refusal::new("invalid_grant", "The code is unknown, used or expired."));
    };
    if grant.redirect_uri != redirect_uri {
        return Err(Refusal::new(
            "invalid_grant",
            "redirect_uri is not that of the authorization request.",
        ));
    }
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if !secret::constant_time_eq(challenge.as_bytes(), grant.code_challenge.as_bytes()) {
        return Err(Refusal::new(
            "invalid_grant",
            "code_verifier does not match the challenge.",
        ));
    }
    tokens(idp, &grant, now)
}

fn tokens(idp: &DemoIdp, grant: &Grant, now: i64) -> Result<Value, Refusal> {
    let failed = |what: &'static str| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        ..Refusal::new("server_error", what)
    };
    let Some(person) = idp.0.people.get(grant.person) else {
        return Err(failed("The person does not exist any more."));
    };
    // OAuth requires an access token. Nothing accepts this one.
    let access_token = secret::random_token().map_err(|error| {
        tracing::error!(%error, "no random bytes for an access token");
        failed("No token could be created.")
    })?;
    // OpenID Connect Core, 3.1.3.6: the left half of the hash that the signature uses.
    let at_hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16]);
    let id_token = idp.0.key.sign(&IdToken {
        iss: idp.issuer(),
        sub: &person.subject,
        aud: &idp.0.client_id,
        exp: now.saturating_add(TOKEN_LIFETIME),
        iat: now,
        auth_time: grant.signed_in_at,
        acr: grant.acr,
        nonce: grant.nonce.as_deref(),
        at_hash,
        email: &person.email,
        email_verified: true,
        name: &person.name,
        tenant: &person.tenant,
        roles: &person.roles,
    });
    let id_token = id_token.map_err(|error| {
        tracing::error!(%error, "the ID token could not be signed");
        failed("No token could be signed.")
    })?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
        "id_token": id_token,
    }))
}

/// The client's ID and secret, by HTTP Basic or in the form, never both (RFC 6749, 2.3).
fn authenticate(idp: &DemoIdp, headers: &HeaderMap, params: &Params) -> Result<(), Refusal> {
    let in_form = (params.get("client_id")?, params.get("client_secret")?);
    let (id, given) = match (headers.get(header::AUTHORIZATION), in_form) {
        (Some(_), (_, Some(_))) => {
            return Err(Refusal::new("invalid_request", "More than one authentication method."));
        }
        (Some(value), (named, None)) => {
            let (id, given) = basic(value).ok_or(Refusal::client("The Basic credentials are invalid."))?;
            if named.is_some_and(|named| named != id) {
                return Err(Refusal::new("invalid_request", "More than one client ID."));
            }
            (id, given)
        }
        (None, (Some(id), Some(given))) => (id.to_owned(), given.to_owned()),
        (None, _) => return Err(Refusal::client("Client authentication is required.")),
    };
    // `&` compares both values, so that the time does not reveal which one is wrong.
    let is_known = secret::constant_time_eq(id.as_bytes(), idp.0.client_id.as_bytes())
        & secret::constant_time_eq(given.as_bytes(), idp.0.client_secret.as_bytes());
    if is_known {
        Ok(())
    } else {
        Err(Refusal::client("The client is unknown or its secret is wrong."))
    }
}

/// ID and secret from a Basic header. The client form-encodes both before it joins them (RFC 6749, 2.3.1).
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, given) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(given)))
}

fn form_decoded(text: &str) -> String {
    // An encoded value contains neither `&` nor `=`, so the parser sees one key without a value.
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}
