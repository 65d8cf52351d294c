//! Signing in: the redirect to the identity provider, and the callback from it.

use super::sign_out::with_provider_sign_out;
use super::{SESSION, no_role_page, require_sign_in, session_store, step_up, tenants};
use crate::http::message_page::{self, MessagePage};
use crate::http::{request_origin, status_of};
use crate::oidc::{Assertion, OidcError, SignInStart};
use crate::prometheus::SIGN_INS;
use crate::state::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::domain::{ActionId, BrowserSession, Person, Principal, ProviderSignIn, Role, TenantId, text};
use loopiq::engine::{FailedSignIn, RequestOrigin};
use loopiq::store::Asserted;
use openidconnect::url::{Url, form_urlencoded};
use serde::Deserialize;
use std::error::Error as _;
use tower_sessions::Session;
use tower_sessions::session::{Error as SessionError, Id};
use tower_sessions::session_store::Error as SessionStoreError;

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    #[serde(default)]
    return_to: String,
}

/// `GET /login?return_to=PATH`: redirects to the identity provider.
pub(super) async fn start(
    State(state): State<AppState>,
    headers: HeaderMap,
    query: Result<Query<LoginQuery>, QueryRejection>,
) -> Response {
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    let start = match state.oidc.start(&return_to, state.now_seconds()).await {
        Ok(start) => start,
        Err(error) => return failed(&state, &error, &return_to, None).await,
    };
    to_provider(&state, &start, &headers)
}

/// The redirect to the identity provider, with the cookie that the callback needs.
pub(super) fn to_provider(state: &AppState, start: &SignInStart, headers: &HeaderMap) -> Response {
    let Some(oauth_state) = state_of(&start.authorize_url) else {
        tracing::error!("the URL of the identity provider contains no state");
        return message_page::internal_error().page(&state.stylesheet);
    };
    let cookies = state
        .sign_in_cookies
        .store(&oauth_state, &start.pending, headers, state.is_https());
    with_cookies(Redirect::to(&start.authorize_url).into_response(), cookies)
}

/// The response with additional cookies.
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

/// The parameters of the provider's redirect. The parser refuses a repeated parameter.
#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `GET /auth/callback`: finishes a sign-in.
pub(super) async fn callback(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    session: Session,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return invalid_callback(&state);
    };
    let origin = request_origin(&extensions, &headers);
    let oauth_state = query.state.clone().unwrap_or_default();
    let taken = state.sign_in_cookies.take(&oauth_state, &headers, state.is_https());
    let Some((pending, cookies)) = taken else {
        return failed(&state, &OidcError::StateMismatch, "/", None).await;
    };
    let (return_to, step_up) = (pending.return_to.clone(), pending.step_up.clone());
    let now = state.now_seconds();
    let response = if let Some(error) = query.error {
        let refusal = pending.refusal(&error, query.error_description.as_deref(), &oauth_state, now);
        failed(&state, &refusal, &return_to, step_up.as_ref()).await
    } else if let Some(code) = query.code {
        let iss = query.iss.as_deref();
        match state.oidc.finish(pending, &code, &oauth_state, iss, now).await {
            Ok(assertion) => match &step_up {
                None => sign_in(&state, &session, assertion, &return_to, &origin).await,
                Some(action) => {
                    let visitor = require_sign_in::visitor(&state, &session, &extensions, &headers).await;
                    step_up::finish(&state, &session, visitor, assertion, action, &origin).await
                }
            },
            Err(error) => {
                record_failure(&state, &error, &origin).await;
                failed(&state, &error, &return_to, step_up.as_ref()).await
            }
        }
    } else {
        invalid_callback(&state)
    };
    with_cookies(response, cookies)
}

/// Signs the person in, under a new session ID.
pub(super) async fn sign_in(
    state: &AppState,
    session: &Session,
    assertion: Assertion,
    return_to: &str,
    origin: &RequestOrigin,
) -> Response {
    match accounts(state, &assertion, origin).await {
        Ok(accounts) => enter(state, session, assertion, accounts, return_to, origin).await,
        Err(page) => page,
    }
}

