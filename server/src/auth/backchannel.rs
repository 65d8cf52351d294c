//! `POST /auth/backchannel-logout`: the identity provider says that a person has signed out there (OpenID Connect Back-Channel Logout 1.0).

use crate::http::{rate_limits, request_origin};
use crate::oidc::{Logout, OidcError};
use crate::state::AppState;
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loopiq::domain::Timestamp;
use loopiq::store::ProviderSessions;
use serde::Deserialize;
use serde_json::json;
use std::error::Error as _;

#[derive(Deserialize)]
pub(super) struct LogoutForm {
    logout_token: String,
}

/// Ends the sessions that the token is about. The response does not say which sessions exist.
pub(super) async fn logout(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<LogoutForm>, FormRejection>,
) -> Response {
    let accepted = match form {
        Ok(Form(form)) => state
            .oidc
            .logout(form.logout_token.trim(), state.now_seconds())
            .await
            .map_err(|error| refused(&error)),
        Err(_) => Err(problem(
            StatusCode::BAD_REQUEST,
            "The request is not a form with one logout_token.",
        )),
    };
    let mut response = match accepted {
        // Not counted: a provider may sign a thousand people out at once.
        Ok(logout) => end(&state, &headers, &extensions, logout).await,
        Err(refusal) => match rate_limits::check_address(&state.requests.rate_limits, &extensions) {
            Ok(()) => refusal,
            Err(seconds) => too_many(seconds),
        },
    };
    // Section 2.8.
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

async fn end(state: &AppState, headers: &HeaderMap, extensions: &Extensions, logout: Logout) -> Response {
    let of = ProviderSessions {
        issuer: logout.issuer,
        subject: logout.subject,
        sid: logout.sid,
        // The token has whole seconds, as has the ID token of a sign-in in the same second.
        signed_in_until: logout.issued_at.plus(Timestamp::SECOND - 1),
    };
    let origin = request_origin(extensions, headers);
    match state.engine.end_sessions_of_provider(&origin, &of).await {
        Ok(ended) => {
            tracing::info!(ended, "the identity provider signed a person out");
            StatusCode::OK.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "sessions that the identity provider ended could not be ended");
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "The sessions could not be ended. Try again.",
            )
        }
    }
}

fn refused(error: &OidcError) -> Response {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(code = error.code(), cause, "a logout token was refused");
    match error {
        OidcError::InvalidToken { .. } => problem(
            StatusCode::BAD_REQUEST,
            &format!("The logout token is not accepted: {cause}."),
        ),
        _ => problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "The keys of the identity provider cannot be fetched. Try again.",
        ),
    }
}

fn too_many(seconds: u64) -> Response {
    let response = problem(StatusCode::TOO_MANY_REQUESTS, &rate_limits::message(seconds));
    rate_limits::with_retry_after(response, seconds)
}

fn problem(status: StatusCode, description: &str) -> Response {
    let error = match status {
        StatusCode::BAD_REQUEST => "invalid_request",
        _ => "temporarily_unavailable",
    };
    let body = json!({ "error": error, "error_description": description });
    (status, Json(body)).into_response()
}
