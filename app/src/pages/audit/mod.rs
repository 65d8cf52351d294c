//! Searching the audit trail.

mod facets;
mod growth;
mod query_form;

use self::facets::Facets;
use self::growth::Growth;
use self::query_form::QueryForm;
use super::link::link;
use super::page_data::page_data;
use crate::components::state::StateBadge;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::views::{self, AuditForm, AuditRow};

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    form: AuditForm,
    after: String,
}

impl Asked {
    /// The address of a page with this query and the same days. An empty query is in it too: without one, the page has a query of its own.
    fn address(&self, q: &str, after: &str) -> String {
        let AuditForm { from, to, .. } = &self.form;
        let path = if q.is_empty() { "/audit?q=" } else { "/audit" };
        link(path, &[("q", q), ("from", from), ("to", to), ("after", after)])
    }
}

/// `/audit`.
#[component]
pub(crate) fn AuditPage() -> impl IntoView {
    let map = use_query_map().get_untracked();
    let get = |name: &str| map.get(name).unwrap_or_default();
    let asked = Asked {
        form: AuditForm {
            q: map.get("q").unwrap_or_else(|| AuditForm::NEWEST.to_owned()),
            from: get("from"),
            to: get("to"),
        },
        after: get("after"),
    };
    page_data(
        |services| async move {
            let (engine, ctx) = (&services.engine, &services.ctx);
            let page = engine.audit_page(ctx, &asked.form, &asked.after).await?;
            Ok((asked, page))
        },
        render,
    )
}

fn render((asked, page): (Asked, views::AuditPage)) -> AnyView {
    let older = page.next.as_ref().map(|after| asked.address(&asked.form.q, after));
    let newest = (!asked.after.is_empty()).then(|| asked.address(&asked.form.q, ""));
    let total = match page.total {
        1 => "1 entry in the log.".to_owned(),
        total => format!("{} entries in the log.", grouped(total)),
    };
    let failed = !page.errors.is_empty();
    let own_entries_left_out = asked.form.q.trim() == AuditForm::NEWEST;
    view! {
        <PageTitle text="Audit" />
        <div class="page audit">
            <h1>"Audit trail"</h1>
            <Growth />
            <QueryForm asked=asked.clone() errors=page.errors />
            {(!failed)
                .then(|| {
                    view! {
                        <div class="audit-body">
                            <Facets asked=asked.clone() rows=page.rows.clone() />
                            <div class="audit-results">
                                <p class="total">
                                    {total} " "
                                    {(!page.rows.is_empty())
                                        .then(|| {
                                            view! { <span class="quiet">"Newest first, " {page.rows.len()} " on this page."</span> }
                                        })}
                                    {own_entries_left_out
                                        .then(|| {
                                            view! {
                                                " Signed checkpoints and searches are left out. "
                                                <a href="/audit?q=">"Show all entries"</a>
                                            }
                                        })}
                                </p>
                                {if page.rows.is_empty() {
                                    view! {
                                        <div class="empty">
                                            <h2>"No matching entries."</h2>
                                            <p><a href="/audit">"Show the newest entries"</a></p>
                                        </div>
                                    }
                                        .into_any()
                                } else {
                                    view! { <Results rows=page.rows /> }.into_any()
                                }}
                                <nav class="pager" aria-label="Pages of the audit trail">
                                    {newest.map(|href| view! { <a class="button" href=href>"Newest"</a> })}
                                    {older.map(|href| view! { <a class="button" href=href rel="next">"Older"</a> })}
                                </nav>
                            </div>
                        </div>
                    }
                })}
        </div>
    }
    .into_any()
}

/// `88,213`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[component]
fn Results(rows: Vec<AuditRow>) -> impl IntoView {
    view! {
        <table class="results stack" role="table">
            <caption class="unseen">"Audit entries, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader" class="number">"Entry"</th>
                    <th scope="col" role="columnheader">"Time"</th>
                    <th scope="col" role="columnheader">"Who"</th>
                    <th scope="col" role="columnheader">"What"</th>
                    <th scope="col" role="columnheader">"Action"</th>
                    <th scope="col" role="columnheader">"Release"</th>
                    <th scope="col" role="columnheader">"State after"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.into_iter().map(|row| view! { <Result row /> }).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn Result(row: AuditRow) -> impl IntoView {
    let none = || view! { <span class="quiet">"–"</span> }.into_any();
    let action = row.action.map_or_else(none, |action| {
        let href = format!("/actions/{}", action.id);
        view! { <a href=href title=action.id><bdi>{action.name}</bdi></a> }.into_any()
    });
    let release = row
        .release
        .map_or_else(none, |release| view! { <code class="key">{release}</code> }.into_any());
    let state = row
        .state
        .map_or_else(none, |state| view! { <StateBadge state /> }.into_any());
    view! {
        <tr role="row">
            <td role="cell" data-label="Entry" class="number">
                <a class="seq" href=format!("/audit/{}", row.seq)>"#" {row.seq}</a>
            </td>
            <td role="cell" data-label="Time" class="time"><RelativeTime when=row.at /></td>
            <td role="cell" data-label="Who" class="actor"><bdi dir="ltr">{row.actor}</bdi></td>
            <td role="cell" data-label="What">{row.words} " " <code class="event">{row.event}</code></td>
            <td role="cell" data-label="Action">{action}</td>
            <td role="cell" data-label="Release">{release}</td>
            <td role="cell" data-label="State after">{state}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_query_stays_empty_on_the_next_page() {
        let asked = Asked::default();
        assert_eq!(asked.address("", "41"), "/audit?q=&after=41");
        assert_eq!(asked.address("", ""), "/audit?q=");
    }

    #[test]
    fn an_address_keeps_the_days() {
        let asked = Asked {
            form: AuditForm {
                q: "a".to_owned(),
                from: "2026-11-01".to_owned(),
                to: String::new(),
            },
            after: "7".to_owned(),
        };
        assert_eq!(asked.address("a OR b", ""), "/audit?q=a%20OR%20b&from=2026-11-01");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [1, 999, 1000, 88213, 1234567].map(grouped),
            ["1", "999", "1,000", "88,213", "1,234,567"]
        );
    }
}
