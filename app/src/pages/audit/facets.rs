//! Links that add a term to the query: states, and the events and releases on this page.

use super::Asked;
use leptos::prelude::*;
use loopiq::domain::{PlainText, State, query};
use loopiq::views::{AuditRow, Label};
use std::collections::BTreeMap;

#[component]
pub(super) fn Facets(asked: Asked, rows: Vec<AuditRow>) -> impl IntoView {
    let states: Vec<Facet> = State::ALL
        .into_iter()
        .map(|state| Facet {
            term: term("state", state.as_str()),
            label: state.label().into(),
            count: None,
        })
        .collect();
    let events = counted("event", rows.iter().map(|row| row.event.clone().into()));
    let releases = counted("release", rows.iter().filter_map(|row| row.release.clone()));
    view! {
        <aside class="facets" aria-label="Narrow the search">
            <details class="fold">
                <summary>"Narrow the search"</summary>
                <div class="facet-groups">
            {group("State after", states, &asked)}
            {group("Events on this page", events, &asked)}
            {group("Releases on this page", releases, &asked)}
                </div>
            </details>
        </aside>
    }
}

/// One term that can be added.
struct Facet {
    term: String,
    label: PlainText,
    count: Option<u32>,
}

/// `field:value`, with quotation marks where a sign of the value has a meaning in queries.
fn term(field: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    if value.chars().all(is_plain) {
        format!("{field}:{value}")
    } else {
        format!("{field}:{}", query::quoted(value))
    }
}

fn counted(field: &str, values: impl Iterator<Item = PlainText>) -> Vec<Facet> {
    let mut counts: BTreeMap<PlainText, u32> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(value, count)| Facet {
            term: term(field, value.as_str()),
            label: value,
            count: Some(count),
        })
        .collect()
}

fn group(title: &'static str, facets: Vec<Facet>, asked: &Asked) -> Option<AnyView> {
    if facets.is_empty() {
        return None;
    }
    let facets: Vec<AnyView> = facets.into_iter().map(|facet| item(facet, asked)).collect();
    Some(view! { <section><h2>{title}</h2><ul>{facets}</ul></section> }.into_any())
}

fn item(facet: Facet, asked: &Asked) -> AnyView {
    let q = &asked.form.q;
    let chosen = query::conditions(q).contains(&facet.term);
    // A link for a term that the query already has removes the term.
    let q = if chosen {
        query::without(q, &facet.term)
    } else {
        query::with(q, &facet.term)
    };
    view! {
        <li>
            <a href=asked.address(&q, "") aria-current=chosen.then_some("true")>
                {facet.label}
                {facet.count.map(|count| view! { " " <span class="count">{count}</span> })}
                {chosen.then(|| view! { <span class="quiet">" (remove)"</span> })}
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::term;

    #[test]
    fn a_value_with_signs_is_quoted() {
        assert_eq!(term("release", "SHOP-2026.12"), "release:SHOP-2026.12");
        assert_eq!(term("release", "a \"b\" (c)"), "release:\"a \\\"b\\\" (c)\"");
    }
}
