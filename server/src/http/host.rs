//! A demo knows everybody without a password, so it answers to its own names alone.

use super::pages;
use crate::App;
use crate::settings::is_loopback;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// In a demo: refuses a name that is not this machine's (a page elsewhere could have its name resolved to loopback), and
/// sends people who came by another name of this machine to the public URL, where their sign-in would end anyway.
pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.demo_idp.is_none() {
        // Behind a proxy the name may be anything; MCP checks it by itself.
        return next.run(request).await;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .unwrap_or_default();
    let asked = format!("http://{host}");
    if *app.public_url == *asked {
        return next.run(request).await;
    }
    let html = pages::wants_html(request.headers());
    if !is_loopback(&asked) {
        let text = format!("This is a demo, and it answers only at {}.", app.public_url);
        return pages::Notice::new(StatusCode::MISDIRECTED_REQUEST, "Not the address of this demo", &text)
            .answer(html, &app.stylesheet);
    }
    if html && request.method() == Method::GET {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::temporary(&format!("{}{path}", app.public_url)).into_response();
    }
    next.run(request).await
}
