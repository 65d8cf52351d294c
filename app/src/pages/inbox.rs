//! The inbox: actions, oldest first, and which of them the person can decide.

use super::link::link;
use super::page_data::page_data;
use crate::components::select::Select;
use crate::components::state::{Counts, StateBadge, risk_class};
use crate::components::title::PageTitle;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use loopiq::domain::PlainText;
use loopiq::views::{self, InboxQuery, InboxRow, Label, Tab};

/// `/`.
#[component]
pub(crate) fn InboxPage() -> impl IntoView {
    let map = use_query_map().get_untracked();
    let get = |name: &str| map.get(name).unwrap_or_default();
    let query = InboxQuery {
        tab: Tab::parse(&get("tab")),
        tool: get("tool"),
        team: get("team"),
        release: get("release"),
        verdict: get("verdict"),
        text: get("text"),
        after: get("after"),
    };
    page_data(
        |services| async move {
            let page = services.engine.inbox(&services.ctx, &query).await?;
            Ok((query, page))
        },
        render,
    )
}

// The rows stay typed up to the document: `into_any` would copy each attribute of each row.
fn render((query, page): (InboxQuery, views::InboxPage)) -> impl IntoView {
    let filtered = [&query.tool, &query.team, &query.release, &query.verdict, &query.text]
        .iter()
        .any(|filter| !filter.is_empty());
    let next = page.next.as_ref().map(|after| address(&query, after));
    let label = Tab::ALL
        .iter()
        .find(|(tab, ..)| *tab == query.tab)
        .map_or("", |(.., label)| label);
    let paged = !query.after.is_empty();
    view! {
        <PageTitle text=format!("Inbox: {label}") />
        <div class="page inbox">
            <h1 class="unseen">"Inbox: " {label}</h1>
            {paused(page.paused)}
            <Tabs chosen=query.tab counts=page.counts />
            <Filters query=query.clone() tools=page.tools teams=page.teams releases=page.releases filtered />
            {if page.rows.is_empty() {
                Either::Left(view! { <Empty query=query.clone() filtered decided=page.decided_today /> })
            } else {
                Either::Right(view! {
                    {page.not_mine.map(|why| view! { <p class="quiet">{why}</p> })}
                    {rows(page.rows)}
                })
            }}
            <nav class="pager" aria-label="Pages of the inbox">
                {paged.then(|| view! { <a class="button" href=address(&query, "")>"First page"</a> })}
                {next.map(|href| view! { <a class="button" href=href rel="next">"Next page"</a> })}
            </nav>
        </div>
    }
}

/// What is paused, above everything else, because it says why nothing can be approved.
fn paused(pauses: Vec<PlainText>) -> Option<AnyView> {
    if pauses.is_empty() {
        return None;
    }
    let items = pauses
        .into_iter()
        .map(|pause| view! { <p><bdi>{pause}</bdi></p> })
        .collect_view();
    Some(
        view! {
            <div class="flash flash-refused" role="status">
                {items}
                <p>"What a pause covers can be rejected, but not approved or run. " <a href="/settings/pauses">"Pauses"</a></p>
            </div>
        }
        .into_any(),
    )
}

/// The address of the inbox page that begins after `after`, with the same filters.
fn address(query: &InboxQuery, after: &str) -> String {
    link(
        "/",
        &[
            ("tab", query.tab.as_str()),
            ("tool", &query.tool),
            ("team", &query.team),
            ("release", &query.release),
            ("verdict", &query.verdict),
            ("text", &query.text),
            ("after", after),
        ],
    )
}

/// The tabs. Their counts ignore the filters, so their links drop them.
#[component]
fn Tabs(chosen: Tab, counts: Vec<(Tab, i64)>) -> impl IntoView {
    let tabs = Tab::ALL.into_iter().map(|(tab, name, label)| {
        let count = counts
            .iter()
            .find(|(counted, _)| *counted == tab)
            .map(|(_, count)| *count);
        view! {
            <li>
                <a href=link("/", &[("tab", name)]) aria-current=(tab == chosen).then_some("page")>
                    {label}
                    " "
                    {count.map(|count| view! { <span class="count">{count}</span> })}
                </a>
            </li>
        }
    });
    view! {
        <nav class="tabs" aria-label="Actions by state">
            <ul>{tabs.collect_view()}</ul>
        </nav>
    }
    .into_any()
}

