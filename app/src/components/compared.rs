//! Two values of each of several fields, side by side.

use leptos::prelude::*;
use loopiq::domain::PlainText;

/// A table of three columns: what a field is called, and its two values. On a narrow screen each value says by itself which it is.
#[component]
pub(crate) fn Compared(
    /// The table's class beside `stack`.
    class: &'static str,
    /// What the two columns are called.
    heads: [PlainText; 2],
    /// The rows: `<tr>` each, of [`compared_row`].
    rows: Vec<AnyView>,
) -> impl IntoView {
    let [one, two] = heads;
    view! {
        <table class=format!("{class} stack") role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader">"Field"</th>
                    <th scope="col" role="columnheader">{one}</th>
                    <th scope="col" role="columnheader">{two}</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
}

/// A row of such a table.
pub(crate) fn compared_row(field: AnyView, heads: &[PlainText; 2], values: [AnyView; 2], differs: bool) -> AnyView {
    let ([one, two], [first, second]) = (heads.clone(), values);
    view! {
        <tr role="row" class:differs=differs>
            <th scope="row" role="rowheader">{field}</th>
            <td role="cell" data-label=one class="before">{first}</td>
            <td role="cell" data-label=two class="after">{second}</td>
        </tr>
    }
    .into_any()
}