/// The accounts of the person with a role, in the tenants that the provider asserts.
///
/// # Errors
/// The page that says why the person cannot sign in.
pub(super) async fn accounts(
    state: &AppState,
    assertion: &Assertion,
    origin: &RequestOrigin,
) -> Result<Vec<(TenantId, Person)>, Response> {
    let asserted = asserted(assertion);
    let accounts = match state.engine.sign_in_to(&assertion.tenants, asserted, origin).await {
        Ok(accounts) => accounts,
        Err(error) => {
            metrics::counter!(SIGN_INS, "outcome" => "refused").increment(1);
            let (status, text) = (status_of(&error), error.to_string());
            tracing::warn!(code = error.code(), "a sign-in was refused: {text}");
            let page = MessagePage::new(status, "Sign-in failed", &text).link("/login", "Sign in again");
            let hint = assertion.sign_in.id_token.as_deref();
            let page = with_provider_sign_out(state, page, hint).await;
            return Err(page.page(&state.stylesheet));
        }
    };
    if accounts.iter().all(|(_, person)| person.roles.is_empty()) {
        metrics::counter!(SIGN_INS, "outcome" => "refused").increment(1);
        tracing::warn!(
            subject = text::visible(&assertion.sign_in.subject),
            "a sign-in was refused: the person has no role, because {}",
            state.oidc.why_no_role(assertion)
        );
        let hint = assertion.sign_in.id_token.as_deref();
        let page = with_provider_sign_out(state, no_role_page(), hint).await;
        return Err(page.page(&state.stylesheet));
    }
    Ok(accounts)
}

/// A session that begins now, in none of the tenants yet.
pub(super) fn new_session(
    state: &AppState,
    sign_in: ProviderSignIn,
    accounts: &[(TenantId, Person)],
    origin: &RequestOrigin,
) -> BrowserSession {
    let now = state.runtime.now();
    BrowserSession {
        id: state.runtime.id(),
        holder: None,
        tenants: accounts.iter().map(|(tenant, _)| tenant.clone()).collect(),
        sign_in,
        started_at: now,
        seen_at: now,
        ends_at: now.plus(state.sessions.lifetime),
        address: origin.address.clone(),
        agent: origin.claims.agent.clone(),
    }
}

/// Starts a session of a person with these accounts.
pub(super) async fn enter(
    state: &AppState,
    session: &Session,
    assertion: Assertion,
    accounts: Vec<(TenantId, Person)>,
    return_to: &str,
    origin: &RequestOrigin,
) -> Response {
    let mut new = new_session(state, assertion.sign_in, &accounts, origin);
    let mut accounts = accounts.into_iter();
    let (Some((tenant, person)), None) = (accounts.next(), accounts.next()) else {
        return choose_tenant(state, session, &new, return_to).await;
    };
    new.holder = Some((tenant.clone(), person.id.clone()));
    let principal = |session: String| Principal::Person {
        tenant: tenant.clone(),
        person: person.clone(),
        session,
    };
    let id = match start_session(session, &new).await {
        Ok(id) => id,
        Err(error) => {
            tracing::error!(%error, "a session could not be stored");
            return message_page::unavailable().page(&state.stylesheet);
        }
    };
    let ctx = origin.context(principal(session_store::digest(&state.runtime, &id)), &state.runtime);
    if let Err(error) = state.engine.signed_in(&ctx, &new).await {
        tracing::error!(%error, "a sign-in could not be recorded");
        // The browser has not seen the ID of the session, so a session that cannot be deleted either is lost.
        if let Err(error) = session.flush().await {
            tracing::error!(%error, "a session could not be ended");
        }
        return message_page::unavailable().page(&state.stylesheet);
    }
    metrics::counter!(SIGN_INS, "outcome" => "ok").increment(1);
    Redirect::to(return_to).into_response()
}

