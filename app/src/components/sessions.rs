//! A table of sessions, with a button that ends each.

use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::server_fns::EndSession;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::views::SessionView;

/// The table. `person`: the ID of the person whose page shows it; empty on the page of one's own sessions.
#[component]
pub(crate) fn Sessions(
    /// The sessions.
    sessions: Vec<SessionView>,
    /// The person whose page it is.
    #[prop(into)]
    person: String,
) -> impl IntoView {
    if sessions.is_empty() {
        return view! { <p class="quiet">"No open sessions."</p> }.into_any();
    }
    let rows = sessions.into_iter().map(|session| row(session, &person)).collect_view();
    view! {
        <table class="sessions stack" role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader">"Browser"</th>
                    <th scope="col" role="columnheader">"Address"</th>
                    <th scope="col" role="columnheader">"Started"</th>
                    <th scope="col" role="columnheader">"Last used"</th>
                    <th scope="col" role="columnheader">"Ends"</th>
                    <th scope="col" role="columnheader"><span class="unseen">"End it"</span></th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(session: SessionView, person: &str) -> AnyView {
    let SessionView {
        id,
        program,
        address,
        started,
        seen,
        ends,
        here,
    } = session;
    let (name, anchor) = (id.clone(), id.clone());
    let button = match here {
        true => view! {
            <form method="post" action="/logout">
                <button type="submit" class="button small">
                    "Sign out"
                </button>
            </form>
        }
        .into_any(),
        false => view! {
            <form method="post" action=EndSession::url()>
                <TenantField />
                <input type="hidden" name="id" value=name.clone() />
                <input type="hidden" name="person" value=person.to_owned() />
                <button type="submit" class="button small" aria-label=format!("End the session {name}")>
                    "End"
                </button>
            </form>
        }
        .into_any(),
    };
    view! {
        <tr role="row" id=anchor>
            <th scope="row" role="rowheader">
                <bdi>{program}</bdi>
                {here.then_some(" (this session)")}
                " "
                <code class="id">{id}</code>
            </th>
            <td role="cell" data-label="Address"><bdi>{address}</bdi></td>
            <td role="cell" data-label="Started"><RelativeTime when=started /></td>
            <td role="cell" data-label="Last used"><RelativeTime when=seen /></td>
            <td role="cell" data-label="Ends"><RelativeTime when=ends /></td>
            <td role="cell">{button}</td>
        </tr>
    }
    .into_any()
}
