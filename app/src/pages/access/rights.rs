//! The table of commands: which role and which token may run each.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::RightRow;

/// The section with the table. A narrow screen shows only who may run a command; a wide one has a cell for everyone.
#[component]
pub(super) fn Rights(
    /// The rows.
    rights: Vec<RightRow>,
) -> impl IntoView {
    let columns = RightRow::columns().into_iter();
    let columns = columns.map(|column| view! { <th scope="col" role="columnheader">{column}</th> });
    let rows = rights.into_iter().map(row).collect_view();
    view! {
        <section class="card" aria-labelledby="rights">
            <h2 id="rights">"Who may do what"</h2>
            <p>
                "What each role permits in a browser, and what a program may do with a token: a client acts for a person and needs the scope as well as one of the roles; a program of the tenant acts for no person. The policy can only narrow this. The console is a command on the machine, or the service itself."
            </p>
            <table class="rights stack" role="table">
                <thead role="rowgroup">
                    <tr role="row">{columns.collect_view()}</tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </section>
    }
}

fn row(right: RightRow) -> AnyView {
    let cells = right.cells().into_iter().map(|(column, cell)| {
        let class = cell.is_none().then_some("without");
        let text = cell.unwrap_or_else(|| PlainText::from("No")).to_string();
        // A narrow column breaks a scope after its prefix and nowhere else.
        let parts = text
            .split_inclusive(':')
            .map(|part| view! { {PlainText::from(part)} <wbr /> });
        view! { <td role="cell" data-label=column class=class>{parts.collect_view()}</td> }
    });
    view! {
        <tr role="row">
            <th scope="row" role="rowheader">{right.command}</th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}
