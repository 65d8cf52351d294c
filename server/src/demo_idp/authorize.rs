//! The authorization endpoint, which shows the list of people.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use openidconnect::url::Url;

use super::codes::Grant;
use super::{ACR_VALUES, DemoIdp, ONE_FACTOR, TWO_FACTORS, page};
use crate::oauth_params::{Params, Repeated};

type Pairs = Vec<(String, String)>;

/// The maximum length of a nonce, in bytes. A longer one is refused, because codes store the nonce in memory.
const MAX_NONCE: usize = 512;

/// A valid request.
struct Request<'a> {
    redirect_uri: &'a str,
    state: &'a str,
    nonce: Option<&'a str>,
    code_challenge: &'a str,
    scope: &'a str,
    /// Parameters that the form sends back: `prompt`, `max_age` and `acr_values`.
    authentication: Vec<(&'static str, &'a str)>,
    /// How the person will have authenticated.
    acr: &'static str,
}

/// Why a request is refused.
enum Refusal<'a> {
    /// Client or redirect URI is unknown, so RFC 6749 (4.1.2.1) forbids a redirect.
    Page(&'static str),
    /// The error is sent to the client by a redirect.
    Redirect {
        redirect_uri: &'a str,
        state: Option<&'a str>,
        error: &'static str,
        description: &'static str,
    },
}

/// `GET /authorize`: shows the list of people.
pub(super) async fn ask(State(idp): State<DemoIdp>, query: Result<Query<Pairs>, QueryRejection>) -> Response {
    let Ok(Query(pairs)) = query else {
        return page::refused(&idp, "The query is invalid.");
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
            hidden.extend(request.authentication);
            page::people(&idp, request.acr == TWO_FACTORS, &hidden)
        }
        Err(refusal) => refuse(&idp, refusal),
    }
}

/// `POST /authorize`: a person was chosen. The page's form contains the request, so it is checked again.
pub(super) async fn choose(State(idp): State<DemoIdp>, form: Result<Form<Pairs>, FormRejection>) -> Response {
    let Ok(Form(pairs)) = form else {
        return page::refused(&idp, "The form is invalid.");
    };
    let params = Params::new(pairs);
    let request = match check(&idp, &params) {
        Ok(request) => request,
        Err(refusal) => return refuse(&idp, refusal),
    };
    let to_client = |error, description| {
        let refusal = Refusal::Redirect {
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
        return page::refused(&idp, "No person was chosen.");
    };
    let Some(person) = idp.0.people.iter().position(|person| person.subject == subject) else {
        return page::refused(&idp, "The chosen person does not exist.");
    };
    let issued = idp.0.codes.issue(Grant {
        redirect_uri: request.redirect_uri.to_owned(),
        code_challenge: request.code_challenge.to_owned(),
        nonce: request.nonce.map(str::to_owned),
        person,
        // The provider has no sessions: choosing a person is the authentication, so `max_age` and `prompt=login` are always met.
        signed_in_at: (idp.0.now)(),
        acr: request.acr,
    });
    match issued {
        Ok(code) => redirect(&idp, request.redirect_uri, &[("code", &code), ("state", request.state)]),
        Err(error) => {
            tracing::error!(%error, "no random bytes for an authorization code");
            to_client("server_error", "No code could be created.")
        }
    }
}

/// Checks the request. Client and redirect URI come first, because without them no redirect is allowed.
fn check<'a>(idp: &DemoIdp, params: &'a Params) -> Result<Request<'a>, Refusal<'a>> {
    match params.get("client_id") {
        Ok(Some(client)) if client == idp.0.client_id => {}
        Ok(_) => return Err(Refusal::Page("The application is unknown.")),
        Err(Repeated) => return Err(Refusal::Page("The request names its application more than once.")),
    }
    let redirect_uri = match params.get("redirect_uri") {
        Ok(Some(uri)) if idp.0.redirect_uris.iter().any(|known| known == uri) => uri,
        Ok(_) => {
            return Err(Refusal::Page("The redirect address is not registered."));
        }
        Err(Repeated) => return Err(Refusal::Page("The request names more than one redirect address.")),
    };
    // A repeated state is not sent back, because it is unknown which one the client expects.
    let state = params.get("state").unwrap_or(None);
    let refused = |error, description| Refusal::Redirect {
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
                "Only response_type=code is supported.",
            ));
        }
        None => return Err(refused("invalid_request", "response_type is required.")),
    }
    if !matches!(get("response_mode")?, None | Some("query")) {
        return Err(refused("invalid_request", "Only response_mode=query is supported."));
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
    if nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
        return Err(refused("invalid_request", "nonce is too long."));
    }
    let prompt = get("prompt")?;
    match prompt {
        // The provider has no sessions, so it always needs the page.
        Some("none") => return Err(refused("login_required", "A person has to be chosen.")),
        Some(prompt) if prompt.split(' ').any(|one| one == "none") => {
            return Err(refused("invalid_request", "prompt=none excludes other prompts."));
        }
        _ => {}
    }
    let max_age = get("max_age")?;
    if max_age.is_some_and(|age| age.parse::<u32>().is_err()) {
        return Err(refused("invalid_request", "max_age is not a number of seconds."));
    }
    let acr_values = get("acr_values")?;
    let authentication = [("prompt", prompt), ("max_age", max_age), ("acr_values", acr_values)];
    Ok(Request {
        redirect_uri,
        state,
        nonce,
        code_challenge,
        scope,
        authentication: authentication
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
        acr: acr(acr_values.unwrap_or_default()),
    })
}

/// The first of the requested ways of authenticating that the provider has (`acr_values` lists them by preference); else the usual way.
fn acr(acr_values: &str) -> &'static str {
    let wanted = acr_values.split(' ');
    let known = |wanted: &str| ACR_VALUES.into_iter().find(|known| *known == wanted);
    wanted.into_iter().find_map(known).unwrap_or(ONE_FACTOR)
}

/// Whether the challenge is 32 bytes in base64url without padding (RFC 7636, 4.2).
fn is_sha256(challenge: &str) -> bool {
    challenge.len() == 43
        && challenge
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn refuse(idp: &DemoIdp, refusal: Refusal<'_>) -> Response {
    match refusal {
        Refusal::Page(reason) => page::refused(idp, reason),
        Refusal::Redirect {
            redirect_uri,
            state,
            error,
            description,
        } => {
            let mut params = vec![("error", error), ("error_description", description)];
            params.extend(state.map(|state| ("state", state)));
            redirect(idp, redirect_uri, &params)
        }
    }
}

/// Redirects with status 303, so that the browser does not post the form to the client, and with the issuer (RFC 9207).
fn redirect(idp: &DemoIdp, redirect_uri: &str, params: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return page::refused(idp, "The redirect address is invalid.");
    };
    url.query_pairs_mut()
        .extend_pairs(params)
        .append_pair("iss", idp.issuer());
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Redirect::to(url.as_str())).into_response()
}
