//! The sessions of the signed-in person.

use super::page_data::page_data;
use crate::components::message::Message;
use crate::components::sessions::Sessions;
use crate::components::tenant_field::TenantField;
use crate::components::title::PageTitle;
use crate::server_fns::SignOutEverywhere;
use crate::services::Services;
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::engine::Error;
use loopiq::views::{self, Outcome};
use tower_sessions::Session;

/// All that the page shows.
struct Shown {
    page: views::SessionsPage,
    said: Option<Outcome>,
}

/// `/settings/sessions`.
#[component]
pub(crate) fn SessionsPage() -> impl IntoView {
    let session = use_context::<Session>();
    page_data(
        |services| async move { shown(&services, session.as_ref()).await },
        render,
    )
}

async fn shown(services: &Services, session: Option<&Session>) -> Result<Shown, Error> {
    let page = services.engine.sessions_page(&services.ctx).await?;
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Sessions.take_message(session).await,
    };
    Ok(Shown { page, said })
}

fn render(Shown { page, said }: Shown) -> AnyView {
    view! {
        <PageTitle text="Sessions" />
        <div class="page people-page">
            <div>
                <h1>"Your sessions"</h1>
                <p>"The browsers in which you are signed in to this tenant. End a session that you don't know, and tell an operator."</p>
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            <section class="card" aria-labelledby="open">
                <h2 id="open">"Open sessions"</h2>
                <Sessions sessions=page.sessions person="" />
            </section>
            <section class="card" aria-labelledby="everywhere">
                <h2 id="everywhere">"Sign out everywhere"</h2>
                <p>"Ends all of your sessions, also this one and those in other tenants."</p>
                <form method="post" action=SignOutEverywhere::url()>
                    <TenantField />
                    <button type="submit" class="button danger">
                        "Sign out everywhere"
                    </button>
                </form>
            </section>
        </div>
    }
    .into_any()
}
