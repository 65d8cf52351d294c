//! A definition list of labels and values.

use super::record::RecordLink;
use leptos::prelude::*;
use loopiq::views::Line;

/// A definition list.
#[component]
pub(crate) fn Lines(
    /// The lines.
    lines: Vec<Line>,
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let lines = lines.into_iter().map(|line| {
        let value = match line.record {
            Some(record) => view! { <RecordLink record bare=true /> }.into_any(),
            None => view! { <bdi>{line.value}</bdi> }.into_any(),
        };
        view! {
            <div>
                <dt>{line.label}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    view! { <dl class=format!("lines {class}")>{lines.collect_view()}</dl> }
}
