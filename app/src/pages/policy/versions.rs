//! All versions of the policy.

use super::super::link::link;
use crate::components::table_head::table_head;
use crate::components::time::RelativeTime;
use leptos::prelude::*;
use loopiq::views::PolicyVersion;

/// The address of a version, compared with another one.
pub(super) fn address(version: i64, compare: Option<i64>) -> String {
    let compare = compare.map_or_else(String::new, |version| version.to_string());
    link(
        "/settings/policy",
        &[("version", &version.to_string()), ("compare", &compare)],
    )
}

/// The versions, newest first, with links to their text and to comparisons.
#[component]
pub(super) fn Versions(
    /// The versions.
    versions: Vec<PolicyVersion>,
    /// The active version.
    today: i64,
    /// The version that the page shows.
    shown: Option<i64>,
) -> impl IntoView {
    let numbers: Vec<i64> = versions.iter().map(|version| version.version).collect();
    let rows = versions.into_iter().map(|version| {
        let before = version.version - 1;
        let before = numbers.contains(&before).then_some(before);
        row(version, before, today, shown)
    });
    view! {
        <section class="card" aria-labelledby="versions">
            <h2 id="versions">"Versions"</h2>
            <table class="versions stack" role="table">
                {table_head(["Version", "Activated", "Reason", "Compare"])}
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(version: PolicyVersion, before: Option<i64>, today: i64, shown: Option<i64>) -> AnyView {
    let PolicyVersion {
        version: number,
        by,
        at,
        note,
    } = version;
    let none = || view! { <span class="quiet">"–"</span> }.into_any();
    let switched = match at {
        None => view! { <bdi>{by}</bdi> }.into_any(),
        Some(at) => view! { <bdi>{by}</bdi> ", " <RelativeTime when=at /> }.into_any(),
    };
    let why = if note.is_empty() {
        none()
    } else {
        view! { <bdi>{note}</bdi> }.into_any()
    };
    let comparison = |words: String, href: String| view! { <li><a href=href>{words}</a></li> }.into_any();
    let mut comparisons: Vec<AnyView> = Vec::new();
    if let Some(before) = before {
        let words = format!("Compare v{before} and v{number}");
        comparisons.push(comparison(words, address(number, Some(before))));
    }
    // What activating it again would change.
    if number != today {
        let words = format!("Compare v{today} and v{number}");
        comparisons.push(comparison(words, address(number, Some(today))));
    }
    let comparisons = if comparisons.is_empty() {
        none()
    } else {
        view! { <ul class="inline-list">{comparisons}</ul> }.into_any()
    };
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">
                <a href=address(number, None) aria-current=(shown == Some(number)).then_some("true")>"Version " {number}</a>
                {(number == today).then(|| view! { " " <span class="tag">"active"</span> })}
            </th>
            <td role="cell" data-label="Activated">{switched}</td>
            <td role="cell" data-label="Reason">{why}</td>
            <td role="cell" data-label="Compare">{comparisons}</td>
        </tr>
    }
    .into_any()
}
