//! How an outcome leaves a server function: as JSON for an island, as a redirect with a message for a plain form.

#[cfg(feature = "ssr")]
pub(super) use ssr::Door;

#[cfg(feature = "ssr")]
mod ssr {
    use crate::flash::Flash;
    use crate::islands::Draft;
    use crate::refusal::status_of;
    use crate::services::Services;
    use axum::http::{HeaderValue, StatusCode, header, request::Parts};
    use leptos::prelude::*;
    use leptos_axum::ResponseOptions;
    use loopiq::domain::{ActionId, State};
    use loopiq::engine::Error;
    use loopiq::views::Outcome;
    use tower_sessions::Session;

    /// Everything that a server function needs from its request, taken before anything is awaited.
    pub(in crate::server_fns) struct Door {
        pub(in crate::server_fns) services: Services,
        session: Option<Session>,
        plain: bool,
    }

    impl Door {
        /// Takes it from Leptos' context. The server lets nobody reach a server function without a session.
        pub(in crate::server_fns) fn open() -> Result<Door, ServerFnError> {
            let services =
                use_context::<Services>().ok_or_else(|| ServerFnError::new("Sign in, then send it again."))?;
            let accepts = use_context::<Parts>().and_then(|parts| {
                parts
                    .headers
                    .get(header::ACCEPT)
                    .and_then(|value| value.to_str().map(str::to_owned).ok())
            });
            let plain = accepts.is_some_and(|accepts| accepts.contains("text/html"));
            Ok(Door {
                services,
                session: use_context::<Session>(),
                plain,
            })
        }

        /// Whether a plain form was sent: its answer is the page that it is led to.
        pub(in crate::server_fns) fn is_plain(&self) -> bool {
            self.plain
        }

        /// What this browser's session keeps.
        pub(in crate::server_fns) fn session(&self) -> Option<&Session> {
            self.session.as_ref()
        }

        /// What the engine said, as an outcome: a refusal is an answer, never an error of the server function. The answer's status
        /// says which kind of refusal it is.
        pub(in crate::server_fns) fn outcome(result: Result<Outcome, Error>) -> Outcome {
            result.unwrap_or_else(|error| {
                Self::refused(&error);
                Outcome {
                    done: false,
                    message: error.to_string().into(),
                    state: error.state(),
                    successor: None,
                }
            })
        }

        /// Gives the answer the status of this refusal.
        pub(in crate::server_fns) fn refused(error: &Error) {
            if let Some(response) = use_context::<ResponseOptions>() {
                response.set_status(status_of(error));
            }
        }

        /// Whether the answer is a denial: somebody may not do this, or there is nothing that they can see. A plain form is told so at
        /// once, with the status that it is; everything else is shown by the page that the form is led to.
        pub(in crate::server_fns) fn is_denied() -> bool {
            let response = use_context::<ResponseOptions>();
            let status = response.and_then(|response| response.0.read().ok().and_then(|parts| parts.status));
            matches!(status, Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
        }

        /// Leads a plain form to this page of ours.
        pub(in crate::server_fns) fn lead(page: &str) {
            if let (Some(response), Ok(page)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(page)) {
                response.insert_header(header::LOCATION, page);
                response.set_status(StatusCode::SEE_OTHER);
            }
        }

        /// Answers. `before` is the state that the command begins in: where the action has left it, the page is loaded
        /// again and must find the message.
        pub(in crate::server_fns) async fn answer(
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
            // What is no ID never becomes part of a Location header.
            let known = ActionId::parse(id).is_ok();
            // What takes the place of an action is what the person looks at next.
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
                Self::lead(&if known {
                    format!("/actions/{id}")
                } else {
                    "/".to_owned()
                });
            }
            Ok(outcome)
        }
    }
}
