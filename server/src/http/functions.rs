//! The door of server functions, in place of what Leptos does by itself: one content type, no redirect to where a request says
//! it comes from, and a status that says what became of it.

use super::body::is_form;
use super::pages::{self, Notice};
use crate::App;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;

/// What the paths of server functions begin with.
const PREFIX: &str = "/do/";
/// Leptos marks the answer of a function that was not called, or failed, with it.
const FAILED: HeaderName = HeaderName::from_static("serverfnerror");
/// An outcome's words are short.
const MOST: usize = 1 << 20;

/// The part of an answer that a page shows.
#[derive(Deserialize)]
struct Said {
    #[serde(alias = "words")]
    message: String,
}

/// Lets forms alone in, and nothing out that is not an outcome, a redirect of our own, or a page that says what went wrong.
pub(super) async fn door(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let html = pages::wants_html(request.headers());
    if request.method() == Method::POST && !is_form(request.headers()) {
        let text = "This takes forms alone (application/x-www-form-urlencoded), so nothing was done.";
        return Notice::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This is no form", text).answer(html, &app.stylesheet);
    }
    // Leptos would lead there whoever sent a plain form.
    request.headers_mut().remove(header::REFERER);
    let mut response = next.run(request).await;
    if response.headers().contains_key(&FAILED) {
        return failed(&app, html, response).await;
    }
    if response.status().is_redirection() {
        *response.status_mut() = StatusCode::SEE_OTHER;
        return response;
    }
    // What Leptos adds for scripts that follow redirects; ours are led by the outcome.
    response.headers_mut().remove(header::LOCATION);
    response.headers_mut().remove("serverfnredirect");
    if html && !response.status().is_success() && is_json(&response) {
        return page(&app, response).await;
    }
    response
}

fn is_json(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// A refusal that leads nowhere, as a page: a browser without a script would show its JSON.
async fn page(app: &App, response: Response) -> Response {
    let status = response.status();
    let body = to_bytes(response.into_body(), MOST).await.unwrap_or_default();
    let Ok(Said { message }) = serde_json::from_slice(&body) else {
        return pages::broken().page(&app.stylesheet);
    };
    let title = match status {
        StatusCode::FORBIDDEN => "You may not do this",
        StatusCode::NOT_FOUND => "There is nothing here that you can see",
        StatusCode::SERVICE_UNAVAILABLE => "LoopIQ cannot answer just now",
        _ => "That was not done",
    };
    Notice::new(status, title, &message)
        .link("/", "Go to the inbox")
        .page(&app.stylesheet)
}

/// The function was not called, because its form cannot be read; or it failed before it could say anything.
async fn failed(app: &App, html: bool, response: Response) -> Response {
    let body = to_bytes(response.into_body(), MOST).await.unwrap_or_default();
    let error = String::from_utf8_lossy(&body);
    // Leptos' own kinds of errors, as it writes them.
    let unreadable = ["Args|", "MissingArg|", "Deserialization|"]
        .iter()
        .any(|kind| error.starts_with(kind));
    if !unreadable {
        tracing::error!(%error, "a server function failed");
        return pages::broken().answer(html, &app.stylesheet);
    }
    tracing::info!(%error, "a form could not be read");
    let text = "What was sent cannot be read as this form, so nothing was done: a field is there twice, is not of its kind, or is no \
                UTF-8. Load the page again and send its form.";
    Notice::new(StatusCode::BAD_REQUEST, "This form cannot be read", text).answer(html, &app.stylesheet)
}
