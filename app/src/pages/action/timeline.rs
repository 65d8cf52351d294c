//! The timeline of the action, and the result of its execution.

use crate::components::record::RecordLink;
use crate::components::time::ExactTime;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{RecordLabel, ResultView, TimelineStep};

/// The steps, oldest first. A person who may search the audit trail gets links to the entries.
#[component]
pub(super) fn Timeline(steps: Vec<TimelineStep>, notes: Vec<PlainText>, audit: bool) -> impl IntoView {
    let steps = steps.into_iter().map(|step| {
        let entry = if audit {
            view! { <a href=format!("/audit/{}", step.seq)>"entry " {step.seq}</a> }.into_any()
        } else {
            view! { <span>"entry " {step.seq}</span> }.into_any()
        };
        view! {
            <li>
                <p><strong>{step.words}</strong> " " <span>"by " <bdi dir="ltr">{step.actor}</bdi></span></p>
                {step.note.map(|note| view! { <blockquote class="prose" dir="auto">{note}</blockquote> })}
                <p class="quiet"><ExactTime when=step.at /> " · " {entry}</p>
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="timeline">
            <h2 id="timeline">"Timeline"</h2>
            <ol class="timeline">{steps.collect_view()}</ol>
            {(!notes.is_empty())
                .then(|| {
                    view! {
                        <h3>"Notes"</h3>
                        <ul class="notes">
                            {notes
                                .into_iter()
                                .map(|note| view! { <li><blockquote class="prose" dir="auto">{note}</blockquote></li> })
                                .collect_view()}
                        </ul>
                    }
                })}
        </section>
    }
    .into_any()
}

/// The records that the execution created and changed.
#[component]
pub(super) fn ResultBox(result: ResultView) -> impl IntoView {
    let list = |title: &'static str, records: Vec<RecordLabel>| {
        (!records.is_empty()).then(|| {
            view! {
                <h3>{title}</h3>
                <ul class="records">
                    {records.into_iter().map(|record| view! { <li><RecordLink record /></li> }).collect_view()}
                </ul>
            }
        })
    };
    view! {
        <section class="card result" aria-labelledby="result">
            <h2 id="result">"Execution result"</h2>
            {list("Created", result.created)}
            {list("Changed", result.updated)}
        </section>
    }
    .into_any()
}
