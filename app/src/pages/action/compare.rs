//! Comparisons that belong to verdicts: a planned work item and an existing one, cited evidence and newer evidence.

use crate::components::checks::comparison_anchor;
use crate::components::comparison_table::{ComparisonTable, comparison_row};
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::Comparison;

/// One table per comparison. The checks link to them.
#[component]
pub(super) fn Comparisons(comparisons: Vec<Comparison>) -> impl IntoView {
    let mut shown: Vec<String> = Vec::new();
    let tables = comparisons.into_iter().map(|comparison| {
        // A verdict can have several comparisons; its link leads to the first.
        let first = !shown.contains(&comparison.mark);
        shown.push(comparison.mark.clone());
        let id = first.then(|| comparison_anchor(&comparison.mark));
        let heads = [comparison.left, comparison.right];
        let rows = comparison.rows.into_iter().map(|(label, left, right)| {
            let differs = left != right;
            comparison_row(
                view! { {label} }.into_any(),
                &heads,
                [value(left), value(right)],
                differs,
            )
        });
        let rows = rows.collect::<Vec<_>>();
        view! {
            <div class="comparison" id=id>
                <h3>{comparison.title}</h3>
                <ComparisonTable class="compare" heads rows />
            </div>
        }
    });
    let tables = tables.collect::<Vec<_>>();
    view! {
        <section class="card" aria-labelledby="compare">
            <h2 id="compare">"Comparisons"</h2>
            {tables}
        </section>
    }
    .into_any()
}

fn value(text: PlainText) -> AnyView {
    if text.is_empty() {
        view! { <span class="quiet">"none"</span> }.into_any()
    } else {
        view! { <bdi>{text}</bdi> }.into_any()
    }
}
