//! How an outcome leaves a server function: as JSON for an island, as a redirect with a message for a plain form.

#[cfg(feature = "ssr")]
pub(super) use ssr::Door;

#[cfg(feature = "ssr")]
mod ssr {
    use crate::flash::Flash;
    use crate::islands::Draft;
    use crate::services::Services;
    use axum::http::{header, request::Parts};
    use leptos::prelude::*;
    use loopiq::domain::view::Outcome;
    use loopiq::domain::{ActionId, State};
    use loopiq::engine::Error;
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

        /// What the engine said, as an outcome: a refusal is an answer, never an error of the server function.
        pub(in crate::server_fns) fn outcome(result: Result<Outcome, Error>) -> Outcome {
            result.unwrap_or_else(|error| {
                let state = match &error {
                    Error::AlreadyDecided { state, .. } => Some(*state),
                    _ => None,
                };
                Outcome {
                    done: false,
                    message: error.to_string().into(),
                    state,
                    successor: None,
                }
            })
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
                leptos_axum::redirect(&if known {
                    format!("/actions/{id}")
                } else {
                    "/".to_owned()
                });
            }
            Ok(outcome)
        }
    }
}
