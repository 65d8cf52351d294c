//! `/oauth/authorize`: a signed-in person is asked whether a client may act for them (RFC 6749, 4.1).

use super::client::{KnownClient, key};
use super::consent_page::{self, Question};
use super::redirect_uri;
use super::request::{self, AuthorizationRequest};
use super::sealed::Purpose;
use crate::http::message_page::MessagePage;
use crate::http::status_of;
use crate::oauth_params::Params;
use crate::state::AppState;
use axum::Extension;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, OriginalUri, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use loopiq::domain::{Principal, Scopes, Timestamp};
use loopiq::engine::{CodeBinding, Consent, Error};
use loopiq_app::Services;
use openidconnect::url::form_urlencoded;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The path of the endpoint.
pub(super) const PATH: &str = "/oauth/authorize";
/// The longest request, in bytes: it is kept in a cookie while the person signs in.
const LONGEST: usize = 2_048;
/// How long a person can take to answer, in microseconds.
const ANSWER_TIME: i64 = 10 * Timestamp::MINUTE;

type Pairs = Vec<(String, String)>;

/// The request that a person was asked about, sealed in the form. It is bound to the session, and contains all that the answer needs.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    session: String,
    identity: String,
    name: String,
    client_key: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
    scopes: Scopes,
    until: i64,
}

/// The person's answer.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    request: String,
    #[serde(default)]
    decision: String,
}

/// Refuses a request that would not survive the sign-in.
pub(super) async fn refuse_long_requests(request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    match length > LONGEST {
        true => (StatusCode::URI_TOO_LONG, "The request is longer than 2048 bytes.\n").into_response(),
        false => next.run(request).await,
    }
}

/// `GET`: shows the consent page, or the error, which a program on the person's computer gets at once.
pub(super) async fn ask(
    State(state): State<AppState>,
    Extension(services): Extension<Arc<Services>>,
    OriginalUri(uri): OriginalUri,
    query: Result<Query<Pairs>, QueryRejection>,
) -> Response {
    let Ok(Query(pairs)) = query else {
        return refused(&state, "The request is not readable.");
    };
    let params = Params::new(pairs);
    let (client, client_key, redirect_uri) = match trusted(&state, &params).await {
        Ok(trusted) => trusted,
        Err(why) => return refused(&state, &why),
    };
    let request = match request::read(&params, &state.mcp_audience()) {
        Ok(request) => request,
        Err(error) => {
            let state_of_client = params.get("state").ok().flatten();
            return error_before_consent(&state, &redirect_uri, state_of_client, error.code, error.description);
        }
    };
    let consentable = match services.engine.consentable(&services.ctx, &request.scopes).await {
        Ok(consentable) => consentable,
        Err(error) => return failed(&state, &error),
    };
    if !consentable.roles_are_current {
        let path = uri.path_and_query().map_or(PATH, |path| path.as_str());
        return Redirect::to(&with_return("/login", path)).into_response();
    }
    if consentable.scopes.is_empty() {
        let why = "The roles of the person permit none of the requested scopes.";
        return error_before_consent(&state, &redirect_uri, request.state.as_deref(), "access_denied", why);
    }
    let Principal::Person { session, person, .. } = &services.ctx.principal else {
        return refused(&state, "Only a person in a browser lets a client in.");
    };
    let AuthorizationRequest {
        state: state_of_client,
        challenge,
        scopes: wanted,
    } = request;
    let asked = Asked {
        session: session.clone(),
        identity: client.identity.clone(),
        name: client.client.name.clone(),
        client_key,
        redirect_uri,
        state: state_of_client,
        challenge,
        scopes: consentable.scopes.clone(),
        until: services.ctx.now().plus(ANSWER_TIME).0,
    };
    let Some(sealed) = state.oauth.sealer().seal(Purpose::Consent, &asked) else {
        return failed(&state, &Error::internal("a request cannot be sealed"));
    };
    let path = uri.path_and_query().map_or(PATH, |path| path.as_str());
    let switch = services.can_switch.then(|| with_return("/auth/tenant", path));
    consent_page::show(
        &state,
        &Question {
            client: &client,
            person,
            tenant: services.ctx.tenant(),
            tenant_name: &consentable.tenant_name,
            redirect_uri: &asked.redirect_uri,
            scopes: &consentable.scopes,
            wanted: &wanted,
            sealed: &sealed,
            switch: switch.as_deref(),
        },
    )
}

