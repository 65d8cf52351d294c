//! What operators have asked for: what waits for a second operator, what became of the rest, and accounts that operators have to identify.

mod account;
mod request;

use self::account::Resemblance;
pub(in crate::pages) use self::request::Loosens;
use self::request::{Settled, Waiting};
use super::load::loaded;
use crate::components::said::Said;
use crate::components::title::PageTitle;
use crate::said::Page;
use crate::services::Services;
use leptos::prelude::*;
use loopiq::engine::Error;
use loopiq::views::{self, Outcome};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

/// All that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    page: views::RequestsPage,
    said: Option<Outcome>,
}

/// `/settings/requests`.
#[component]
pub(crate) fn RequestsPage() -> impl IntoView {
    let session = use_context::<Session>();
    loaded(
        move |services| {
            let session = session.clone();
            async move { shown(&services, session.as_ref()).await }
        },
        render,
    )
}

async fn shown(services: &Services, session: Option<&Session>) -> Result<Shown, Error> {
    let page = services.engine.requests_page(&services.ctx).await?;
    // What a browser fetches in advance nobody has seen: it must not use up the message.
    let said = match services.prefetch {
        true => None,
        false => Page::Requests.said(session).await,
    };
    Ok(Shown { page, said })
}

fn render(Shown { page, said }: Shown) -> AnyView {
    let views::RequestsPage {
        waiting,
        history,
        resemblances,
        alone,
    } = page;
    let nothing = waiting.is_empty();
    view! {
        <PageTitle text="Requests" />
        <div class="page requests">
            <div>
                <h1>"Requests of operators"</h1>
                <p>
                    "Two operators are needed to loosen the policy, and to say whether two accounts belong to the same person: one asks, another one confirms."
                </p>
            </div>
            {said.map(|outcome| view! { <Said outcome /> })}
            {alone.map(|words| view! { <p class="outcome">{words}</p> })}
            {nothing.then(|| view! { <p class="quiet">"No request waits."</p> })}
            {waiting.into_iter().map(|request| view! { <Waiting request /> }).collect_view()}
            {(!resemblances.is_empty())
                .then(|| {
                    view! {
                        <section class="card" aria-labelledby="accounts">
                            <h2 id="accounts">"Accounts that cannot decide yet"</h2>
                            <p>
                                "Each came to an address that another account had before. It can sign in and read, and it decides nothing until \
                                 operators have said whether both accounts are one person's."
                            </p>
                            {resemblances.into_iter().map(|one| view! { <Resemblance one /> }).collect_view()}
                        </section>
                    }
                })}
            <Settled requests=history />
        </div>
    }
    .into_any()
}
