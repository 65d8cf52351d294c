//! A table that compares two values of each field.

use super::table_head::table_head;
use leptos::prelude::*;
use loopiq::domain::PlainText;

/// A table with three columns: the field and its two values. On a narrow screen each value carries the name of its column.
#[component]
pub(crate) fn ComparisonTable(
    /// The table's class in addition to `stack`.
    class: &'static str,
    /// The names of the two columns.
    heads: [PlainText; 2],
    /// The rows, made by [`comparison_row`].
    rows: Vec<AnyView>,
) -> impl IntoView {
    let [one, two] = heads;
    view! {
        <table class=format!("{class} stack") role="table">
            {table_head([PlainText::from("Field"), one, two])}
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
}

/// A row of a comparison table.
pub(crate) fn comparison_row(field: AnyView, heads: &[PlainText; 2], values: [AnyView; 2], differs: bool) -> AnyView {
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
