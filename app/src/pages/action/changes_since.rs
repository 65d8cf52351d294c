//! What has changed since the reader opened the action, or since it was approved.

use crate::components::comparison_table::{ComparisonTable, comparison_row};
use crate::components::record::RecordLink;
use crate::components::state::verdict_class;
use crate::components::time::RelativeTime;
use leptos::prelude::*;
use loopiq::domain::Check;
use loopiq::domain::PlainText;
use loopiq::views::{ChangesSinceView, Label};
use std::collections::HashSet;

/// The changes, at the top of the document. Rendered only if there are any.
#[component]
pub(super) fn ChangesSince<'a>(since: ChangesSinceView, on_page: &'a HashSet<String>) -> impl IntoView + use<> {
    let heads = ["Then", "Now"].map(PlainText::from);
    let fields = since.fields.into_iter().map(|(record, field, then, now)| {
        let here = on_page.contains(&record.id);
        let name = view! { <RecordLink record on_page=here /> " " <code>{field}</code> }.into_any();
        let then = view! { <del dir="auto">{then}</del> }.into_any();
        let now = view! { <ins dir="auto">{now}</ins> }.into_any();
        comparison_row(name, &heads, [then, now], false)
    });
    let fields = fields.collect::<Vec<_>>();
    let verdicts = !since.new.is_empty() || !since.gone.is_empty();
    view! {
        <section class="card since" aria-labelledby="since">
            <h2 id="since">"Changed since " {since.what} ", " <RelativeTime when=since.at /></h2>
            {verdicts
                .then(|| {
                    view! {
                        <ul class="checks">
                            {since.new.into_iter().map(|check| line(check, false)).collect_view()}
                            {since.gone.into_iter().map(|check| line(check, true)).collect_view()}
                        </ul>
                    }
                })}
            {(!fields.is_empty())
                .then(|| view! { <ComparisonTable class="changes" heads rows=fields /> })}
        </section>
    }
    .into_any()
}

fn line(check: Check, gone: bool) -> impl IntoView {
    let (class, word) = if gone {
        ("verdict", "Resolved")
    } else {
        (verdict_class(check.verdict), "New")
    };
    let message = if gone {
        view! { <del dir="auto">{check.message}</del> }.into_any()
    } else {
        view! { <bdi>{check.message}</bdi> }.into_any()
    };
    view! {
        <li>
            <span class=class>{word}</span>
            <p>
                <span class="quiet">{check.id.label()} ": "</span>
                {message}
            </p>
        </li>
    }
    .into_any()
}
