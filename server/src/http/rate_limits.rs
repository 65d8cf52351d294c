//! Rate limits, applied to requests.

use super::message_page::{Format, MessagePage};
use crate::net::{ClientAddress, Peer, RateKey, RateLimits, RequestSettings, client_address};
use crate::prometheus::RATE_LIMITED;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use loopiq::domain::Principal;
use loopiq::views::Outcome;
use std::time::Duration;

/// Counts a request. The error is the number of seconds to wait.
fn check(limits: &RateLimits, key: &RateKey<'_>) -> Result<(), u64> {
    limits.check(key).map_err(|wait| {
        metrics::counter!(RATE_LIMITED, "whose" => key.label()).increment(1);
        tracing::info!(whose = key.label(), "a request exceeds the rate limit");
        whole_seconds(wait)
    })
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Counts a request without a valid session or token, by its client's address.
pub(crate) fn check_address(limits: &RateLimits, extensions: &Extensions) -> Result<(), u64> {
    match extensions.get::<ClientAddress>() {
        Some(client) => check(limits, &RateKey::Address(client.0)),
        // Only a request that did not arrive through `net::serve` has no address.
        None => Ok(()),
    }
}

/// Counts a registration of an OAuth client.
pub(crate) fn check_registration(limits: &RateLimits, extensions: &Extensions) -> Result<(), u64> {
    match extensions.get::<ClientAddress>() {
        Some(client) => check(limits, &RateKey::Registration(client.0)),
        None => Ok(()),
    }
}

/// Counts a request of an authenticated principal.
pub(crate) fn check_principal(limits: &RateLimits, principal: &Principal) -> Result<(), u64> {
    match principal {
        Principal::Person { tenant, person, .. } => check(limits, &RateKey::Person(tenant, &person.id)),
        Principal::Client {
            tenant, caller, client, ..
        } => check(limits, &RateKey::Client(tenant, Some(&caller.id), &client.id)),
        Principal::Program { tenant, client, .. } => check(limits, &RateKey::Client(tenant, None, &client.id)),
        Principal::System { .. } => Ok(()),
    }
}

/// Counts each request by its client's address, for routes without authentication.
pub(crate) async fn limit_by_address(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match check_address(&state.requests.rate_limits, request.extensions()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => too_many_requests(&state, &request, seconds),
    }
}

/// The response 429: a page for a browser, JSON for the script of a page, problem details for the API, or text for another client.
pub(crate) fn too_many_requests(state: &AppState, request: &Request, seconds: u64) -> Response {
    let format = Format::of(request);
    let text = message(seconds);
    let response = if format == Format::Text && request.uri().path().starts_with("/do/") {
        let outcome = Outcome::new(false, text);
        (StatusCode::TOO_MANY_REQUESTS, axum::Json(outcome)).into_response()
    } else {
        MessagePage::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", &text).respond(format, &state.stylesheet)
    };
    with_retry_after(response, seconds)
}

/// The message of a refused request.
pub(crate) fn message(seconds: u64) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Too many requests came from here, so nothing was changed. Wait {seconds} {unit} and try again.")
}

/// Adds the header `Retry-After`.
pub(crate) fn with_retry_after(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Puts the client's address into the request's extensions.
pub(super) fn add_client_address(settings: &RequestSettings, request: &mut Request) -> Option<ClientAddress> {
    let Peer(peer) = *request.extensions().get()?;
    let address = ClientAddress(client_address(peer.ip(), request.headers(), &settings.proxies));
    request.extensions_mut().insert(address);
    Some(address)
}
