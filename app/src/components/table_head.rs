//! The head of a table.

use leptos::prelude::*;
use loopiq::domain::PlainText;

/// The head of a table, with the names of its columns. The roles are stated because a narrow screen shows tables as blocks (class `stack`), which
/// would take their meaning as tables from them.
pub(crate) fn table_head<const N: usize>(columns: [impl Into<PlainText>; N]) -> AnyView {
    let columns = columns.map(|column| view! { <th scope="col" role="columnheader">{column.into()}</th> });
    view! {
        <thead role="rowgroup">
            <tr role="row">{columns.into_iter().collect_view()}</tr>
        </thead>
    }
    .into_any()
}