/// Starts the session of a person of several tenants, in none of them yet, and lets the person choose. The sign-in is recorded in the tenant
/// that is chosen.
async fn choose_tenant(state: &AppState, session: &Session, new: &BrowserSession, return_to: &str) -> Response {
    if let Err(error) = start_session(session, new).await {
        tracing::error!(%error, "a session could not be stored");
        return message_page::unavailable().page(&state.stylesheet);
    }
    metrics::counter!(SIGN_INS, "outcome" => "ok").increment(1);
    Redirect::to(&tenants::choose_url(return_to)).into_response()
}

/// Records a failed sign-in in the log of the tenant that the token names. Other failures have no tenant, and are only in the service's own log
/// and metrics.
async fn record_failure(state: &AppState, error: &OidcError, origin: &RequestOrigin) {
    let Some((tenant, claimed)) = error
        .claimed()
        .and_then(|claimed| Some((claimed.tenant.clone()?, claimed)))
    else {
        return;
    };
    let failed = FailedSignIn {
        tenant,
        code: error.code(),
        message: error.to_string(),
        identity: claimed.identity.clone(),
    };
    if let Err(error) = state.engine.sign_in_failed(origin, failed).await {
        tracing::error!(%error, "a failed sign-in could not be recorded");
    }
}

/// The assertion in the store's terms. Roles that the service does not know are ignored.
fn asserted(assertion: &Assertion) -> Asserted {
    let Assertion {
        sign_in,
        tenants: _,
        roles,
        groups,
        email,
        name,
    } = assertion.clone();
    Asserted {
        issuer: sign_in.issuer,
        subject: sign_in.subject,
        email,
        name,
        roles: roles.map(|roles| roles.iter().filter_map(|role| Role::parse(role)).collect()),
        groups,
    }
}

/// Starts and stores a session for this person, and deletes what a previous person's session contained. Returns the session's ID.
pub(super) async fn start_session(session: &Session, new: &BrowserSession) -> Result<Id, SessionError> {
    session.clear().await;
    session.insert(SESSION, new).await?;
    // Against session fixation: an attacker could know the ID from before the sign-in.
    session.cycle_id().await?;
    session.save().await?;
    session.id().ok_or(SessionError::Store(SessionStoreError::Backend(
        "a stored session has no ID".to_owned(),
    )))
}

fn invalid_callback(state: &AppState) -> Response {
    let text = "The identity provider's response is invalid, so you were not signed in. Start again; if it happens twice, tell \
                the people who run LoopIQ.";
    MessagePage::new(StatusCode::BAD_REQUEST, "Sign-in failed", text)
        .link("/login", "Sign in again")
        .page(&state.stylesheet)
}

/// The page that says why the sign-in failed. The cause is logged. `step_up`: the action before whose approval a signed-in person signed in again.
pub(super) async fn failed(
    state: &AppState,
    error: &OidcError,
    return_to: &str,
    step_up: Option<&ActionId>,
) -> Response {
    metrics::counter!(SIGN_INS, "outcome" => "failed").increment(1);
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        causes.push(one.to_string());
        cause = one.source();
    }
    tracing::warn!(
        code = error.code(),
        cause = causes.join(": "),
        "a sign-in failed: {error}"
    );
    let status = match error {
        OidcError::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        OidcError::Misconfigured { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        OidcError::InvalidToken { .. } | OidcError::ClockDiffers { .. } => StatusCode::BAD_GATEWAY,
        OidcError::MissingClaim { .. } => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    if let Some(action) = step_up {
        return step_up::not_signed_in_again(state, status, error, action);
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", return_to)
        .finish();
    let login_url = if return_to.is_empty() || return_to == "/" {
        "/login".to_owned()
    } else {
        format!("/login?{query}")
    };
    let text = error.to_string();
    let page = MessagePage::new(status, "Sign-in failed", &text).link(&login_url, "Sign in again");
    // The account at the provider is the reason, so the same account would be refused again.
    let page = match error {
        OidcError::MissingClaim { .. } | OidcError::Refused { .. } => with_provider_sign_out(state, page, None).await,
        _ => page,
    };
    page.page(&state.stylesheet)
}
