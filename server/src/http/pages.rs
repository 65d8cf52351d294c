//! Pages of last resort, for when Leptos is not asked: signing in and out, and errors before or outside it.

use crate::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use loopiq::domain::PlainText;
use std::any::Any;

/// A page that says one thing, and what to do next.
pub(crate) struct Notice<'a> {
    status: StatusCode,
    title: &'a str,
    text: &'a str,
    buttons: String,
}

impl<'a> Notice<'a> {
    /// A page with this heading and text, both as plain text.
    pub(crate) fn new(status: StatusCode, title: &'a str, text: &'a str) -> Self {
        Self {
            status,
            title,
            text,
            buttons: String::new(),
        }
    }

    /// Adds a link. The first one is what most people want.
    pub(crate) fn link(mut self, href: &str, label: &str) -> Self {
        let class = if self.buttons.is_empty() {
            "button primary"
        } else {
            "button"
        };
        self.buttons.push_str(&format!(
            "<a class=\"{class}\" href=\"{}\">{}</a>\n",
            escape(href),
            escape(label)
        ));
        self
    }

    /// Adds a form with nothing but its button.
    pub(crate) fn post(mut self, action: &str, label: &str) -> Self {
        self.buttons.push_str(&format!(
            "<form method=\"post\" action=\"{}\"><button type=\"submit\" class=\"button primary\">{}</button></form>\n",
            escape(action),
            escape(label)
        ));
        self
    }

    /// The page.
    pub(crate) fn page(self, stylesheet: &str) -> Response {
        let Self {
            status,
            title,
            text,
            buttons,
        } = self;
        let (title, text) = (escape(title), escape(text));
        let buttons = if buttons.is_empty() {
            buttons
        } else {
            format!("<div class=\"buttons\">\n{buttons}</div>\n")
        };
        let code = if status.is_success() {
            String::new()
        } else {
            format!("<p class=\"quiet\">Status {}</p>\n", status.as_u16())
        };
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\n\
             <link rel=\"stylesheet\" href=\"{}\">\n<title>{title} · LoopIQ</title>\n</head>\n<body>\n\
             <header class=\"top\"><a class=\"brand\" href=\"/\"><strong>LoopIQ</strong>\
             <span> Governed actions</span></a></header>\n\
             <main id=\"main\" tabindex=\"-1\">\n<div class=\"page notice\">\n<h1>{title}</h1>\n<p>{text}</p>\n\
             {buttons}{code}</div>\n</main>\n</body>\n</html>\n",
            escape(stylesheet)
        );
        (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
    }

    /// The page for a browser; one line of text for anybody else.
    pub(crate) fn answer(self, html: bool, stylesheet: &str) -> Response {
        if html {
            return self.page(stylesheet);
        }
        (
            self.status,
            [(header::CACHE_CONTROL, "no-store")],
            format!("{}. {}\n", self.title, self.text),
        )
            .into_response()
    }
}

/// Whether whoever asks can show a page.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// A form that another site's page sent in this person's name.
pub(super) fn other_site(stylesheet: &str) -> Response {
    let text =
        "A page of another site sent this in your name, so nothing was done. Open LoopIQ itself and do it there.";
    Notice::new(StatusCode::FORBIDDEN, "This did not come from LoopIQ", text)
        .link("/", "Go to the inbox")
        .page(stylesheet)
}

/// A mistake of ours. Its message is in the log, under the ID that the answer's header names.
pub(super) fn panicked(stylesheet: &str, panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    broken().page(stylesheet)
}

/// Puts words to an answer that has none: the session's layer says nothing when the session cannot be kept.
pub(super) async fn never_blank(State(app): State<App>, request: Request, next: Next) -> Response {
    let html = wants_html(request.headers());
    let response = next.run(request).await;
    let blank = response.status().is_server_error() && !response.headers().contains_key(header::CONTENT_TYPE);
    if blank {
        unavailable().answer(html, &app.stylesheet)
    } else {
        response
    }
}

/// Something failed on our side.
pub(crate) fn broken() -> Notice<'static> {
    let text = "Something failed on our side. What was already stored stays stored. Try again; if it happens twice, tell \
                the people who run LoopIQ.";
    Notice::new(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", text).link("/", "Go to the inbox")
}

/// The database cannot be used just now: nobody's session can be read or kept. The log has the cause. The session is kept after
/// the work is done, so what was asked for may have happened, and the page must not deny it.
pub(crate) fn unavailable() -> Notice<'static> {
    let text = "The database cannot be used just now. What was stored stays stored, and nothing is half done. Try \
                again in a moment, and see whether what you did last is there before you do it again. If it stays so, tell \
                the people who run LoopIQ.";
    Notice::new(StatusCode::SERVICE_UNAVAILABLE, "LoopIQ cannot answer just now", text).link("/", "Go to the inbox")
}

/// Text as HTML text or as a quoted attribute's value, with hidden characters made visible.
fn escape(text: &str) -> String {
    let text = PlainText::from(text);
    let mut escaped = String::with_capacity(text.as_str().len());
    for character in text.as_str().chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
