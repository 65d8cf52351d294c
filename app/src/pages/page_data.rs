//! Loads the data of a page, and sets the HTTP status if that fails.

use super::problem::{Problem, ProblemView};
use crate::services::Services;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use loopiq::engine::Error;
use std::future::Future;
use std::sync::Arc;

/// Waits for `fetch` and renders its result. Every route is `SsrMode::Async`: Leptos renders the whole document before it sends the first
/// byte, so title and status are known by then. No `Resource` is needed, because nothing of the page is loaded again in the browser.
pub(super) fn page_data<T, Fut, V>(fetch: impl FnOnce(Arc<Services>) -> Fut, render: fn(T) -> V) -> impl IntoView
where
    T: Send + 'static,
    Fut: Future<Output = Result<T, Error>> + Send + 'static,
    V: IntoView + Send + 'static,
{
    let fetching = use_context::<Arc<Services>>().map(fetch);
    let response = use_context::<ResponseOptions>();
    Suspend::new(async move {
        let fetched = match fetching {
            Some(fetching) => fetching.await.map_err(Problem::from),
            None => Err(Problem::signed_out()),
        };
        match fetched {
            Ok(data) => Either::Left(render(data)),
            Err(problem) => {
                problem.set_status(response.as_ref());
                Either::Right(view! { <ProblemView problem /> })
            }
        }
    })
}
