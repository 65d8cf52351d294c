//! `POST /oauth/register`: Dynamic Client Registration (RFC 7591). It stores nothing: the client ID contains the metadata, encrypted.

use super::client::{ClientMetadata, LONGEST_ID};
use super::error::OAuthError;
use super::sealed::Purpose;
use crate::http::problem::json_response;
use crate::http::rate_limits;
use crate::state::AppState;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use serde_json::json;

/// The path of the endpoint.
pub(super) const PATH: &str = "/oauth/register";
/// The largest request, in bytes.
const LARGEST: usize = 16 << 10;

/// Gives a client an ID.
pub(super) async fn register(
    State(state): State<AppState>,
    extensions: Extensions,
    body: Bytes,
) -> Result<Response, OAuthError> {
    if let Err(seconds) = rate_limits::check_registration(&state.requests.rate_limits, &extensions) {
        let text = format!("Too many registrations came from here. Wait {seconds} s and try again.");
        return Err(OAuthError::new("temporarily_unavailable", text).with_status(StatusCode::TOO_MANY_REQUESTS));
    }
    let wrong = |why: String| OAuthError::new("invalid_client_metadata", format!("{why}."));
    if body.len() > LARGEST {
        return Err(wrong("the metadata is larger than 16 KiB".to_owned()));
    }
    let metadata: ClientMetadata = serde_json::from_slice(&body)
        .map_err(|_| wrong("the body is not a JSON object with the metadata of a client".to_owned()))?;
    let client = metadata.client().map_err(|why| match why.contains("redirect") {
        true => OAuthError::new("invalid_redirect_uri", format!("{why}.")),
        false => wrong(why),
    })?;
    let id = state.oauth.sealer().seal(Purpose::Client, &client);
    let id = id.filter(|id| id.len() <= LONGEST_ID).ok_or_else(|| {
        wrong("name and redirect URIs are too long together: they are part of the client ID".to_owned())
    })?;
    // Whatever method the client asked for: a secret that is given to anybody who asks protects nothing (RFC 7591, 3.2.1 lets the server decide).
    let body = json!({
        "client_id": id,
        "client_id_issued_at": state.now_seconds(),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    Ok(json_response(StatusCode::CREATED, "application/json", &body))
}
