//! The clients and tokens that act for the signed-in person, and for operators those of the tenant.

mod create;

use super::page_data::page_data;
use crate::components::message::Message;
use crate::components::table_head::table_head;
use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use crate::server_fns::RevokeGrant;
use crate::services::Services;
use crate::settings_message::SettingsPage;
use create::CreateToken;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::engine::Error;
use loopiq::views::{self, GrantState, GrantView, Label, Outcome};
use tower_sessions::Session;

/// All that the page shows.
struct Shown {
    page: views::ClientsPage,
    said: Option<Outcome>,
}

/// `/settings/clients`.
#[component]
pub(crate) fn ClientsPage() -> impl IntoView {
    let session = use_context::<Session>();
    page_data(
        |services| async move { shown(&services, session.as_ref()).await },
        render,
    )
}

async fn shown(services: &Services, session: Option<&Session>) -> Result<Shown, Error> {
    let page = services.engine.clients_page(&services.ctx).await?;
    // A prefetch must not consume the message.
    let said = match services.prefetch {
        true => None,
        false => SettingsPage::Clients.take_message(session).await,
    };
    Ok(Shown { page, said })
}

fn render(Shown { page, said }: Shown) -> AnyView {
    let views::ClientsPage { mine, others } = page;
    view! {
        <PageTitle text="Clients" />
        <div class="page people-page">
            <div>
                <h1>"Clients and tokens"</h1>
                <p>"Programs with access to this tenant. Revoke what you don't know, and tell an operator."</p>
            </div>
            {said.map(|outcome| view! { <Message outcome /> })}
            <section class="card" aria-labelledby="mine">
                <h2 id="mine">"Acting for you"</h2>
                <p class="quiet">"They read and propose with your roles. What they propose counts as yours; none of them decides."</p>
                {table(mine)}
            </section>
            {others
                .map(|others| {
                    view! {
                        <section class="card" aria-labelledby="others">
                            <h2 id="others">"All others of this tenant"</h2>
                            {table(others)}
                        </section>
                        <CreateToken />
                    }
                })}
        </div>
    }
    .into_any()
}

fn table(grants: Vec<GrantView>) -> AnyView {
    if grants.is_empty() {
        return view! { <p class="quiet">"None."</p> }.into_any();
    }
    let rows = grants.into_iter().map(row).collect_view();
    view! {
        <table class="grants stack" role="table">
            {table_head(["Name", "Acts for", "May", "Last used", "Ends", "Access"])}
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(grant: GrantView) -> AnyView {
    let GrantView {
        id,
        client,
        name,
        person,
        scopes,
        state,
        is_paused,
        created_by,
        created,
        used,
        ends,
        may_accept,
        may_revoke,
        ..
    } = grant;
    let (anchor, shown) = (id.clone(), id.clone());
    let person = match person {
        Some([name, email]) => view! { <bdi title=email>{name}</bdi> }.into_any(),
        None => view! { <span class="quiet">"the tenant"</span> }.into_any(),
    };
    let used = match used {
        Some(when) => view! { <RelativeTime when /> }.into_any(),
        None => view! { <span class="quiet">"never"</span> }.into_any(),
    };
    let accept = may_accept.then(|| {
        view! {
            <form method="post" action="/do/accept-service-token">
                <TenantField />
                <input type="hidden" name="id" value=id.clone() />
                <button type="submit" class="button small primary" aria-label=format!("Accept {name} and show its secret")>
                    "Accept"
                </button>
            </form>
        }
    });
    let label = if state == GrantState::Offered {
        "Decline"
    } else {
        "Revoke"
    };
    let revoke = may_revoke.then(|| {
        view! {
            <form method="post" action=RevokeGrant::url()>
                <TenantField />
                <input type="hidden" name="id" value=id.clone() />
                <button type="submit" class="button small" aria-label=format!("{label} {name}")>
                    {label}
                </button>
            </form>
        }
    });
    view! {
        <tr role="row" id=anchor>
            <th scope="row" role="rowheader">
                <bdi>{name.clone()}</bdi>
                " "
                <code class="id">{shown}</code>
                <p class="quiet">
                    "By " <bdi>{created_by}</bdi> ", " <RelativeTime when=created /> ", client " <code class="id">{client}</code>
                </p>
            </th>
            <td role="cell" data-label="Acts for">{person}</td>
            <td role="cell" data-label="May">{scopes.join("; ")}</td>
            <td role="cell" data-label="Last used">{used}</td>
            <td role="cell" data-label="Ends"><RelativeTime when=ends /></td>
            <td role="cell" data-label="Access">
                <span>
                    {state.label()}
                    {is_paused.then(|| view! { ", " <a href="/settings/pauses">"paused"</a> })}
                </span>
                {accept}
                {revoke}
            </td>
        </tr>
    }
    .into_any()
}
