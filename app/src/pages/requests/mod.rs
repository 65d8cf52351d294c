//! Operator requests: the pending ones, the history, and accounts that operators have to identify.

mod account;
mod request;

use self::account::Resemblance;
pub(in crate::pages) use self::request::Loosens;
use self::request::{Settled, Waiting};
use super::page_data::page_data;
use crate::components::message::Message;
use crate::components::title::PageTitle;
use crate::services::Services;
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use loopiq::engine::Error;
use loopiq::views::{self, Outcome};
use tower_sessions::Session;

/// All that the page shows.
struct Shown {
    page: views::RequestsPage,
    said: Option<Outcome>,
}

/// `/settings/requests`.
#[component]
pub(crate) fn RequestsPage() -> impl IntoView {
    let session = use_context::<Session>();
    page_data(
        |services| async move { shown(&services, session.as_ref()).await },
        render,
    )
}

async fn shown(services: &Services, session: Option<&Session>) -> Result<Shown, Error> {
    let page = services.engine.requests_page(&services.ctx).await?;
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Requests.take_message(session).await,
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
                <h1>"Operator requests"</h1>
                <p>
                    "It takes two operators to loosen the policy or to link accounts: one makes a request, another confirms it."
                </p>
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            {alone.map(|words| view! { <p class="outcome">{words}</p> })}
            {nothing.then(|| view! { <p class="quiet">"No pending requests."</p> })}
            {waiting.into_iter().map(|request| view! { <Waiting request /> }).collect_view()}
            {(!resemblances.is_empty())
                .then(|| {
                    view! {
                        <section class="card" aria-labelledby="accounts">
                            <h2 id="accounts">"Accounts that can't decide yet"</h2>
                            <p>
                                "Each has an e-mail address that an earlier account had. Its user can sign in and read, but can't decide until operators \
                                 have said whether both accounts belong to the same person."
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
