//! The page of an error: what is wrong, and what the person can do.

use crate::components::title::PageTitle;
use axum::http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use loopiq::domain::PlainText;
use loopiq::engine::Error;

/// Why a page cannot be shown.
pub(super) struct Problem {
    status: u16,
    title: PlainText,
    text: PlainText,
}

impl Problem {
    fn new(status: StatusCode, title: &str, text: impl Into<PlainText>) -> Self {
        Self {
            status: status.as_u16(),
            title: title.into(),
            text: text.into(),
        }
    }

    /// No person is signed in. The server redirects such requests to the sign-in, so this is only a safety net.
    pub(super) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "You're signed out",
            "Sign in, then open this page again.",
        )
    }

    fn no_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Page not found",
            "Check the address. The link may be out of date.",
        )
    }

    /// Sets the response's status. Outside a request (route listing) there is no response.
    pub(super) fn set_status(&self, response: Option<&ResponseOptions>) {
        if let (Some(response), Ok(status)) = (response, StatusCode::from_u16(self.status)) {
            response.set_status(status);
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound { .. } | Error::NoAuditEntry { .. } => Self::new(StatusCode::NOT_FOUND, "Not found", text),
            Error::NotAuthorized { .. } => Self::new(StatusCode::FORBIDDEN, "You don't have access", text),
            Error::Invalid { .. } | Error::Wording { .. } | Error::Setting { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "Invalid address", text)
            }
            Error::Unavailable { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", text),
            // The text names the incident; the log has its cause.
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text),
        }
    }
}

/// The page of an error.
#[component]
pub(super) fn ProblemView(problem: Problem) -> impl IntoView {
    let signed_out = problem.status == StatusCode::UNAUTHORIZED.as_u16();
    view! {
        <PageTitle text=problem.title.clone() />
        <div class="page notice">
            <h1>{problem.title}</h1>
            <p>{problem.text}</p>
            <p class="buttons">
                {if signed_out {
                    view! { <a class="button primary" href="/login">"Sign in"</a> }.into_any()
                } else {
                    view! { <a class="button primary" href="/">"Go to the inbox"</a> }.into_any()
                }}
            </p>
            <p class="quiet">"Status " {problem.status}</p>
        </div>
    }
}

/// The page of an address that no route has.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    let problem = Problem::no_page();
    problem.set_status(use_context::<ResponseOptions>().as_ref());
    view! { <ProblemView problem /> }
}
