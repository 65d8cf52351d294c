//! Who may do what, and for operators, the people of the tenant.

mod person;
mod rights;

pub(crate) use person::PersonPage;

use super::link::link;
use super::page_data::page_data;
use crate::components::table_head::table_head;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::views::{self, Label, PeopleList, PersonRow};
use rights::Rights;

/// `/settings/access?q=...&after=...`.
#[component]
pub(crate) fn AccessPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let (search, after) = (
        query.get("q").unwrap_or_default(),
        query.get("after").unwrap_or_default(),
    );
    page_data(
        |services| async move { services.engine.access_page(&services.ctx, &search, &after).await },
        render,
    )
}

/// The roles of a person as text.
fn roles(person: &PersonRow) -> String {
    let roles: Vec<String> = person.roles.iter().map(|role| role.label().to_lowercase()).collect();
    match roles.is_empty() {
        true => "no role".to_owned(),
        false => roles.join(", "),
    }
}

fn render(page: views::AccessPage) -> AnyView {
    let views::AccessPage { people, rights } = page;
    view! {
        <PageTitle text="Access" />
        <div class="page people-page">
            <h1>"Access"</h1>
            {people.map(people_section)}
            <Rights rights />
        </div>
    }
    .into_any()
}

/// The search for people, and those that it has found.
fn people_section(list: PeopleList) -> AnyView {
    let PeopleList { people, search, next } = list;
    let is_empty = people.is_empty();
    let next = next.map(|after| link("/settings/access", &[("q", search.as_str()), ("after", &after)]));
    view! {
        <p>
            "The accounts that have signed in to this tenant. Roles come from the identity provider at each sign-in, or from the catalog. "
            <a href="#rights">"Who may do what"</a>
        </p>
        <form method="get" action="/settings/access" role="search" class="people-filter">
            <div class="field">
                <label for="q">"Name or e-mail address"</label>
                <input id="q" type="search" name="q" maxlength="200" value=search.to_string() />
            </div>
            <button type="submit" class="button">
                "Search"
            </button>
        </form>
        <section class="card" aria-labelledby="people">
            <h2 id="people">"People"</h2>
            {is_empty.then(|| view! { <p class="quiet">"No account matches."</p> })}
            {(!is_empty).then(|| table(people))}
            {next.map(|href| view! { <p><a rel="next" href=href>"More people"</a></p> })}
        </section>
    }
    .into_any()
}

fn table(people: Vec<PersonRow>) -> AnyView {
    let rows = people.into_iter().map(row).collect_view();
    view! {
        <table class="people stack" role="table">
            {table_head(["Name", "E-mail address", "Roles", "Last sign-in", "Open sessions"])}
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(person: PersonRow) -> AnyView {
    let roles = roles(&person);
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">
                <a href=format!("/settings/access/{}", person.id)>
                    <bdi>{person.name}</bdi>
                </a>
            </th>
            <td role="cell" data-label="E-mail address"><bdi>{person.email}</bdi></td>
            <td role="cell" data-label="Roles">{roles}</td>
            <td role="cell" data-label="Last sign-in"><RelativeTime when=person.signed_in /></td>
            <td role="cell" data-label="Open sessions">{person.sessions}</td>
        </tr>
    }
    .into_any()
}
