//! The checks of an action. Blocking checks and warnings are open; checks that passed are folded into one line.

use super::record::FactLink;
use super::state::verdict_class;
use leptos::prelude::*;
use loopiq::domain::{Check, FactRef, Verdict, VerdictCounts};
use loopiq::views::Label;
use std::collections::HashSet;

/// The checks, worst first.
#[component]
pub(crate) fn Checks(
    /// All of them.
    checks: Vec<Check>,
    /// IDs of the records whose details are on this page.
    on_page: HashSet<String>,
    /// Pointers of the payload's fields that are on this page.
    fields: HashSet<String>,
    /// Marks of the verdicts that have a comparison on this page.
    compared: HashSet<String>,
) -> impl IntoView {
    let counts = VerdictCounts::of(&checks);
    let (passed, mut open): (Vec<Check>, Vec<Check>) =
        checks.into_iter().partition(|check| check.verdict == Verdict::Pass);
    open.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let none = open.is_empty() && passed.is_empty();
    let passes = match passed.len() {
        0 => String::new(),
        1 => "1 check passed".to_owned(),
        count => format!("{count} checks passed"),
    };
    view! {
        <section class="card" aria-labelledby="checks">
            <h2 id="checks">
                "Checks " <small class="quiet">{summary(counts)}</small>
            </h2>
            {none.then(|| view! { <p>"No checks ran."</p> })}
            <ul class="checks">
                {open.into_iter().map(|check| view! { <CheckItem check on_page=&on_page fields=&fields compared=&compared /> }).collect_view()}
            </ul>
            {(!passed.is_empty())
                .then(|| {
                    view! {
                        <details class="passes">
                            <summary>{passes}</summary>
                            <ul class="checks">
                                {passed
                                    .into_iter()
                                    .map(|check| view! { <CheckItem check on_page=&on_page fields=&fields compared=&compared /> })
                                    .collect_view()}
                            </ul>
                        </details>
                    }
                })}
        </section>
    }
    .into_any()
}

/// The anchor of the comparison that belongs to a verdict.
pub(crate) fn comparison_anchor(mark: &str) -> String {
    format!("compare-{}", mark.replace(':', "-"))
}

fn summary(counts: VerdictCounts) -> String {
    let warnings = if counts.warn == 1 { "warning" } else { "warnings" };
    let parts: Vec<String> = [
        (counts.block, "blocking"),
        (counts.warn, warnings),
        (counts.pass, "passed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    parts.join(" · ")
}

/// One finding of one check.
#[component]
fn CheckItem<'a>(
    check: Check,
    on_page: &'a HashSet<String>,
    fields: &'a HashSet<String>,
    compared: &'a HashSet<String>,
) -> impl IntoView + use<> {
    let class = verdict_class(check.verdict);
    let mark = check.mark();
    let comparison = compared
        .contains(&mark)
        .then(|| format!("#{}", comparison_anchor(&mark)));
    let fact = |fact: FactRef| {
        let here = on_page.contains(&fact.id);
        view! { <FactLink fact on_page=here /> " " }
    };
    let pointer = |pointer: String| {
        if fields.contains(&pointer) {
            let href = format!("#payload{pointer}");
            view! { <a class="chip" href=href><code>{pointer}</code></a> " " }.into_any()
        } else {
            view! { <span class="chip"><code>{pointer}</code></span> " " }.into_any()
        }
    };
    let basis = !check.facts.is_empty() || !check.pointers.is_empty() || comparison.is_some();
    view! {
        <li>
            <span class=class>{check.verdict.label()}</span>
            <div>
                <p>
                    <span class="quiet">{check.id.label()} ": "</span>
                    <bdi>{check.message}</bdi>
                </p>
                {basis
                    .then(|| {
                        view! {
                            <p class="chips">
                                {comparison.map(|href| view! { <a class="chip" href=href>"Compare"</a> " " })}
                                {check.facts.into_iter().map(fact).collect_view()}
                                {check.pointers.into_iter().map(pointer).collect_view()}
                            </p>
                        }
                    })}
            </div>
        </li>
    }
    .into_any()
}
