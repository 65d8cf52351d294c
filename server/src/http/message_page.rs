//! Pages with one message, without Leptos: for signing in and out, and for errors outside of pages and server functions.

use super::problem::problem;
use super::typed_text::TypedText;
use crate::html::escape as escape_html;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use loopiq::domain::PlainText;
use std::any::Any;

/// A page with one message, and links or buttons for what to do next.
pub(crate) struct MessagePage<'a> {
    status: StatusCode,
    title: &'a str,
    text: &'a str,
    typed: TypedText,
    /// HTML below the message.
    content: String,
    buttons: String,
}

impl<'a> MessagePage<'a> {
    /// A page with this heading and message, both plain text.
    pub(crate) fn new(status: StatusCode, title: &'a str, text: &'a str) -> Self {
        Self {
            status,
            title,
            text,
            typed: TypedText::default(),
            content: String::new(),
            buttons: String::new(),
        }
    }

    /// Shows what the person had typed.
    pub(crate) fn typed(mut self, typed: TypedText) -> Self {
        self.typed = typed;
        self
    }

    /// Adds a text that people copy, with a label.
    pub(crate) fn code(mut self, label: &str, text: &str) -> Self {
        let (label, text) = (escape(label), escape(text));
        self.content.push_str(&format!(
            "<dl class=\"lines\"><div><dt>{label}</dt><dd><code>{text}</code></dd></div></dl>\n"
        ));
        self
    }

    /// Adds lines with a label each.
    pub(crate) fn lines(mut self, lines: &[(&str, String)]) -> Self {
        let line = |(label, value): &(&str, String)| {
            let (label, value) = (escape(label), escape(value));
            format!("<div><dt>{label}</dt><dd><bdi>{value}</bdi></dd></div>")
        };
        let lines: String = lines.iter().map(line).collect();
        self.content.push_str(&format!("<dl class=\"lines\">{lines}</dl>\n"));
        self
    }

    /// Adds a list with a heading.
    pub(crate) fn list(mut self, heading: &str, items: &[String]) -> Self {
        let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
        let heading = escape(heading);
        self.content
            .push_str(&format!("<section><h2>{heading}</h2><ul>{items}</ul></section>\n"));
        self
    }