/// `POST`: the person has answered.
pub(super) async fn decide(
    State(state): State<AppState>,
    Extension(services): Extension<Arc<Services>>,
    form: Result<Form<Answer>, FormRejection>,
) -> Response {
    let asked = form.ok().and_then(|Form(answer)| {
        let asked: Asked = state.oauth.sealer().open(Purpose::Consent, &answer.request)?;
        Some((asked, answer.decision))
    });
    let Some((asked, decision)) = asked else {
        return refused(&state, "This page is out of date or was changed.");
    };
    let here = matches!(&services.ctx.principal, Principal::Person { session, .. } if *session == asked.session);
    if !here {
        return refused(
            &state,
            "The question was asked in another session, or in another organisation.",
        );
    }
    let state_of_client = asked.state.as_deref();
    if asked.until < services.ctx.now().0 {
        let why = "The person took longer than ten minutes.";
        return send_error(&state, &asked.redirect_uri, state_of_client, "access_denied", why);
    }
    match decision.as_str() {
        "allow" => {}
        "deny" => {
            let why = "The person did not allow it.";
            return send_error(&state, &asked.redirect_uri, state_of_client, "access_denied", why);
        }
        _ => return refused(&state, "The form contains no answer."),
    }
    let consent = Consent {
        identity: asked.identity,
        name: asked.name.as_str().into(),
        client_key: asked.client_key,
        scopes: asked.scopes,
        audience: state.mcp_audience(),
        binding: CodeBinding {
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge,
        },
    };
    match services.engine.consent(&services.ctx, consent).await {
        Ok(code) => {
            let parameters = [("code", code.as_str())];
            Redirect::to(&response_url(&state, &asked.redirect_uri, state_of_client, &parameters)).into_response()
        }
        Err(error) => failed(&state, &error),
    }
}

/// Client, digest of its ID, and redirect URI of a request. Without them, RFC 6749 (4.1.2.1) forbids a redirect.
async fn trusted(state: &AppState, params: &Params) -> Result<(KnownClient, String, String), String> {
    let one = |name: &str| match params.get(name) {
        Ok(Some(value)) => Ok(value.to_owned()),
        _ => Err(format!("The request has no {name}, or more than one.")),
    };
    let (id, uri) = (one("client_id")?, one("redirect_uri")?);
    let client = state.oauth.client(&id).await.map_err(|unknown| unknown.to_string())?;
    match redirect_uri::check(&uri).is_ok() && client.may_redirect_to(&uri) {
        true => Ok((client, key(&id), uri)),
        false => Err("The redirect_uri is not one that the client has registered. It must be the same, character by character; on loopback only \
                      the port may differ."
            .to_owned()),
    }
}

/// A path with `return_to`.
fn with_return(path: &str, return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", return_to)
        .finish();
    format!("{path}?{query}")
}

/// An error before the person has answered. The browser goes by itself only to a program on the person's computer: any site can register, and could
/// otherwise let a link to this service lead to itself (RFC 9700, 4.11.2).
fn error_before_consent(
    state: &AppState,
    uri: &str,
    of_client: Option<&str>,
    code: &str,
    description: &str,
) -> Response {
    if redirect_uri::without_port(uri).is_some() {
        return send_error(state, uri, of_client, code, description);
    }
    let place = redirect_uri::place(uri);
    let text = format!("{description} Nothing was changed. The program continues at {place}.");
    MessagePage::new(StatusCode::BAD_REQUEST, "The program was not let in", &text)
        .link("/", "Go to the inbox")
        .link(
            &error_url(state, uri, of_client, code, description),
            "Back to the program",
        )
        .page(&state.stylesheet)
}

fn send_error(state: &AppState, uri: &str, of_client: Option<&str>, code: &str, description: &str) -> Response {
    tracing::info!(code, description, "a client was not let in");
    Redirect::to(&error_url(state, uri, of_client, code, description)).into_response()
}

fn error_url(state: &AppState, uri: &str, of_client: Option<&str>, code: &str, description: &str) -> String {
    let error = [("error", code), ("error_description", description)];
    response_url(state, uri, of_client, &error)
}

/// The address at which the client gets the response, with the issuer (RFC 9207).
fn response_url(state: &AppState, uri: &str, of_client: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let mut all = parameters.to_vec();
    all.extend(of_client.map(|state| ("state", state)));
    all.push(("iss", &state.public_url));
    redirect_uri::with(uri, &all)
}

/// The page for a request whose client or redirect URI cannot be trusted.
fn refused(state: &AppState, why: &str) -> Response {
    let text = format!("{why} Nothing was changed. Start again in the program that sent you here.");
    MessagePage::new(StatusCode::BAD_REQUEST, "The program was not let in", &text)
        .link("/settings/clients", "Clients")
        .page(&state.stylesheet)
}

fn failed(state: &AppState, error: &Error) -> Response {
    MessagePage::new(status_of(error), "The program was not let in", &error.to_string())
        .link("/login", "Sign in again")
        .page(&state.stylesheet)
}
