//! The site's static files, and the response to unknown paths.

use super::message_page::{Format, MessagePage};
use crate::site::Site;
use crate::state::AppState;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use std::sync::Arc;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

/// For files with a hash in their names, whose content never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For other files, which may change with the next version.
const ONE_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Serves `/pkg/...` and, for paths of no other route, the files that were at the top of the site when the service started. Other files in
/// the folder, such as `hash.txt`, are not public.
pub(crate) fn router(site: &Site) -> Router<AppState> {
    let dir = ServeDir::new(site.root())
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let bundle = dir.clone();
    let names: Arc<[String]> = site.files().into();
    Router::new()
        .route(
            "/pkg/{*file}",
            any(move |State(state): State<AppState>, request: Request| serve(state, bundle, request, IMMUTABLE)),
        )
        .fallback(move |State(state): State<AppState>, request: Request| async move {
            let path = request.uri().path();
            // The path is compared without decoding: another encoding of a name is another path.
            if names.iter().any(|name| path.strip_prefix('/') == Some(name)) {
                serve(state, dir, request, ONE_HOUR).await
            } else {
                not_found(&state, Format::of(&request))
            }
        })
}

async fn serve(state: AppState, dir: ServeDir, request: Request, cache: HeaderValue) -> Response {
    let format = Format::of(&request);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_found(&state, format);
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
        StatusCode::NOT_FOUND => not_found(&state, format),
        _ => response,
    }
}

pub(crate) fn not_found(state: &AppState, format: Format) -> Response {
    let text = "The address may be mistyped, or the link to it is old.";
    MessagePage::new(StatusCode::NOT_FOUND, "Page not found", text)
        .link("/", "Go to the inbox")
        .respond(format, &state.stylesheet)
}

/// The response to a method that a route does not have.
pub(crate) async fn method_not_allowed(State(state): State<AppState>, request: Request) -> Response {
    let format = Format::of(&request);
    let text = format!("This address does not accept the method {}.", request.method());
    MessagePage::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", &text)
        .link("/", "Go to the inbox")
        .respond(format, &state.stylesheet)
        .into_response()
}
