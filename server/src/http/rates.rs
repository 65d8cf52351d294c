//! What somebody is told who asks for too much.

use super::pages::{self, Notice};
use crate::App;
use crate::net::{ClientAddress, Edge, Rates, Whose};
use crate::ops::metrics::RATE_LIMITED;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use loopiq::domain::Principal;
use loopiq::views::Outcome;
use std::time::Duration;

/// Counts a request against somebody's limit; on one too many answers how many seconds to wait.
pub(crate) fn check(rates: &Rates, whose: &Whose<'_>) -> Result<(), u64> {
    rates.check(whose).map_err(|wait| {
        metrics::counter!(RATE_LIMITED, "whose" => whose.label()).increment(1);
        tracing::info!(whose = whose.label(), "a rate limit was met");
        whole_seconds(wait)
    })
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Counts a request of somebody who has no identity, or none that is good.
pub(crate) fn check_address(rates: &Rates, extensions: &Extensions) -> Result<(), u64> {
    match extensions.get::<ClientAddress>() {
        Some(client) => check(rates, &Whose::Address(client.0)),
        // A request that came on no connection of ours.
        None => Ok(()),
    }
}

/// Counts a request of somebody who is known.
pub(crate) fn check_principal(rates: &Rates, principal: &Principal) -> Result<(), u64> {
    match principal {
        Principal::Person { tenant, person, .. } => check(rates, &Whose::Person(tenant, &person.id)),
        Principal::Client { tenant, caller, client } => check(rates, &Whose::Client(tenant, &caller.id, &client.id)),
        Principal::System { .. } => Ok(()),
    }
}

/// Before whatever anybody may ask for: counts it against the address.
pub(crate) async fn anonymous(State(app): State<App>, request: Request, next: Next) -> Response {
    match check_address(&app.edge.rates, request.extensions()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => too_many(&app, &request, seconds),
    }
}

/// 429 for a browser, for a page's script, or for any other program.
pub(crate) fn too_many(app: &App, request: &Request, seconds: u64) -> Response {
    let html = pages::wants_html(request.headers());
    let text = sentence(seconds);
    let response = if !html && request.uri().path().starts_with("/do/") {
        let outcome = Outcome {
            done: false,
            message: text.into(),
            state: None,
            successor: None,
        };
        (StatusCode::TOO_MANY_REQUESTS, axum::Json(outcome)).into_response()
    } else {
        Notice::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests", &text).answer(html, &app.stylesheet)
    };
    retry_after(response, seconds)
}

/// Why nothing was done, and when to try again.
pub(crate) fn sentence(seconds: u64) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!(
        "More requests came from here than are answered in such a time, so nothing was done. Wait {seconds} {unit} and try again."
    )
}

/// Says in the header as well when to try again.
pub(crate) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Puts the client's address into the request's extensions.
pub(super) fn name_client(edge: &Edge, request: &mut Request) -> Option<ClientAddress> {
    let crate::net::Peer(peer) = *request.extensions().get()?;
    let address = ClientAddress(crate::net::client_address(peer.ip(), request.headers(), &edge.proxies));
    request.extensions_mut().insert(address);
    Some(address)
}
