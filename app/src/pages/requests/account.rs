//! Two accounts next to each other, and the form that says whether they belong to one person.

use crate::components::tenant_field::TenantField;
use crate::components::time::RelativeTime;
use crate::server_fns::LinkPeople;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::domain::PlainText;
use loopiq::views::{AccountView, ResemblanceView};

/// Two accounts next to each other.
#[component]
pub(super) fn Accounts(
    /// The heading of each column and its account.
    accounts: [(&'static str, AccountView); 2],
) -> impl IntoView {
    let [(first, one), (second, other)] = accounts;
    let text = |text: PlainText| view! { <bdi>{text}</bdi> }.into_any();
    let roles = |account: &AccountView| match account.roles.is_empty() {
        true => "none".to_owned(),
        false => account
            .roles
            .iter()
            .map(PlainText::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let rows = [
        ("Account", text((&one.id).into()), text((&other.id).into())),
        ("Name", text(one.name.clone()), text(other.name.clone())),
        ("Address", text(one.email.clone()), text(other.email.clone())),
        (
            "Identity provider",
            text(one.issuer.clone()),
            text(other.issuer.clone()),
        ),
        ("Subject", text(one.subject.clone()), text(other.subject.clone())),
        ("Roles", text(roles(&one).into()), text(roles(&other).into())),
        (
            "Last sign-in",
            view! { <RelativeTime when=one.last_sign_in /> }.into_any(),
            view! { <RelativeTime when=other.last_sign_in /> }.into_any(),
        ),
    ];
    let rows = rows.map(|(what, left, right)| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader">{what}</th>
                <td role="cell" data-label=first>{left}</td>
                <td role="cell" data-label=second>{right}</td>
            </tr>
        }
    });
    view! {
        <table class="accounts stack" role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <td role="cell"></td>
                    <th scope="col" role="columnheader">{first}</th>
                    <th scope="col" role="columnheader">{second}</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.into_iter().collect_view()}</tbody>
        </table>
    }
}

/// Two accounts that have had the same address, and the form that says whether they belong to one person.
#[component]
pub(super) fn Resemblance(
    /// The accounts.
    one: ResemblanceView,
) -> impl IntoView {
    let ResemblanceView {
        address,
        newcomer,
        known,
        request,
    } = one;
    let (newer, older) = (newcomer.id.clone(), known.id.clone());
    let field = format!("why-{newer}-{older}");
    let form = match request {
        Some(request) => view! {
            <p>
                "Request " <a href=format!("#{request}")>{request.clone()}</a> " about both accounts is waiting for a second operator."
            </p>
        }
        .into_any(),
        None => view! {
            <form method="post" action=LinkPeople::url()>
                <TenantField />
                <input type="hidden" name="one" value=newer />
                <input type="hidden" name="other" value=older />
                <div class="field">
                    <label for=field.clone()>"How do you know who uses these accounts?"</label>
                    <input id=field type="text" name="text" maxlength="2000" autocomplete="off" required />
                </div>
                <div class="buttons">
                    <button type="submit" class="button" name="whose" value="same">
                        "Same person"
                    </button>
                    <button type="submit" class="button" name="whose" value="different">
                        "Different people"
                    </button>
                </div>
            </form>
        }
        .into_any(),
    };
    view! {
        <section class="resemblance">
            <h3>
                <bdi>{address}</bdi>
            </h3>
            <Accounts accounts=[("Can't decide yet", newcomer), ("Earlier account with this address", known)] />
            {form}
        </section>
    }
}
