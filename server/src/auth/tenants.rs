//! The tenants of a person who belongs to several: the choice after the sign-in, and the switch to another one.

use super::require_sign_in::{self, Visitor};
use super::sign_out::with_provider_sign_out;
use super::{no_role_page, session_cookie, session_store};
use crate::http::message_page::{self, MessagePage};
use crate::http::{request_origin, status_of};
use crate::oidc::local_path;
use crate::state::AppState;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::domain::{BrowserSession, Permission, Principal, TenantId, allows};
use loopiq::engine::{Error, Switch};
use openidconnect::url::form_urlencoded;
use serde::Deserialize;
use tower_sessions::Session;
use tower_sessions::session::Id;

/// Where a person chooses a tenant.
pub(crate) const PATH: &str = "/auth/tenant";

#[derive(Deserialize)]
pub(super) struct ChoiceQuery {
    #[serde(default)]
    return_to: String,
}

#[derive(Deserialize)]
pub(super) struct ChoiceForm {
    tenant: String,
    #[serde(default)]
    return_to: String,
}

/// The page on which a person chooses a tenant, and then returns to this page.
pub(super) fn choose_url(return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", &local_path(return_to))
        .finish();
    format!("{PATH}?{query}")
}

/// `GET /auth/tenant`: one button for each tenant.
pub(super) async fn ask(
    State(state): State<AppState>,
    session: Session,
    query: Result<Query<ChoiceQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let return_to = query.map(|Query(query)| query.return_to).unwrap_or_default();
    match require_sign_in::visitor(&state, &session, request.extensions(), request.headers()).await {
        Ok(Visitor::SignedOut) => Redirect::to("/login").into_response(),
        Ok(Visitor::Undecided(found)) => page(&state, &found, &return_to).await,
        Ok(Visitor::Person(_, found)) => page(&state, &found, &return_to).await,
        Err(_) => message_page::unavailable().page(&state.stylesheet),
    }
}

async fn page(state: &AppState, session: &BrowserSession, return_to: &str) -> Response {
    let tenants = match state.store.tenant_names(&session.tenants).await {
        Ok(tenants) => tenants,
        Err(error) => {
            tracing::error!(%error, "the tenants of a person cannot be read");
            return message_page::unavailable().page(&state.stylesheet);
        }
    };
    let current = session.holder.as_ref().map(|(tenant, _)| tenant);
    let text = match current {
        None => "You belong to several organisations here. In which one do you want to work? You can switch later."
            .to_owned(),
        Some(current) => {
            format!("You work in {current}. Switching starts a new session, and what you have not sent is lost.")
        }
    };
    let return_to = local_path(return_to);
    let mut page = MessagePage::new(StatusCode::OK, "Choose an organisation", &text);
    for (tenant, name) in tenants {
        let here = if current == Some(&tenant) { ", now" } else { "" };
        let fields = [("tenant", tenant.as_str()), ("return_to", return_to.as_str())];
        page = page.form(PATH, &fields, &format!("{name} ({tenant}{here})"));
    }
    if current.is_some() {
        page = page.link("/", "Stay");
    }
    page.page(&state.stylesheet)
}

/// `POST /auth/tenant`: continues in this tenant, with a new session.
pub(super) async fn choose(
    State(state): State<AppState>,
    session: Session,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<ChoiceForm>, FormRejection>,
) -> Response {
    let (previous, found) = match require_sign_in::visitor(&state, &session, &extensions, &headers).await {
        Ok(Visitor::SignedOut) => return Redirect::to("/login").into_response(),
        Ok(Visitor::Undecided(found)) => (None, found),
        Ok(Visitor::Person(principal, found)) => (Some(principal), found),
        Err(_) => return message_page::unavailable().page(&state.stylesheet),
    };
    let chosen = form.ok().and_then(|Form(form)| {
        let tenant = TenantId::parse(&form.tenant).ok()?;
        found
            .tenants
            .contains(&tenant)
            .then(|| (tenant, local_path(&form.return_to)))
    });
    let Some((tenant, return_to)) = chosen else {
        let text = "Your identity provider did not name this organisation when you signed in. Choose another one, or sign in again.";
        return MessagePage::new(StatusCode::FORBIDDEN, "You don't have access", text)
            .link(PATH, "Choose an organisation")
            .link("/login", "Sign in again")
            .page(&state.stylesheet);
    };
    if previous.as_ref().is_some_and(|previous| *previous.tenant() == tenant) {
        return Redirect::to(&return_to).into_response();
    }
    match switch(&state, &session, &found, previous, tenant, &headers, &extensions).await {
        Ok(Some(id)) => {
            let mut response = Redirect::to(&return_to).into_response();
            let cookie = session_cookie(&state, &id);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Ok(None) => {
            let hint = found.sign_in.id_token.as_deref();
            let page = with_provider_sign_out(&state, no_role_page(), hint).await;
            page.page(&state.stylesheet)
        }
        Err(error) => {
            tracing::error!(%error, "a tenant could not be entered");
            let (status, text) = (status_of(&error), error.to_string());
            MessagePage::new(status, "Nothing was changed", &text)
                .link(PATH, "Choose an organisation")
                .link("/login", "Sign in again")
                .page(&state.stylesheet)
        }
    }
}

/// Replaces the session by a new one in this tenant, and returns the ID of the new one. Returns `None` if the person has no role there any more.
async fn switch(
    state: &AppState,
    session: &Session,
    found: &BrowserSession,
    previous: Option<Principal>,
    tenant: TenantId,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Option<Id>, Error> {
    let Some(from) = session.id() else { return Ok(None) };
    let Some(person) = state.engine.account_in(&tenant, &found.sign_in).await? else {
        return Ok(None);
    };
    let to = Id::default();
    let digest = |id: &Id| session_store::digest(&state.runtime, id);
    let principal = Principal::Person {
        tenant,
        person,
        session: digest(&to),
    };
    if !allows(&principal, Permission::SignIn) {
        return Ok(None);
    }
    let origin = request_origin(extensions, headers);
    let ctx = origin.context(principal, &state.runtime);
    let previous = previous.map(|previous| origin.context(previous, &state.runtime));
    let switch = Switch {
        from: digest(&from),
        to: digest(&to),
        idle: state.sessions.idle,
    };
    state.engine.switch_tenant(&ctx, previous.as_ref(), switch).await?;
    Ok(Some(to))
}