#[component]
fn Filters(
    query: InboxQuery,
    tools: Vec<views::Choice>,
    teams: Vec<views::Choice>,
    releases: Vec<views::Choice>,
    filtered: bool,
) -> impl IntoView {
    let tab = query.tab.as_str();
    view! {
        <details class="fold" open=filtered>
            <summary>"Filter"</summary>
        <form class="filters" method="get" action="/" role="search" aria-label="Filter actions">
            <input type="hidden" name="tab" value=tab />
            <div class="field grow">
                <label for="text">"Search"</label>
                <input id="text" name="text" type="search" value=query.text placeholder="title, reason, people" />
            </div>
            <Select name="tool" label="Tool" any="Any tool" choices=tools chosen=query.tool />
            <Select name="team" label="Team" any="Any team" choices=teams chosen=query.team />
            <Select name="release" label="Release" any="Any release" choices=releases chosen=query.release />
            <Select name="verdict" label="Checks" any="Any result" choices=verdicts() chosen=query.verdict />
            <div class="buttons">
                <button type="submit" class="button">
                    "Filter"
                </button>
                {filtered
                    .then(|| {
                        view! {
                            <a class="button plain" href=link("/", &[("tab", tab)])>
                                "Clear"
                            </a>
                        }
                    })}
            </div>
        </form>
        </details>
    }
    .into_any()
}

/// Choices for the worst verdict.
fn verdicts() -> Vec<views::Choice> {
    [
        ("block", "Blocked"),
        ("warn", "Warnings only"),
        ("pass", "All checks passed"),
    ]
    .map(|(value, label)| views::Choice {
        value: value.to_owned(),
        label: label.to_owned().into(),
    })
    .into()
}

fn rows(rows: Vec<InboxRow>) -> impl IntoView {
    view! {
        <div class="rows-head" aria-hidden="true">
            <span>"State"</span>
            <span>"Action"</span>
            <span>"Risk"</span>
            <span>"Checks"</span>
            <span class="number">"Waiting"</span>
        </div>
        <ol class="rows">{rows.into_iter().map(row).collect_view()}</ol>
        <p class="quiet end">"Oldest first."</p>
    }
}

/// One action. The headline's link covers the whole row.
///
/// A page has fifty rows, so a row has few elements, which the style sheet places. Headline and summary begin with an English verb, so they
/// need no `dir="auto"`.
fn row(row: InboxRow) -> impl IntoView {
    let href = format!("/actions/{}", row.id);
    let team = row.team.map(|team| format!("{team} team").into());
    let place = row.release.into_iter().chain(team);
    let place = place.map(|place: PlainText| view! { <bdi>{place}</bdi> " · " });
    let repeats = match row.repeats {
        ..1 => None,
        1 => Some("1 repeat".to_owned()),
        count => Some(format!("{count} repeats")),
    };
    let touched = row.touched.then(|| "records changed since".to_owned());
    let approvals = row.approvals.map(|(has, takes)| format!("{has} of {takes} approvals"));
    let marks = [repeats, touched, approvals].into_iter().flatten();
    let marks = marks.map(|mark| Either::Left(view! { " · " <span class="mark">{mark}</span> }));
    let not_mine = row.not_mine.map(|why| Either::Right(view! { " · " <i>{why}</i> }));
    view! {
        <li>
            <StateBadge state=row.state />
            <a href=href>{row.headline}</a>
            <p>{row.summary}</p>
            <p>
                {place.collect_view()} "proposed by " <bdi dir="ltr">{row.asked_by}</bdi> {marks.chain(not_mine).collect_view()}
            </p>
            <span class=risk_class(row.risk)>{row.risk.label()}</span>
            <Counts counts=row.verdicts />
            <div>
                {row.expires.is_some().then(|| view! { <span>"Waiting "</span> })}
                <time datetime=row.proposed>{row.age}</time>
                {row.expires.map(|expires| view! { <small>{format!("expires {expires}")}</small> })}
            </div>
        </li>
    }
}

#[component]
fn Empty(query: InboxQuery, filtered: bool, decided: i64) -> impl IntoView {
    let kind = match query.tab {
        Tab::Pending => "Nothing to decide.",
        Tab::Mine => "Nothing for you to decide.",
        Tab::Approved => "Nothing is ready to run.",
        Tab::Executed => "Nothing has been executed yet.",
        Tab::Rejected => "Nothing has been rejected.",
        Tab::Failed => "Nothing has failed.",
        Tab::All => "No actions yet. Proposals that agents send over MCP appear here.",
    };
    let today = match decided {
        0 => "No decisions in the last 24 hours.".to_owned(),
        1 => "1 decision in the last 24 hours.".to_owned(),
        count => format!("{count} decisions in the last 24 hours."),
    };
    view! {
        <div class="empty">
            {if filtered {
                view! {
                    <h2>"No matching actions."</h2>
                    <p>
                        <a href=link("/", &[("tab", query.tab.as_str())])>"Clear filters"</a>
                    </p>
                }
                    .into_any()
            } else {
                view! {
                    <h2>{kind}</h2>
                    <p>{today}</p>
                }
                    .into_any()
            }}
        </div>
    }
    .into_any()
}
