//! Loads the data of a page, and sets the HTTP status if that fails.

use super::problem::{Problem, ProblemView};
use crate::services::Services;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use loopiq::engine::Error;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// Waits for `fetch` and renders its result. The resource is blocking and is created outside the `Suspense` that reads it, so that title and
/// status are known before the first byte of the document is sent.
pub(super) fn page_data<T, F, Fut>(fetch: F, render: fn(T) -> AnyView) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    F: Fn(Services) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, Error>> + Send + 'static,
{
    let services = use_context::<Services>();
    let response = use_context::<ResponseOptions>();
    let resource = Resource::new_blocking(
        || (),
        move |()| {
            let fetching = services.clone().map(&fetch);
            async move {
                match fetching {
                    Some(fetching) => fetching.await.map_err(Problem::from),
                    None => Err(Problem::signed_out()),
                }
            }
        },
    );
    view! {
        <Suspense>
            {move || {
                let response = response.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(found) => render(found),
                        Err(problem) => {
                            problem.set_status(response.as_ref());
                            view! { <ProblemView problem /> }.into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
}
