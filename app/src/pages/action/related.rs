//! Related actions, and the differences to an earlier proposal.

use crate::components::comparison_table::{ComparisonTable, comparison_row};
use crate::components::record::RecordLink;
use crate::components::state::StateBadge;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{Related, Revision};

/// Related actions, one line each.
#[component]
pub(super) fn RelatedActions(related: Vec<Related>) -> impl IntoView {
    let items = related.into_iter().map(|one| {
        view! {
            <li>
                <span class="quiet">{one.how} ": "</span>
                <RecordLink record=one.action />
                " "
                <StateBadge state=one.state />
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="related">
            <h2 id="related">"Related actions on the same records"</h2>
            <ul class="related">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// The differences to earlier proposals.
#[component]
pub(super) fn Revisions(revisions: Vec<Revision>) -> impl IntoView {
    let tables = revisions.into_iter().enumerate().map(|(n, one)| {
        let heads = ["Before", "Now"].map(PlainText::from);
        let rows = one.rows.into_iter().map(|(place, before, after)| {
            let value = |text: PlainText, gone: bool| match (text.is_empty(), gone) {
                (true, _) => view! { <span class="quiet">"none"</span> }.into_any(),
                (false, true) => view! { <del dir="auto">{text}</del> }.into_any(),
                (false, false) => view! { <ins dir="auto">{text}</ins> }.into_any(),
            };
            let place = view! { <code>{place}</code> }.into_any();
            comparison_row(place, &heads, [value(before, true), value(after, false)], false)
        });
        let rows = rows.collect::<Vec<_>>();
        let none = rows.is_empty();
        let id = format!("revision-{n}");
        let labelled = id.clone();
        view! {
            <section class="card" aria-labelledby=labelled>
                <h2 id=id>{one.title}</h2>
                <p><RecordLink record=one.action /></p>
                {one.said.map(|said| view! { <blockquote class="prose" dir="auto">{said}</blockquote> })}
                {if none {
                    view! { <p class="quiet">"The payload is the same."</p> }.into_any()
                } else {
                    view! { <ComparisonTable class="changes" heads rows /> }.into_any()
                }}
            </section>
        }
    });
    tables.collect_view()
}
