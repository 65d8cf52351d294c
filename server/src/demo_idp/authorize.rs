//! The authorization endpoint: who asks, and which person answers.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use openidconnect::url::Url;

use super::codes::Grant;
use super::params::{Params, Repeated};
use super::{DemoIdp, page};

type Pairs = Vec<(String, String)>;

/// What a code must remember of a nonce; longer ones are refused, so that memory stays bounded.
const LONGEST_NONCE: usize = 512;

/// A request that may be answered with a code.
struct Request<'a> {
    redirect_uri: &'a str,
    state: &'a str,
    nonce: Option<&'a str>,
    code_challenge: &'a str,
    scope: &'a str,
}

/// A request that may not.
enum Refusal<'a> {
    /// Client or redirect URI are not known: RFC 6749 (4.1.2.1) forbids to redirect.
    Here(&'static str),
    /// The client is told by a redirect.
    ToClient {
        redirect_uri: &'a str,
        state: Option<&'a str>,
        error: &'static str,
        description: &'static str,
    },
}

/// `GET /authorize`: the page with the people.
pub(super) async fn ask(State(idp): State<DemoIdp>, query: Result<Query<Pairs>, QueryRejection>) -> Response {
    let Ok(Query(pairs)) = query else {
        return page::refused(&idp, "Its query cannot be read.");
    };
    let params = Params::new(pairs);
    match check(&idp, &params) {
        Ok(request) => {
            let mut hidden = vec![
                ("response_type", "code"),
                ("client_id", idp.0.client_id.as_str()),
                ("redirect_uri", request.redirect_uri),
                ("scope", request.scope),
                ("state", request.state),
                ("code_challenge", request.code_challenge),
                ("code_challenge_method", "S256"),
            ];
            hidden.extend(request.nonce.map(|nonce| ("nonce", nonce)));
            page::people(&idp, &hidden)
        }
        Err(refusal) => refuse(&idp, refusal),
    }
}

/// `POST /authorize`: a person was chosen. The request comes back from the page, so it is checked again.
pub(super) async fn choose(State(idp): State<DemoIdp>, form: Result<Form<Pairs>, FormRejection>) -> Response {
    let Ok(Form(pairs)) = form else {
        return page::refused(&idp, "Its form cannot be read.");
    };
    let params = Params::new(pairs);
    let request = match check(&idp, &params) {
        Ok(request) => request,
        Err(refusal) => return refuse(&idp, refusal),
    };
    let to_client = |error, description| {
        let refusal = Refusal::ToClient {
            redirect_uri: request.redirect_uri,
            state: Some(request.state),
            error,
            description,
        };
        refuse(&idp, refusal)
    };
    if matches!(params.get("cancel"), Ok(Some(_))) {
        return to_client("access_denied", "No person was chosen.");
    }
    let Ok(Some(subject)) = params.get("person") else {
        return page::refused(&idp, "It does not say which person was chosen.");
    };
    let Some(person) = idp.0.people.iter().position(|person| person.subject == subject) else {
        return page::refused(&idp, "The person chosen is not one of this demo.");
    };
    let issued = idp.0.codes.issue(Grant {
        redirect_uri: request.redirect_uri.to_owned(),
        code_challenge: request.code_challenge.to_owned(),
        nonce: request.nonce.map(str::to_owned),
        person,
        signed_in_at: (idp.0.now)(),
    });
    match issued {
        Ok(code) => redirect(&idp, request.redirect_uri, &[("code", &code), ("state", request.state)]),
        Err(error) => {
            tracing::error!(%error, "no random bytes for an authorization code");
            to_client("server_error", "No code could be made.")
        }
    }
}

/// Who asks, first: only then is it known where an answer may go.
fn check<'a>(idp: &DemoIdp, params: &'a Params) -> Result<Request<'a>, Refusal<'a>> {
    match params.get("client_id") {
        Ok(Some(client)) if client == idp.0.client_id => {}
        Ok(_) => return Err(Refusal::Here("It comes from an application that is not known here.")),
        Err(Repeated) => return Err(Refusal::Here("It names its application more than once.")),
    }
    let redirect_uri = match params.get("redirect_uri") {
        Ok(Some(uri)) if idp.0.redirect_uris.iter().any(|known| known == uri) => uri,
        Ok(_) => {
            return Err(Refusal::Here(
                "It asks to be answered at an address that is not registered.",
            ));
        }
        Err(Repeated) => return Err(Refusal::Here("It names more than one address for the answer.")),
    };
    // A repeated state is not sent back: which of them the client would look for is unknown.
    let state = params.get("state").unwrap_or(None);
    let refused = |error, description| Refusal::ToClient {
        redirect_uri,
        state,
        error,
        description,
    };
    let get = |name| {
        params
            .get(name)
            .map_err(|Repeated| refused("invalid_request", "A parameter was sent more than once."))
    };

    let Some(state) = get("state")? else {
        return Err(refused("invalid_request", "state is required."));
    };
    match get("response_type")? {
        Some("code") => {}
        Some(_) => {
            return Err(refused(
                "unsupported_response_type",
                "Only response_type=code is answered.",
            ));
        }
        None => return Err(refused("invalid_request", "response_type is required.")),
    }
    if !matches!(get("response_mode")?, None | Some("query")) {
        return Err(refused("invalid_request", "Only response_mode=query is answered."));
    }
    if get("request")?.is_some() {
        return Err(refused("request_not_supported", "Request objects are not supported."));
    }
    if get("request_uri")?.is_some() {
        return Err(refused(
            "request_uri_not_supported",
            "Request objects are not supported.",
        ));
    }
    let scope = get("scope")?.unwrap_or_default();
    if !scope.split(' ').any(|scope| scope == "openid") {
        return Err(refused("invalid_scope", "The scope openid is required."));
    }
    if get("code_challenge_method")? != Some("S256") {
        return Err(refused("invalid_request", "code_challenge_method=S256 is required."));
    }
    let code_challenge = match get("code_challenge")? {
        Some(challenge) if is_sha256(challenge) => challenge,
        _ => return Err(refused("invalid_request", "code_challenge is required.")),
    };
    let nonce = get("nonce")?;
    if nonce.is_some_and(|nonce| nonce.len() > LONGEST_NONCE) {
        return Err(refused("invalid_request", "nonce is too long."));
    }
    if get("prompt")? == Some("none") {
        // There is no session here that could answer without the page.
        return Err(refused("login_required", "A person has to be chosen."));
    }
    Ok(Request {
        redirect_uri,
        state,
        nonce,
        code_challenge,
        scope,
    })
}

/// Whether this is 32 bytes in base64url without padding, as RFC 7636 (4.2) writes a challenge.
fn is_sha256(challenge: &str) -> bool {
    challenge.len() == 43
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn refuse(idp: &DemoIdp, refusal: Refusal<'_>) -> Response {
    match refusal {
        Refusal::Here(reason) => page::refused(idp, reason),
        Refusal::ToClient {
            redirect_uri,
            state,
            error,
            description,
        } => {
            let mut answer = vec![("error", error), ("error_description", description)];
            answer.extend(state.map(|state| ("state", state)));
            redirect(idp, redirect_uri, &answer)
        }
    }
}

/// 303, so that a browser never posts the form on to the client; with the issuer (RFC 9207), so that the client knows
/// who answered.
fn redirect(idp: &DemoIdp, redirect_uri: &str, answer: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return page::refused(idp, "The address for the answer cannot be read.");
    };
    url.query_pairs_mut()
        .extend_pairs(answer)
        .append_pair("iss", idp.issuer());
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Redirect::to(url.as_str())).into_response()
}
