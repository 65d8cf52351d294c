//! Step-up authentication: a signed-in person signs in again before an approval. The session gets a new ID and the new sign-in; tenant, person
//! and what pages keep in the session stay.

use super::require_sign_in::{self, Visitor};
use super::sign_in::{accounts, enter, failed, new_session, sign_in, to_provider};
use super::{session_cookie, session_store, tenants};
use crate::http::message_page::{self, MessagePage};
use crate::http::request_context;
use crate::oidc::{Assertion, OidcError};
use crate::prometheus::SIGN_INS;
use crate::state::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::context::Ctx;
use loopiq::domain::{ActionId, BrowserSession, Person, Principal, ProviderSignIn, TenantId};
use loopiq::engine::{Error, RequestOrigin, SignedInAgain, StepUpRequest};
use loopiq::store::NewSession;
use loopiq_app::{STEP_UP_PAGE, STEP_UP_START};
use openidconnect::url::form_urlencoded;
use serde::Deserialize;
use tower_sessions::Session;
use tower_sessions::session::Id;

#[derive(Deserialize)]
pub(super) struct StepUpQuery {
    #[serde(default)]
    action: String,
}

/// The action's page. An ID has no characters that a URL escapes.
fn action_page(action: &ActionId) -> String {
    format!("/actions/{action}")
}

fn address(path: &str, action: &ActionId) -> String {
    format!("{path}?action={action}")
}

/// `GET /auth/step-up?action=ID`: says why the person has to sign in again, with a link to the sign-in. A plain form leads here: the content
/// security policy forbids a form whose response redirects to another site.
pub(super) async fn ask(
    State(state): State<AppState>,
    session: Session,
    headers: HeaderMap,
    extensions: Extensions,
    query: Result<Query<StepUpQuery>, QueryRejection>,
) -> Response {
    let (action, asked) = match required(&state, &session, &headers, &extensions, query).await {
        Ok(required) => required,
        Err(elsewhere) => return elsewhere,
    };
    let text = format!(
        "Nothing is approved yet: {}. Sign in again at your identity provider; you then come back to the action, and what you entered is kept.",
        asked.why
    );
    MessagePage::new(StatusCode::OK, "Sign in again", &text)
        .link(&address(STEP_UP_START, &action), "Sign in again")
        .link(&action_page(&action), "Back to the action")
        .page(&state.stylesheet)
}

/// `GET /auth/step-up/start?action=ID`: redirects to the identity provider, which is asked to authenticate the person again.
pub(super) async fn start(
    State(state): State<AppState>,
    session: Session,
    headers: HeaderMap,
    extensions: Extensions,
    query: Result<Query<StepUpQuery>, QueryRejection>,
) -> Response {
    let (action, asked) = match required(&state, &session, &headers, &extensions, query).await {
        Ok(required) => required,
        Err(elsewhere) => return elsewhere,
    };
    let now = state.now_seconds();
    match state.oidc.start_step_up(action.clone(), &asked.acr, now).await {
        Ok(start) => to_provider(&state, &start, &headers),
        Err(error) => failed(&state, &error, &action_page(&action), Some(&action)).await,
    }
}

/// The action of the query, and the sign-in that its approval requires of this person.
///
/// # Errors
/// The response that leads the person elsewhere: to the action's page if no new sign-in is required, or to the sign-in of a person without a
/// session. The query has no address, so nobody can lead the person to another site.
async fn required(
    state: &AppState,
    session: &Session,
    headers: &HeaderMap,
    extensions: &Extensions,
    query: Result<Query<StepUpQuery>, QueryRejection>,
) -> Result<(ActionId, StepUpRequest), Response> {
    let action = query.ok().and_then(|Query(query)| ActionId::parse(&query.action).ok());
    let Some(action) = action else {
        return Err(Redirect::to("/").into_response());
    };
    let page = action_page(&action);
    let principal = match require_sign_in::visitor(state, session, extensions, headers).await {
        Ok(Visitor::Person(principal, _)) => principal,
        Ok(Visitor::Undecided(_)) => return Err(Redirect::to(&tenants::choose_url(&page)).into_response()),
        Ok(Visitor::SignedOut) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("return_to", &page)
                .finish();
            return Err(Redirect::to(&format!("/login?{query}")).into_response());
        }
        Err(_) => return Err(message_page::unavailable().page(&state.stylesheet)),
    };
    let ctx = request_context(&state.runtime, principal, extensions, headers);
    match unmet(state, &ctx, &action).await {
        Some(asked) => Ok((action, asked)),
        None => Err(Redirect::to(&page).into_response()),
    }
}

