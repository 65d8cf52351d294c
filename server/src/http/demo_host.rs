//! The check of the host name in a demo, which signs people in without a password.

use super::message_page::{Format, MessagePage};
use crate::state::AppState;
use crate::urls::is_loopback_url;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// In a demo: refuses a host name that is not loopback, because a foreign site could have its name resolved to loopback (DNS
/// rebinding), and redirects browsers that use another name of loopback to the public URL, where the sign-in would lead them
/// anyway.
pub(crate) async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if state.demo_idp.is_none() {
        // Behind a proxy any name is possible. The MCP endpoint has a check of its own.
        return next.run(request).await;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .unwrap_or_default();
    let requested_url = format!("http://{host}");
    if *state.public_url == *requested_url {
        return next.run(request).await;
    }
    let format = Format::of(&request);
    if !is_loopback_url(&requested_url) {
        let text = format!("This demo answers only at {}.", state.public_url);
        return MessagePage::new(StatusCode::MISDIRECTED_REQUEST, "Wrong address", &text)
            .respond(format, &state.stylesheet);
    }
    if format == Format::Html && request.method() == Method::GET {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::temporary(&format!("{}{path}", state.public_url)).into_response();
    }
    next.run(request).await
}
