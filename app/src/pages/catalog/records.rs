//! Teams, components and roles of people.

use crate::components::table_head::table_head;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{CatalogComponent, CatalogPerson, CatalogTeam, Listed};

/// A heading with the number of records, and what is left out.
pub(super) fn heading<T>(name: &str, listed: &Listed<T>) -> String {
    match listed.total > listed.shown.len() {
        false => format!("{name} ({})", listed.total),
        true => format!("{name} (the first {} of {})", listed.shown.len(), listed.total),
    }
}

/// The mark of a retired record.
pub(super) fn retired(is_retired: bool) -> Option<impl IntoView> {
    is_retired.then(|| view! { " " <span class="quiet">"retired"</span> })
}

fn list(items: &[PlainText]) -> String {
    let items: Vec<&str> = items.iter().map(PlainText::as_str).collect();
    match items.is_empty() {
        true => "–".to_owned(),
        false => items.join(", "),
    }
}

/// The teams.
#[component]
pub(super) fn Teams(teams: Listed<CatalogTeam>) -> impl IntoView {
    if teams.shown.is_empty() {
        return ().into_any();
    }
    let heading = heading("Teams", &teams);
    let rows = teams.shown.into_iter().map(|team| {
        let (members, groups) = (list(&team.members), list(&team.groups));
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{team.name}</bdi> {retired(team.is_retired)}</th>
                <td role="cell" data-label="Key"><bdi>{team.key}</bdi></td>
                <td role="cell" data-label="Members by address"><bdi>{members}</bdi></td>
                <td role="cell" data-label="Groups"><bdi>{groups}</bdi></td>
                <td role="cell" data-label="Signed-in members">{team.people}</td>
            </tr>
        }
    });
    view! {
        <section class="card" aria-labelledby="teams">
            <h2 id="teams">{heading}</h2>
            <table class="history stack" role="table">
                {table_head(["Team", "Key", "Members by address", "Groups", "Signed-in members"])}
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// The components.
#[component]
pub(super) fn Components(components: Listed<CatalogComponent>) -> impl IntoView {
    if components.shown.is_empty() {
        return ().into_any();
    }
    let heading = heading("Components", &components);
    let rows = components.shown.into_iter().map(|component| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{component.name}</bdi> {retired(component.is_retired)}</th>
                <td role="cell" data-label="Kind">{component.kind}</td>
                <td role="cell" data-label="Key"><bdi>{component.key}</bdi></td>
                <td role="cell" data-label="Team"><bdi>{component.team}</bdi></td>
            </tr>
        }
    });
    view! {
        <section class="card" aria-labelledby="components">
            <h2 id="components">{heading}</h2>
            <table class="history stack" role="table">
                {table_head(["Component", "Kind", "Key", "Team"])}
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// The roles that the catalog gives to people.
#[component]
pub(super) fn People(people: Listed<CatalogPerson>) -> impl IntoView {
    if people.shown.is_empty() {
        return ().into_any();
    }
    let heading = heading("Roles of people", &people);
    let rows = people.shown.into_iter().map(|person| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{person.address}</bdi></th>
                <td role="cell" data-label="Roles">{person.roles}</td>
            </tr>
        }
    });
    view! {
        <section class="card" aria-labelledby="people">
            <h2 id="people">{heading}</h2>
            <p class="quiet">"They count for people whose identity provider asserts no roles."</p>
            <table class="history stack" role="table">
                {table_head(["Address", "Roles"])}
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}