/// The sign-in that an approval of the action still requires. If that cannot be found out, the action's page says why.
async fn unmet(state: &AppState, ctx: &Ctx, action: &ActionId) -> Option<StepUpRequest> {
    state
        .engine
        .step_up(ctx, action.as_str())
        .await
        .unwrap_or_else(|error| {
            tracing::info!(code = error.code(), "the sign-in that an approval requires is unknown");
            None
        })
}

/// Finishes the sign-in of a person who signed in again before the approval of an action. Another person gets a new session, without anything
/// of the previous one.
pub(super) async fn finish(
    state: &AppState,
    session: &Session,
    visitor: Result<Visitor, Error>,
    assertion: Assertion,
    action: &ActionId,
    origin: &RequestOrigin,
) -> Response {
    let page = action_page(action);
    let previous = match visitor {
        Ok(Visitor::Person(_, found)) if is_same_person(&found.sign_in, &assertion.sign_in) => found,
        Ok(_) => return sign_in(state, session, assertion, &page, origin).await,
        Err(_) => return message_page::unavailable().page(&state.stylesheet),
    };
    let accounts = match accounts(state, &assertion, origin).await {
        Ok(accounts) => accounts,
        Err(page) => return page,
    };
    let holds =
        |(tenant, person): &&(TenantId, Person)| previous.holder.as_ref() == Some(&(tenant.clone(), person.id.clone()));
    let Some((tenant, person)) = accounts.iter().find(holds).cloned() else {
        // The provider does not name the tenant any more, so that nothing of it may stay in the session.
        return enter(state, session, assertion, accounts, &page, origin).await;
    };
    let new = BrowserSession {
        holder: previous.holder.clone(),
        ..new_session(state, assertion.sign_in.clone(), &accounts, origin)
    };
    let Some(from) = session.id() else {
        return enter(state, session, assertion, accounts, &page, origin).await;
    };
    let (to, expires) = (Id::default(), new.expires_at(state.sessions.idle));
    let digest = |id: &Id| session_store::digest(&state.runtime, id);
    let principal = Principal::Person {
        tenant,
        person,
        session: digest(&to),
    };
    let ctx = origin.context(principal, &state.runtime);
    let again = SignedInAgain {
        from: digest(&from),
        new: NewSession {
            digest: digest(&to),
            session: new,
            expires,
        },
        action: action.clone(),
    };
    match state.engine.continue_session(&ctx, again).await {
        Ok(()) => {}
        // The session has ended meanwhile; the new sign-in starts another one.
        Err(Error::NotAuthorized { .. }) => return enter(state, session, assertion, accounts, &page, origin).await,
        Err(error) => {
            tracing::error!(%error, "a session could not be replaced");
            return message_page::unavailable().page(&state.stylesheet);
        }
    }
    metrics::counter!(SIGN_INS, "outcome" => "ok").increment(1);
    let mut response = match unmet(state, &ctx, action).await {
        None => Redirect::to(&page).into_response(),
        Some(asked) => not_sufficient(state, &asked, action),
    };
    response
        .headers_mut()
        .append(header::SET_COOKIE, session_cookie(state, &to));
    response
}

fn is_same_person(one: &ProviderSignIn, other: &ProviderSignIn) -> bool {
    (&one.issuer, &one.subject) == (&other.issuer, &other.subject)
}

/// The page of a person whose new sign-in does not meet the policy either.
fn not_sufficient(state: &AppState, asked: &StepUpRequest, action: &ActionId) -> Response {
    let text = format!(
        "You signed in again, but the sign-in does not meet the policy: {}. Nothing was approved, and what you entered is kept. Try again; if it \
         happens twice, tell the people who run LoopIQ that the identity provider does not authenticate people as the policy requires.",
        asked.why
    );
    MessagePage::new(StatusCode::FORBIDDEN, "This sign-in is not sufficient", &text)
        .link(&address(STEP_UP_START, action), "Try again")
        .link(&action_page(action), "Back to the action")
        .page(&state.stylesheet)
}

/// The page of a person whose new sign-in failed.
pub(super) fn not_signed_in_again(
    state: &AppState,
    status: StatusCode,
    error: &OidcError,
    action: &ActionId,
) -> Response {
    let text = format!("{error} Nothing was approved. Your session is unchanged, and what you entered is kept.");
    MessagePage::new(status, "You did not sign in again", &text)
        .link(&address(STEP_UP_PAGE, action), "Try again")
        .link(&action_page(action), "Back to the action")
        .page(&state.stylesheet)
}
