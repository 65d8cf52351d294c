//! One audit entry, whole: what an auditor compares with an export.

use super::load::loaded;
use crate::components::code::{CodeBlock, CopyText};
use crate::components::icon::{Icon, Shape};
use crate::components::record::FactLink;
use crate::components::state::StateBadge;
use crate::components::title::PageTitle;
use crate::components::when::Exact;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use loopiq::domain::RecordKind;
use loopiq::engine::Error;
use loopiq::views::AuditEntryView;

/// `/audit/{seq}`.
#[component]
pub(crate) fn AuditEntryPage() -> impl IntoView {
    let asked = use_params_map().get_untracked().get("seq").unwrap_or_default();
    loaded(
        move |services| {
            let asked = asked.clone();
            async move {
                // No entry has a number that is none; there is no kind of record for entries, so the tenant's log answers.
                let seq = asked
                    .parse()
                    .map_err(|_| Error::field("/seq", "wants the number of an entry"))?;
                services.engine.audit_entry(&services.ctx, seq).await
            }
        },
        render,
    )
}

fn render(entry: AuditEntryView) -> AnyView {
    let row = entry.row;
    let release = row.release.clone();
    view! {
        <PageTitle text=format!("Audit entry {}", row.seq) />
        <article class="page entry">
            <nav class="crumbs" aria-label="Where you are">
                <a href="/audit">"‹ Audit trail"</a>
                {(row.seq > 1).then(|| view! { <a rel="prev" href=format!("/audit/{}", row.seq - 1)>"Entry before"</a> })}
                <a rel="next" href=format!("/audit/{}", row.seq + 1)>"Entry after"</a>
            </nav>
            <h1>"Audit entry " {row.seq}</h1>
            <p class="summary">{row.words} " " <code class="event">{row.event}</code></p>
            <Seal intact=entry.intact />
            <section class="card" aria-labelledby="entry">
                <h2 id="entry">"Entry"</h2>
                <dl class="lines">
                    <div><dt>"Time"</dt><dd><Exact when=row.at /></dd></div>
                    <div><dt>"Who"</dt><dd><bdi dir="ltr">{row.actor}</bdi></dd></div>
                    {row
                        .action
                        .map(|action| {
                            let href = format!("/actions/{}", action.id);
                            view! {
                                <div>
                                    <dt>"Action"</dt>
                                    <dd><a href=href><bdi>{action.name}</bdi></a> " " <code class="id">{action.id}</code></dd>
                                </div>
                            }
                        })}
                    {release.map(|release| view! { <div><dt>"Release"</dt><dd>{release}</dd></div> })}
                    {row.state.map(|state| view! { <div><dt>"State after"</dt><dd><StateBadge state /></dd></div> })}
                    {entry
                        .lines
                        .into_iter()
                        .map(|(label, value)| view! { <div><dt>{label}</dt><dd><bdi>{value}</bdi></dd></div> })
                        .collect_view()}
                    <div><dt>"Leaf hash"</dt><dd><CopyText text=entry.leaf_hash.into() what="the leaf hash".to_owned() /></dd></div>
                </dl>
            </section>
            {(!entry.records.is_empty())
                .then(|| {
                    view! {
                        <section class="card" aria-labelledby="records">
                            <h2 id="records">"Records it names"</h2>
                            <ul class="records">
                                {entry
                                    .records
                                    .into_iter()
                                    .map(|fact| {
                                        let id = fact.id.clone();
                                        let whole = fact.kind != RecordKind::Action;
                                        view! {
                                            <li>
                                                <FactLink fact />
                                                {whole.then(|| view! { " " <code class="id">{id}</code> })}
                                            </li>
                                        }
                                    })
                                    .collect_view()}
                            </ul>
                        </section>
                    }
                })}
            <section class="card" aria-labelledby="content">
                <h2 id="content">"Content"</h2>
                <CodeBlock text=entry.content what="the content as canonical JSON" />
            </section>
        </article>
    }
    .into_any()
}

/// Whether what is stored still gives the hashes that were stored with it.
#[component]
fn Seal(intact: bool) -> impl IntoView {
    if intact {
        view! {
            <p class="seal seal-intact">
                <Icon shape=Shape::Tick />
                "Intact: content and leaf give the hashes that were stored with them."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="seal seal-broken" role="alert">
                <Icon shape=Shape::Octagon />
                "Not intact: content or leaf no longer gives the hash that was stored. Run loopiq audit verify, and tell your operator."
            </p>
        }
        .into_any()
    }
}
