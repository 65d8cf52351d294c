//! How an outcome leaves a server function: as JSON for an island, as a redirect with a flash message for a plain form.

#[cfg(feature = "ssr")]
pub(super) use ssr::FormRequest;

#[cfg(feature = "ssr")]
mod ssr {
    use crate::STEP_UP_PAGE;
    use crate::drafts::{ApprovalDraft, SessionDraft};
    use crate::flash::Flash;
    use crate::islands::Draft;
    use crate::services::Services;
    use crate::settings_message::SettingsPage;
    use crate::status::status_of;
    use axum::http::{HeaderValue, StatusCode, header, request::Parts};
    use leptos::prelude::*;
    use leptos_axum::ResponseOptions;
    use loopiq::domain::{ActionId, State};
    use loopiq::engine::Error;
    use loopiq::views::Outcome;
    use std::sync::Arc;
    use tower_sessions::Session;

    /// What a server function needs from its HTTP request. Leptos' context is gone after the first await, so this is read before it.
    pub(in crate::server_fns) struct FormRequest {
        pub(in crate::server_fns) services: Arc<Services>,
        session: Option<Session>,
        plain: bool,
    }

    impl FormRequest {
        /// Reads Leptos' context. The server refuses requests without a session before they reach a server function.
        pub(in crate::server_fns) fn from_context() -> Result<Self, ServerFnError> {
            let services =
                use_context::<Arc<Services>>().ok_or_else(|| ServerFnError::new("Sign in, then send it again."))?;
            let accepts = use_context::<Parts>().and_then(|parts| {
                parts
                    .headers
                    .get(header::ACCEPT)
                    .and_then(|value| value.to_str().map(str::to_owned).ok())
            });
            let plain = accepts.is_some_and(|accepts| accepts.contains("text/html"));
            Ok(Self {
                services,
                session: use_context::<Session>(),
                plain,
            })
        }

        /// Whether the browser sent a plain form, without the island's script. Its response is a redirect to a page.
        pub(in crate::server_fns) fn is_plain(&self) -> bool {
            self.plain
        }

        /// The session of this browser.
        pub(in crate::server_fns) fn session(&self) -> Option<&Session> {
            self.session.as_ref()
        }

        /// The engine's result as an outcome. A refusal is an outcome, never an error of the server function; the response's HTTP status
        /// says which kind of refusal it is.
        pub(in crate::server_fns) fn outcome(result: Result<Outcome, Error>) -> Outcome {
            result.unwrap_or_else(|error| {
                Self::set_status(&error);
                Outcome {
                    state: error.state(),
                    sign_in_again: error.asks_to_sign_in_again(),
                    ..Outcome::new(false, error.to_string())
                }
            })
        }

        /// Sets the response's HTTP status to that of this refusal.
        pub(in crate::server_fns) fn set_status(error: &Error) {
            if let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(status_of(error));
            }
        }

        /// Whether the response is a denial (403 or 404). A plain form gets a denial as the response itself, with its status; every other
        /// outcome is shown by the page that the form is redirected to.
        pub(in crate::server_fns) fn is_denied() -> bool {
            let response = use_context::<ResponseOptions>();
            let status = response.and_then(|response| response.0.read().ok().and_then(|parts| parts.status));
            matches!(status, Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
        }

        /// Redirects a plain form to a page of this service.
        pub(in crate::server_fns) fn redirect_to(page: &str) {
            if let (Some(response), Ok(page)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(page)) {
                response.insert_header(header::LOCATION, page);
                response.set_status(StatusCode::SEE_OTHER);
            }
        }

        /// Whether a page shows the outcome: the form is a plain one, which is redirected to that page, and it was not denied.
        pub(in crate::server_fns) fn is_shown_by_page(&self) -> bool {
            self.plain && !Self::is_denied()
        }

        /// Responds to a form of a settings page, which shows the outcome of a plain form.
        pub(in crate::server_fns) async fn respond_on(&self, page: SettingsPage, outcome: Outcome) -> Outcome {
            self.respond_at(page, page.path(), outcome).await
        }

        /// Responds to a form of a page below a settings page.
        pub(in crate::server_fns) async fn respond_at(
            &self,
            page: SettingsPage,
            path: &str,
            outcome: Outcome,
        ) -> Outcome {
            if self.is_shown_by_page() {
                page.store_message(self.session(), &outcome).await;
                Self::redirect_to(path);
            }
            outcome
        }

        /// Responds to a form of the action's page. `before` is the state in which the command is allowed: if the action has left that
        /// state, the browser loads the page again and the page shows the message.
        pub(in crate::server_fns) async fn respond(
            self,
            id: &str,
            before: State,
            outcome: Outcome,
            draft: Draft,
        ) -> Result<Outcome, ServerFnError> {
            if self.plain && Self::is_denied() {
                return Ok(outcome);
            }
            let moved = outcome.done || outcome.state.is_some_and(|state| state != before);
            // Text that is not an ID never becomes part of a Location header.
            let known = ActionId::parse(id).is_ok();
            if known && outcome.sign_in_again {
                let action = id.to_owned();
                ApprovalDraft { action, draft }.put(self.session()).await;
                if self.plain {
                    Self::redirect_to(&format!("{STEP_UP_PAGE}?action={id}"));
                }
                return Ok(outcome);
            }
            if outcome.done && ApprovalDraft::of(self.session(), id).await.is_some() {
                ApprovalDraft::discard(self.session()).await;
            }
            // The person continues with the action that replaces this one, if there is one.
            let id = outcome.successor.as_deref().unwrap_or(id);
            if known && (self.plain || moved) {
                let draft = if outcome.done { Draft::default() } else { draft };
                Flash {
                    action: id.to_owned(),
                    outcome: outcome.clone(),
                    draft,
                }
                .put(self.session)
                .await;
            }
            if self.plain {
                Self::redirect_to(&if known {
                    format!("/actions/{id}")
                } else {
                    "/".to_owned()
                });
            }
            Ok(outcome)
        }
    }
}
