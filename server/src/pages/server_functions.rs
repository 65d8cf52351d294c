//! Middleware of the server functions. It changes Leptos' defaults: one content type (and files where a form has some), no redirect to the `Referer`, and a status for
//! each outcome.

use super::uploads;
use crate::auth;
use crate::http::limits::is_form;
use crate::http::message_page::{self, Format, MessagePage};
use crate::http::typed_text::{TypedText, field};
use crate::oidc::local_path;
use crate::state::AppState;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use loopiq::domain::TenantId;
use loopiq_app::Services;
use openidconnect::url::Url;
use serde::Deserialize;
use std::sync::Arc;

/// The path prefix of server functions.
const PREFIX: &str = "/do/";
/// Leptos sets this header on the response of a function that was not called, or failed.
const FAILED: HeaderName = HeaderName::from_static("serverfnerror");
/// The maximum size of an outcome, in bytes. A larger body is treated as empty.
const MAX_OUTCOME: usize = 1 << 20;

/// The part of an outcome that a page shows.
#[derive(Deserialize)]
struct OutcomeMessage {
    #[serde(alias = "words")]
    message: String,
}

/// Accepts only forms of pages of the current tenant, and responds only with an outcome, a redirect that the outcome asks for, or an error page.
pub(super) async fn handle(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let format = Format::of(&request);
    if uploads::WITH_FILES.contains(&request.uri().path()) && uploads::is_multipart(request.headers()) {
        request = match uploads::as_form(request).await {
            Some(request) => request,
            None => return invalid_form().respond(format, &state.stylesheet),
        };
    }
    if request.method() == Method::POST && !is_form(request.headers()) {
        let text = "This address accepts only forms (application/x-www-form-urlencoded), so nothing was changed.";
        return MessagePage::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported content type", text)
            .respond(format, &state.stylesheet);
    }
    // After a plain form, Leptos would redirect to the `Referer`.
    let referer = request.headers_mut().remove(header::REFERER);
    let (parts, body) = request.into_parts();
    // The whole body is in memory already.
    let form = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let typed = match format {
        Format::Html => TypedText::of_form(&form),
        _ => TypedText::default(),
    };
    let services = parts.extensions.get::<Arc<Services>>();
    if let Some(opened) = field(&form, "tenant")
        && let Some(services) = services
        && *opened != *services.ctx.tenant().as_str()
    {
        return of_another_tenant(&state, format, &opened, services.ctx.tenant(), referer.as_ref(), typed);
    }
    let response = next.run(Request::from_parts(parts, Body::from(form))).await;
    finished(&state, format, response, typed).await
}

/// The response of a server function to the browser.
async fn finished(state: &AppState, format: Format, mut response: Response, typed: TypedText) -> Response {
    if response.headers().contains_key(&FAILED) {
        return failed(state, format, response, typed).await;
    }
    if response.status().is_redirection() {
        *response.status_mut() = StatusCode::SEE_OTHER;
        return response;
    }
    // Leptos adds these for scripts that follow redirects. The scripts of these pages follow the outcome instead.
    response.headers_mut().remove(header::LOCATION);
    response.headers_mut().remove("serverfnredirect");
    if format == Format::Html && !response.status().is_success() && is_json(&response) {
        return page(state, response, typed).await;
    }
    response
}

/// The response to a form of a page that was opened in another tenant.
fn of_another_tenant(
    state: &AppState,
    format: Format,
    opened: &str,
    now: &TenantId,
    referer: Option<&HeaderValue>,
    typed: TypedText,
) -> Response {
    let Ok(opened) = TenantId::parse(opened) else {
        return invalid_form().typed(typed).respond(format, &state.stylesheet);
    };
    let text = format!(
        "You opened this page in {opened}, and this browser works in {now} now, so nothing was changed. To do it in {opened}, switch back first."
    );
    let page = referer
        .and_then(|referer| Url::parse(referer.to_str().ok()?).ok())
        .map_or_else(|| "/".to_owned(), |url| local_path(url.path()));
    let fields = [("tenant", opened.as_str()), ("return_to", page.as_str())];
    MessagePage::new(StatusCode::CONFLICT, "You work in another organisation now", &text)
        .typed(typed)
        .form(auth::SWITCH_PATH, &fields, &format!("Switch to {opened}"))
        .link(&page, &format!("Stay in {now}"))
        .respond(format, &state.stylesheet)
}

fn is_json(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// A refusal as a page, because a browser without JavaScript would show the JSON.
async fn page(state: &AppState, response: Response, typed: TypedText) -> Response {
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_OUTCOME).await.unwrap_or_default();
    let Ok(OutcomeMessage { message }) = serde_json::from_slice(&body) else {
        return message_page::internal_error().typed(typed).page(&state.stylesheet);
    };
    let title = match status {
        StatusCode::FORBIDDEN => "You don't have access",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::SERVICE_UNAVAILABLE => "Temporarily unavailable",
        _ => "Nothing was changed",
    };
    MessagePage::new(status, title, &message)
        .typed(typed)
        .link("/", "Go to the inbox")
        .page(&state.stylesheet)
}

/// The response if the form is invalid, so that the function was not called, or if the function failed without an outcome.
async fn failed(state: &AppState, format: Format, response: Response, typed: TypedText) -> Response {
    let body = to_bytes(response.into_body(), MAX_OUTCOME).await.unwrap_or_default();
    let error = String::from_utf8_lossy(&body);
    // The prefixes of Leptos' error messages.
    let is_invalid_form = ["Args|", "MissingArg|", "Deserialization|"]
        .iter()
        .any(|kind| error.starts_with(kind));
    if !is_invalid_form {
        tracing::error!(%error, "a server function failed");
        return message_page::internal_error()
            .typed(typed)
            .respond(format, &state.stylesheet);
    }
    tracing::info!(%error, "a form is invalid");
    invalid_form().typed(typed).respond(format, &state.stylesheet)
}

fn invalid_form() -> MessagePage<'static> {
    let text = "The form is invalid, so nothing was changed: a field is missing, occurs twice, has the wrong type or is not UTF-8. Load the \
                page again and send its form.";
    MessagePage::new(StatusCode::BAD_REQUEST, "Invalid form", text)
}
