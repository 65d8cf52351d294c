//! Signing in: off to the identity provider, and back.

use super::require::no_role;
use super::{WHO, Who};
use crate::App;
use crate::http::pages::{self, Notice};
use crate::http::status_of;
use crate::oidc::{Assertion, OidcError};
use crate::ops::metrics::SIGN_INS;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::domain::Role;
use loopiq::store::Asserted;
use openidconnect::url::{Url, form_urlencoded};
use serde::Deserialize;
use std::error::Error as _;
use tower_sessions::Session;
use tower_sessions::session::Error as SessionError;

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    return_to: String,
}

/// `GET /login?return_to=PATH`: off to the identity provider.
pub(super) async fn begin(
    State(app): State<App>,
    headers: HeaderMap,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let return_to = wish.map(|Query(wish)| wish.return_to).unwrap_or_default();
    let start = match app.oidc.start(&return_to, app.now_seconds()).await {
        Ok(start) => start,
        Err(error) => return refused(&app, &error, &return_to),
    };
    let Some(state) = state_of(&start.authorize_url) else {
        tracing::error!("the address of the identity provider holds no state");
        return pages::broken().page(&app.stylesheet);
    };
    let cookies = app.seal.keep(&state, &start.pending, &headers, app.is_https());
    with_cookies(Redirect::to(&start.authorize_url).into_response(), cookies)
}

/// The answer with these cookies beside any that it has.
fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn state_of(authorize_url: &str) -> Option<String> {
    let url = Url::parse(authorize_url).ok()?;
    url.query_pairs()
        .find(|(name, _)| name == "state")
        .map(|(_, state)| state.into_owned())
}

/// What the provider's redirect carries. A parameter that is there twice is refused by the parser.
#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `GET /auth/callback`: back from the identity provider.
pub(super) async fn finish(
    State(app): State<App>,
    headers: HeaderMap,
    session: Session,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Response {
    let Ok(Query(answer)) = answer else {
        return unreadable(&app);
    };
    let state = answer.state.clone().unwrap_or_default();
    let Some((pending, cookies)) = app.seal.take(&state, &headers, app.is_https()) else {
        return refused(&app, &OidcError::StateMismatch, "/");
    };
    let return_to = pending.return_to.clone();
    let now = app.now_seconds();
    let response = if let Some(error) = answer.error {
        let refusal = pending.refusal(&error, answer.error_description.as_deref(), &state, now);
        refused(&app, &refusal, &return_to)
    } else if let Some(code) = answer.code {
        let iss = answer.iss.as_deref();
        match app.oidc.finish(pending, &code, &state, iss, now).await {
            Ok(assertion) => enter(&app, &session, assertion, &return_to).await,
            Err(error) => refused(&app, &error, &return_to),
        }
    } else {
        unreadable(&app)
    };
    with_cookies(response, cookies)
}

/// Signs the person in, under a new session ID.
async fn enter(app: &App, session: &Session, assertion: Assertion, return_to: &str) -> Response {
    let (tenant, person) = match app.engine.sign_in(&assertion.tenant, asserted(&assertion)).await {
        Ok(found) => found,
        Err(error) => {
            metrics::counter!(SIGN_INS, "outcome" => "refused").increment(1);
            let (status, text) = (status_of(&error), error.to_string());
            tracing::info!(code = error.code(), "a sign-in was refused");
            return Notice::new(status, "You cannot come in", &text)
                .link("/login", "Sign in again")
                .page(&app.stylesheet);
        }
    };
    if person.roles.is_empty() {
        metrics::counter!(SIGN_INS, "outcome" => "refused").increment(1);
        return no_role().page(&app.stylesheet);
    }
    let who = Who {
        tenant,
        person: person.id,
        seen: app.runtime.now().0,
    };
    match replace(session, who).await {
        Ok(()) => {
            metrics::counter!(SIGN_INS, "outcome" => "ok").increment(1);
            Redirect::to(return_to).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a session could not be begun");
            pages::unavailable().page(&app.stylesheet)
        }
    }
}

/// The assertion in our words. Roles that mean nothing here are the provider's own business.
fn asserted(assertion: &Assertion) -> Asserted {
    let Assertion {
        issuer,
        subject,
        tenant: _,
        roles,
        email,
        name,
    } = assertion.clone();
    Asserted {
        issuer,
        subject,
        email,
        name,
        roles: roles.iter().filter_map(|role| Role::parse(role)).collect(),
    }
}

/// Puts this person into the session. What it held of whoever was signed in before goes.
async fn replace(session: &Session, who: Who) -> Result<(), SessionError> {
    session.clear().await;
    session.insert(WHO, who).await?;
    // An ID that was known before the sign-in could be known to somebody else.
    session.cycle_id().await
}

fn unreadable(app: &App) -> Response {
    let text = "The identity provider's answer cannot be read, so you were not signed in. Start again; if it happens \
                twice, tell the people who run LoopIQ.";
    Notice::new(StatusCode::BAD_REQUEST, "You were not signed in", text)
        .link("/login", "Sign in again")
        .page(&app.stylesheet)
}

/// The page that says why nobody was signed in, with the cause in the log.
fn refused(app: &App, error: &OidcError, return_to: &str) -> Response {
    metrics::counter!(SIGN_INS, "outcome" => "failed").increment(1);
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        causes.push(one.to_string());
        cause = one.source();
    }
    tracing::warn!(cause = causes.join(": "), "nobody was signed in: {error}");
    let status = match error {
        OidcError::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        OidcError::Misconfigured { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        OidcError::InvalidToken { .. } => StatusCode::BAD_GATEWAY,
        OidcError::MissingClaim { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let again = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", return_to)
        .finish();
    let again = if return_to.is_empty() || return_to == "/" {
        "/login".to_owned()
    } else {
        format!("/login?{again}")
    };
    Notice::new(status, "You were not signed in", &error.to_string())
        .link(&again, "Sign in again")
        .page(&app.stylesheet)
}
