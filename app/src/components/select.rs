//! A labelled choice in a filter form.

use leptos::prelude::*;
use loopiq::views::Choice;

/// A `<select>` whose first choice does not filter.
#[component]
pub(crate) fn Select(
    /// Its name in the query string, and its ID.
    name: &'static str,
    /// The label.
    label: &'static str,
    /// The choice that does not filter: `Any team`.
    any: &'static str,
    /// The choices.
    choices: Vec<Choice>,
    /// The selected value.
    chosen: String,
) -> impl IntoView {
    // An old link may name a value that is no longer offered. It stays in the list, or the form would silently drop the filter.
    let unknown = !chosen.is_empty() && !choices.iter().any(|choice| choice.value == chosen);
    let choices = choices.into_iter().map(|choice| {
        let selected = choice.value == chosen;
        view! {
            <option value=choice.value selected=selected>
                {choice.label}
            </option>
        }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select id=name name=name>
                <option value="">{any}</option>
                {choices.collect_view()}
                {unknown
                    .then(|| {
                        view! {
                            <option value=chosen.clone() selected=true>
                                {chosen.clone()}
                            </option>
                        }
                    })}
            </select>
        </div>
    }
}
