//! A release: its open blockers, findings and evidence.

use super::link::link;
use super::page_data::page_data;
use crate::components::table_head::table_head;
use crate::components::time::RelativeTime;
use crate::components::title::PageTitle;
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use loopiq::views::{self, Label, Part, ReleaseBlocker, ReleaseEvidence, ReleaseFinding};

/// `/releases/{key}?text=...&after=...`.
#[component]
pub(crate) fn ReleasePage() -> impl IntoView {
    let key = use_params_map().get_untracked().get("key").unwrap_or_default();
    let query = use_query_map().get_untracked();
    let (text, after) = (
        query.get("text").unwrap_or_default(),
        query.get("after").unwrap_or_default(),
    );
    page_data(
        |services| async move { services.engine.release_page(&services.ctx, &key, &text, &after).await },
        render,
    )
}

/// The address of a release's page.
pub(super) fn address(key: &str) -> String {
    let encoded = link("", &[("x", key)]);
    format!("/releases/{}", encoded.trim_start_matches("?x="))
}

fn render(page: views::ReleasePage) -> AnyView {
    let views::ReleasePage {
        key,
        name,
        status,
        certifications,
        text,
        is_continued,
        blockers,
        findings,
        evidence,
        may_search,
    } = page;
    let here = address(key.as_str());
    let more = |next: Option<String>| {
        next.map(|after| link(&here, &[("text", text.as_str()), ("after", &after)]))
            .map(|href| view! { <p><a rel="next" href=href>"More"</a></p> })
    };
    let (more_blockers, more_findings, more_evidence) = (
        more(blockers.next.clone()),
        more(findings.next.clone()),
        more(evidence.next.clone()),
    );
    let certifications = certifications
        .shown
        .into_iter()
        .map(|(key, status)| view! { <dt>"Certification " <bdi>{key}</bdi></dt> <dd>{status}</dd> });
    let audit = may_search.then(|| link("/audit", &[("q", &format!("release:{}", key.as_str()))]));
    let inbox = link("/", &[("release", key.as_str())]);
    let is_filtered = !text.is_empty();
    let first = here.clone();
    view! {
        <PageTitle text=name.clone() />
        <article class="page catalog">
            <nav class="crumbs" aria-label="Where you are">
                <a href="/settings/catalog">"‹ Catalog"</a>
            </nav>
            <div>
                <h1><bdi>{name}</bdi> " " <span class="quiet"><bdi>{key}</bdi></span></h1>
                <p>
                    <a href=inbox>"Actions waiting for approval"</a>
                    {audit.map(|href| view! { " · " <a href=href>"Audit entries"</a> })}
                </p>
            </div>
            <section class="card" aria-label="Release">
                <dl class="facts">
                    <dt>"Status of the release"</dt>
                    <dd>{status.label()}</dd>
                    {certifications.collect_view()}
                </dl>
            </section>
            <form class="catalog-filter" method="get" role="search" aria-label="Records of the release">
                <div class="field">
                    <label for="text">"Title, rule or file"</label>
                    <input id="text" name="text" type="search" maxlength="200" autocomplete="off" value=text.to_string() />
                </div>
                <button type="submit" class="button">
                    "Show"
                </button>
                {(is_filtered || is_continued).then(|| view! { <a href=first>"Show all"</a> })}
            </form>
            {section("blockers", "Open blockers", blockers, is_continued, blocker_table, more_blockers)}
            {section("findings", "Findings", findings, is_continued, finding_table, more_findings)}
            {section("evidence", "Evidence", evidence, is_continued, evidence_table, more_evidence)}
        </article>
    }
    .into_any()
}

/// A list in a card. A page that continues another list leaves it out.
fn section<T>(
    id: &'static str,
    title: &'static str,
    part: Part<T>,
    is_continued: bool,
    table: fn(Vec<T>) -> AnyView,
    more: Option<impl IntoView + 'static>,
) -> AnyView {
    if part.shown.is_empty() && is_continued {
        return ().into_any();
    }
    let content = match part.shown.is_empty() {
        true => view! { <p class="quiet">"None."</p> }.into_any(),
        false => table(part.shown),
    };
    view! {
        <section class="card" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {content}
            {more}
        </section>
    }
    .into_any()
}

fn blocker_table(blockers: Vec<ReleaseBlocker>) -> AnyView {
    let rows = blockers.into_iter().map(|one| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{one.title}</bdi></th>
                <td role="cell" data-label="Blocker">{one.key}</td>
                <td role="cell" data-label="Finding or control"><bdi>{one.of}</bdi></td>
                <td role="cell" data-label="Severity">{one.severity}</td>
            </tr>
        }
    });
    view! {
        <table class="history stack" role="table">
            {table_head(["Title", "Blocker", "Finding or control", "Severity"])}
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
        <p class="quiet">
            "An approved action closes a blocker: it updates the finding, or accepts the risk. Agents propose such actions."
        </p>
    }
    .into_any()
}

fn finding_table(findings: Vec<ReleaseFinding>) -> AnyView {
    let rows = findings.into_iter().map(|one| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{one.title}</bdi></th>
                <td role="cell" data-label="Finding">{one.key}</td>
                <td role="cell" data-label="Severity">{one.severity}</td>
                <td role="cell" data-label="Status">{one.status}</td>
                <td role="cell" data-label="Place"><bdi>{one.place}</bdi></td>
                <td role="cell" data-label="Scanner and rule"><bdi>{one.source}</bdi></td>
            </tr>
        }
    });
    view! {
        <table class="history stack" role="table">
            {table_head(["Title", "Finding", "Severity", "Status", "Place", "Scanner and rule"])}
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn evidence_table(evidence: Vec<ReleaseEvidence>) -> AnyView {
    let rows = evidence.into_iter().map(|one| {
        view! {
            <tr role="row">
                <th scope="row" role="rowheader"><bdi>{one.name}</bdi></th>
                <td role="cell" data-label="Evidence">{one.key}</td>
                <td role="cell" data-label="Program and format"><bdi>{one.source}</bdi></td>
                <td role="cell" data-label="Made"><RelativeTime when=one.collected /></td>
                <td role="cell" data-label="SHA-256"><code class="hash">{one.sha256}</code></td>
            </tr>
        }
    });
    view! {
        <table class="history stack" role="table">
            {table_head(["File", "Evidence", "Program and format", "Made", "SHA-256"])}
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}
