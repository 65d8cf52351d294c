//! One person of the tenant, for operators.

use super::roles;
use crate::components::message::Message;
use crate::components::sessions::Sessions;
use crate::components::tenant_field::TenantField;
use crate::components::time::ExactTime;
use crate::components::title::PageTitle;
use crate::pages::page_data::page_data;
use crate::server_fns::EndSessions;
use crate::services::Services;
use crate::settings_message::SettingsPage;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_router::hooks::use_params_map;
use loopiq::engine::Error;
use loopiq::views::{self, Outcome};
use tower_sessions::Session;

/// All that the page shows.
struct Shown {
    page: views::PersonPage,
    said: Option<Outcome>,
}

/// `/settings/access/{person}`.
#[component]
pub(crate) fn PersonPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").unwrap_or_default();
    let session = use_context::<Session>();
    page_data(
        |services| async move { shown(&services, &id, session.as_ref()).await },
        render,
    )
}

async fn shown(services: &Services, id: &str, session: Option<&Session>) -> Result<Shown, Error> {
    let page = services.engine.person_page(&services.ctx, id).await?;
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Access.take_message(session).await,
    };
    Ok(Shown { page, said })
}

fn render(Shown { page, said }: Shown) -> AnyView {
    let views::PersonPage {
        person,
        account: [issuer, subject],
        sessions,
        clients,
    } = page;
    let (id, roles) = (person.id.clone(), roles(&person));
    let has_access = !sessions.is_empty() || clients > 0;
    let clients = match clients {
        0 => None,
        1 => Some("1 client acts for the person.".to_owned()),
        count => Some(format!("{count} clients act for the person.")),
    };
    view! {
        <PageTitle text=person.name.clone() />
        <article class="page people-page">
            <nav class="crumbs" aria-label="Where you are">
                <a href="/settings/access">"‹ Access"</a>
            </nav>
            <h1>
                <bdi>{person.name}</bdi>
            </h1>
            {said.map(|outcome| view! { <Message outcome /> })}
            <section class="card" aria-labelledby="account">
                <h2 id="account">"Account"</h2>
                <dl class="lines">
                    <div><dt>"E-mail address"</dt><dd><bdi>{person.email}</bdi></dd></div>
                    <div><dt>"Roles"</dt><dd>{roles}</dd></div>
                    <div><dt>"Last sign-in"</dt><dd><ExactTime when=person.signed_in /></dd></div>
                    <div><dt>"Identity provider"</dt><dd><bdi dir="ltr">{issuer}</bdi></dd></div>
                    <div><dt>"ID there"</dt><dd><bdi dir="ltr">{subject}</bdi></dd></div>
                    <div><dt>"Account"</dt><dd><code class="id">{id.clone()}</code></dd></div>
                </dl>
            </section>
            <section class="card" aria-labelledby="sessions">
                <h2 id="sessions">"Open sessions"</h2>
                <Sessions sessions person=id.clone() />
                {clients.map(|clients| view! { <p>{clients} " " <a href="/settings/clients">"Clients"</a></p> })}
                {has_access
                    .then(|| {
                        view! {
                            <form method="post" action=EndSessions::url()>
                                <TenantField />
                                <input type="hidden" name="person" value=id />
                                <button type="submit" class="button danger">
                                    "End all sessions"
                                </button>
                            </form>
                        }
                    })}
                <p class="quiet">
                    "Ending all sessions also takes the access from clients that act for the person. It doesn't keep the person out: remove the account or its roles at the identity provider for that."
                </p>
            </section>
        </article>
    }
    .into_any()
}
