//! A labelled choice in a filter form.

use leptos::prelude::*;
use loopiq::views::Choice;

/// A `<select>` whose first choice is no filter at all.
#[component]
pub(crate) fn Select(
    /// Its name in the query string, and its ID.
    name: &'static str,
    /// What people read.
    label: &'static str,
    /// What "no filter" is called: `Any team`.
    any: &'static str,
    /// The choices.
    choices: Vec<Choice>,
    /// The one that is chosen.
    chosen: String,
) -> impl IntoView {
    // An old link may name what is no longer offered: it stays visible, or the form would silently drop the filter.
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
