//! `POST /oauth/revoke`: a client gives its access back (RFC 7009). Access token and refresh token end together.

use super::client::key;
use super::error::OAuthError;
use super::token::{params, required};
use crate::http::request_origin;
use crate::state::AppState;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{Extensions, HeaderMap, StatusCode};

/// The path of the endpoint.
pub(super) const PATH: &str = "/oauth/revoke";

/// Revokes the grant of the token. A token that is not known gets the same response, because it opens nothing.
pub(super) async fn revoke(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<StatusCode, OAuthError> {
    let params = params(form)?;
    let (token, client_key) = (required(&params, "token")?, key(required(&params, "client_id")?));
    let origin = request_origin(&extensions, &headers);
    match state.engine.revoke_token(&origin, token, &client_key).await? {
        true => Ok(StatusCode::OK),
        false => Err(OAuthError::new(
            "invalid_grant",
            "The token was issued to another client.",
        )),
    }
}