    /// Adds a form with several buttons, each with a value of the field `name`. The first one is highlighted.
    pub(crate) fn choice(
        mut self,
        action: &str,
        fields: &[(&str, &str)],
        name: &str,
        choices: &[(&str, &str)],
    ) -> Self {
        let hidden = |(name, value): &(&str, &str)| {
            let (name, value) = (escape(name), escape(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        };
        let fields: String = fields.iter().map(hidden).collect();
        let button = |(n, (value, label)): (usize, &(&str, &str))| {
            let class = if n == 0 { "button primary" } else { "button" };
            let (name, value, label) = (escape(name), escape(value), escape(label));
            format!("<button type=\"submit\" class=\"{class}\" name=\"{name}\" value=\"{value}\">{label}</button>\n")
        };
        let choices: String = choices.iter().enumerate().map(button).collect();
        let action = escape(action);
        self.buttons.push_str(&format!(
            "<form method=\"post\" action=\"{action}\" class=\"buttons\">{fields}{choices}</form>\n"
        ));
        self
    }

    /// Adds a link. The first one is highlighted.
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

    /// Adds a form with only a button.
    pub(crate) fn post(self, action: &str, label: &str) -> Self {
        self.form(action, &[], label)
    }

    /// Adds a form with hidden fields and a button.
    pub(crate) fn form(mut self, action: &str, fields: &[(&str, &str)], label: &str) -> Self {
        let hidden = |(name, value): &(&str, &str)| {
            let (name, value) = (escape(name), escape(value));
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        };
        let fields: String = fields.iter().map(hidden).collect();
        self.buttons.push_str(&format!(
            "<form method=\"post\" action=\"{}\">{fields}<button type=\"submit\" class=\"button primary\">{}</button></form>\n",
            escape(action),
            escape(label)
        ));
        self
    }

    /// Renders the page.
    pub(crate) fn page(self, stylesheet: &str) -> Response {
        let Self {
            status,
            title,
            text,
            typed,
            content,
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
        let typed = match typed.texts() {
            [] => String::new(),
            texts => {
                let area = |text: &String| {
                    // A browser removes the first line break of a text area.
                    format!(
                        "<textarea rows=\"6\" readonly aria-labelledby=\"typed\">\n{}</textarea>\n",
                        escape(text)
                    )
                };
                let areas: String = texts.iter().map(area).collect();
                format!(
                    "<h2 id=\"typed\">What you typed</h2>\n<p>Copy it from here, so that you can use it again.</p>\n{areas}"
                )
            }
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
             {content}{buttons}{typed}{code}</div>\n</main>\n</body>\n</html>\n",
            escape(stylesheet)
        );
        (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
    }

    /// Renders the message as a page, as one line of text, or as problem details.
    pub(crate) fn respond(self, format: Format, stylesheet: &str) -> Response {
        match format {
            Format::Html => self.page(stylesheet),
            Format::Problem => problem(self.status, self.text),
            Format::Text => (
                self.status,
                [(header::CACHE_CONTROL, "no-store")],
                format!("{}. {}\n", self.title, self.text),
            )
                .into_response(),
        }
    }
}

/// How the client of a request reads messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A browser shows a page.
    Html,
    /// Another client of a page shows a line of text.
    Text,
    /// A client of the API reads problem details, whatever it accepts.
    Problem,
}

impl Format {
    /// The format for this request.
    pub(crate) fn of(request: &Request) -> Self {
        if request.uri().path().starts_with("/api/") {
            return Format::Problem;
        }
        let accept = request.headers().get(header::ACCEPT);
        match accept.and_then(|accept| accept.to_str().ok()) {
            Some(accept) if accept.contains("text/html") => Format::Html,
            _ => Format::Text,
        }
    }
}

/// The response to a form that a page of another site has sent (CSRF).
pub(crate) fn cross_site(stylesheet: &str) -> Response {
    let text = "Another site sent this request in your name, so nothing was changed. Open LoopIQ and do it there.";
    MessagePage::new(StatusCode::FORBIDDEN, "Request from another site", text)
        .link("/", "Go to the inbox")
        .page(stylesheet)
}

/// The response after a panic. The panic's message is in the log, with the request ID that the response's header contains.
pub(crate) fn panicked(stylesheet: &str, panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    internal_error().page(stylesheet)
}

/// Adds a message to an error response without content. The session layer sends such a response when it cannot store a session.
pub(crate) async fn fill_empty_errors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let format = Format::of(&request);
    let response = next.run(request).await;
    let is_empty = response.status().is_server_error() && !response.headers().contains_key(header::CONTENT_TYPE);
    if is_empty {
        unavailable().respond(format, &state.stylesheet)
    } else {
        response
    }
}

/// The page for an error of the service itself.
pub(crate) fn internal_error() -> MessagePage<'static> {
    let text = "The service failed. Changes already saved are kept. Try again; if it happens twice, tell the people who run \
                LoopIQ.";
    MessagePage::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text).link("/", "Go to the inbox")
}

/// The page for a database that cannot be used, so that sessions cannot be read or stored. The cause is in the log. A session is
/// stored after the handler has run, so a requested change may have been saved, and the page must not deny it.
pub(crate) fn unavailable() -> MessagePage<'static> {
    let text = "The database is unavailable. Saved changes are kept, and no change is half done. Try again in a moment, and check \
                whether your last change was saved before you repeat it. If the problem persists, tell the people who run LoopIQ.";
    MessagePage::new(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", text).link("/", "Go to the inbox")
}

/// Escapes text for HTML, with hidden characters made visible.
fn escape(text: &str) -> String {
    escape_html(PlainText::from(text).as_str())
}
