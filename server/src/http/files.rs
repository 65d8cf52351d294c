//! Files of the site, and what is answered where there is nothing.

use super::pages::{self, Notice};
use crate::App;
use crate::site::Site;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use std::sync::Arc;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

/// What is named by its content never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Other files may change with the next version.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `/pkg/...`, and every path that nobody else has: the site's own files, as they were when the service began, or nothing. What else
/// lies in the folder (`hash.txt`) is not for browsers.
pub(super) fn router(site: &Site) -> Router<App> {
    let dir = ServeDir::new(site.root())
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let bundle = dir.clone();
    let names: Arc<[String]> = site.files().into();
    Router::new()
        .route(
            "/pkg/{*file}",
            any(move |State(app): State<App>, request: Request| serve(app, bundle, request, FOR_EVER)),
        )
        .fallback(move |State(app): State<App>, request: Request| async move {
            let path = request.uri().path();
            // As it was sent: what is written in another way is another path.
            if names.iter().any(|name| path.strip_prefix('/') == Some(name)) {
                serve(app, dir, request, AN_HOUR).await
            } else {
                not_found(&app, pages::wants_html(request.headers()))
            }
        })
}

async fn serve(app: App, dir: ServeDir, request: Request, cache: HeaderValue) -> Response {
    let html = pages::wants_html(request.headers());
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_found(&app, html);
    }
    let mut response = match dir.oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    match response.status() {
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, cache);
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            response
        }
        StatusCode::NOT_FOUND => not_found(&app, html),
        _ => response,
    }
}

pub(crate) fn not_found(app: &App, html: bool) -> Response {
    let text = "The address may be mistyped, or the link to it is old.";
    Notice::new(StatusCode::NOT_FOUND, "There is no such page", text)
        .link("/", "Go to the inbox")
        .answer(html, &app.stylesheet)
}

/// A path that exists, asked in a way that it is not there for.
pub(super) async fn wrong_method(State(app): State<App>, request: Request) -> Response {
    let html = pages::wants_html(request.headers());
    let text = format!("{} cannot be done with this address.", request.method());
    Notice::new(StatusCode::METHOD_NOT_ALLOWED, "That does not work here", &text)
        .link("/", "Go to the inbox")
        .answer(html, &app.stylesheet)
        .into_response()
}
