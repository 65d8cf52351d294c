//! The payload as fields and as canonical JSON, and the identifiers of the action.

use crate::components::code::{CodeBlock, CopyText};
use crate::components::record::anchor;
use crate::components::state::verdict_class;
use crate::components::table_head::table_head;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::{Check, RecordKind, Verdict};
use loopiq::views::Label;
use std::collections::{HashMap, HashSet};

/// The payload. Each field has an anchor, `payload` and its pointer, which the checks link to.
#[component]
pub(super) fn PayloadView<'a>(
    fields: Vec<(String, PlainText)>,
    json: PlainText,
    on_page: &'a HashSet<String>,
    pointed: &'a Pointed,
) -> impl IntoView + use<> {
    let count = fields.len();
    let rows = fields.into_iter().map(|(pointer, value)| {
        let id = format!("payload{pointer}");
        let said = pointed.of(&pointer);
        view! {
            <tr role="row" id=id>
                <th scope="row" role="rowheader"><code>{pointer}</code></th>
                <td role="cell" data-label="Value">{shown(value, on_page)} {said}</td>
            </tr>
        }
    });
    view! {
        <section class="card" aria-labelledby="payload">
            <h2 id="payload">"Payload"</h2>
            <details open>
                <summary>{count} " fields"</summary>
                <table class="fields stack" role="table">
                    {table_head(["Field", "Value"])}
                    <tbody role="rowgroup">{rows.collect_view()}</tbody>
                </table>
            </details>
            <details>
                <summary>"Canonical JSON"</summary>
                <CodeBlock text=json what="the payload as canonical JSON" />
            </details>
        </section>
    }
    .into_any()
}

/// The verdicts by the payload field that they point at.
pub(super) struct Pointed(HashMap<String, Vec<(Verdict, &'static str)>>);

impl Pointed {
    /// Collects the verdicts that block or warn.
    pub(super) fn at(checks: &[Check]) -> Self {
        let mut pointed: HashMap<String, Vec<(Verdict, &'static str)>> = HashMap::new();
        for check in checks.iter().filter(|check| check.verdict != Verdict::Pass) {
            for pointer in &check.pointers {
                let said = pointed.entry(pointer.clone()).or_default();
                if !said.contains(&(check.verdict, check.id.label())) {
                    said.push((check.verdict, check.id.label()));
                }
            }
        }
        Self(pointed)
    }

    fn of(&self, pointer: &str) -> Option<AnyView> {
        let said = self.0.get(pointer)?.iter().map(|(verdict, check)| {
            let class = format!("{} pointed", verdict_class(*verdict));
            view! { <a class=class href="#checks">{*check}</a> }
        });
        Some(said.collect_view().into_any())
    }
}

/// A field's value. An ID is a link if this page has the record's details.
fn shown(value: PlainText, on_page: &HashSet<String>) -> AnyView {
    if on_page.contains(value.as_str()) {
        let href = format!("#{}", anchor(value.as_str()));
        view! { <a href=href><code>{value}</code></a> }.into_any()
    } else if RecordKind::of(value.as_str()).is_some() {
        view! { <code>{value}</code> }.into_any()
    } else {
        view! { <bdi>{value}</bdi> }.into_any()
    }
}

/// Identifiers and digests of the action, and the tool calls of its trace in order.
#[component]
pub(super) fn Identifiers(identifiers: Vec<(PlainText, PlainText)>, chain: Vec<String>) -> impl IntoView {
    let lines = identifiers.into_iter().map(|(label, value)| {
        let what = label.as_str().to_lowercase();
        let value = if value.is_empty() {
            view! { <span class="quiet">"none"</span> }.into_any()
        } else {
            view! { <CopyText text=value what /> }.into_any()
        };
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="identifiers">
            <h2 id="identifiers">"Identifiers"</h2>
            <dl class="lines">{lines.collect_view()}</dl>
            {(!chain.is_empty())
                .then(|| {
                    view! {
                        <h3>"Tool call chain"</h3>
                        <ol class="chain">
                            {chain.into_iter().map(|call| view! { <li><code>{call}</code></li> }).collect_view()}
                        </ol>
                    }
                })}
        </section>
    }
    .into_any()
}
