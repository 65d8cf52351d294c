//! The records that the payload refers to, and the fields it would change.

use crate::components::comparison_table::{ComparisonTable, comparison_row};
use crate::components::lines::Lines;
use crate::components::record::{RecordLink, anchor, short};
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{Label, Line, Reference, UpdateView};
use std::collections::HashSet;

/// How many lines a closed card shows.
const MAIN_LINES: usize = 3;

/// Cards of records. A closed card shows the main lines. The anchor is inside the card, so that a browser that follows a link to the anchor
/// opens the card.
#[component]
pub(super) fn References(
    id: &'static str,
    title: &'static str,
    references: Vec<Reference>,
    open: bool,
) -> impl IntoView {
    let count = references.len();
    view! {
        <section class="card" aria-labelledby=id>
            <h2 id=id>{title} " " <small class="quiet">{count}</small></h2>
            <ul class="references">
                {references.into_iter().map(|reference| view! { <Card reference open /> }).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Card(reference: Reference, open: bool) -> impl IntoView {
    let section = reference.section.filter(|_| open);
    let title = section.as_ref().map(|section| section.title.to_string());
    let record = reference.record;
    let main: Vec<String> = reference
        .lines
        .iter()
        .take(MAIN_LINES)
        .map(|line| format!("{}: {}", line.label, line.value))
        .collect();
    let mut lines = vec![Line::text("ID", record.id.clone())];
    lines.extend(reference.lines);
    view! {
        <li>
            <details
                class="reference"
                open=open
                data-section=section.map(|section| section.id)
                data-section-title=title
            >
                <summary>
                    <span class="record-kind">{record.kind.label()}</span>
                    " "
                    {record.key.clone().map(|key| view! { <code class="key">{key}</code> " " })}
                    <bdi>{record.name.clone()}</bdi>
                    " "
                    <code class="id" title=record.id.clone()>
                        {short(&record.id)}
                    </code>
                    <span class="main-lines quiet">
                        {main.into_iter().map(|line| view! { <span class="part"><bdi>{line}</bdi></span> " " }).collect_view()}
                    </span>
                </summary>
                <div class="reference-body" id=anchor(&record.id)>
                    <Lines lines />
                </div>
            </details>
        </li>
    }
    .into_any()
}

/// Fields that would change, before and after.
#[component]
pub(super) fn Changes<'a>(updates: Vec<UpdateView>, on_page: &'a HashSet<String>) -> impl IntoView + use<> {
    let updates = updates.into_iter().map(|update| {
        let here = on_page.contains(&update.record.id);
        let heads = ["Before", "After"].map(PlainText::from);
        let rows = update.fields.into_iter().map(|(field, before, after)| {
            comparison_row(
                view! { {field} }.into_any(),
                &heads,
                [shown(before, false), shown(after, true)],
                false,
            )
        });
        let rows = rows.collect::<Vec<_>>();
        view! {
            <h3><RecordLink record=update.record on_page=here /></h3>
            <ComparisonTable class="changes" heads rows />
        }
    });
    view! {
        <section class="card" aria-labelledby="changes">
            <h2 id="changes">"Changes"</h2>
            {updates.collect_view()}
        </section>
    }
    .into_any()
}

/// A value before or after the change.
fn shown(value: PlainText, after: bool) -> AnyView {
    match (value.is_empty(), after) {
        (true, _) => view! { <span class="quiet">"none"</span> }.into_any(),
        (false, false) => view! { <del dir="auto">{value}</del> }.into_any(),
        (false, true) => view! { <ins dir="auto">{value}</ins> }.into_any(),
    }
}
