//! One audit entry with all its fields, to compare with an export.

mod proof;

use self::proof::Proof;
use super::page_data::page_data;
use crate::components::code::CodeBlock;
use crate::components::record::FactLink;
use crate::components::state::StateBadge;
use crate::components::time::ExactTime;
use crate::components::title::PageTitle;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use loopiq::domain::RecordKind;
use loopiq::engine::Error;
use loopiq::views::AuditEntryView;

/// `/audit/{seq}`.
#[component]
pub(crate) fn AuditEntryPage() -> impl IntoView {
    let asked = use_params_map().get_untracked().get("seq").unwrap_or_default();
    page_data(
        |services| async move {
            let seq = asked
                .parse()
                .map_err(|_| Error::field("/seq", "must be the number of an entry"))?;
            services.engine.audit_entry(&services.ctx, seq).await
        },
        render,
    )
}

fn render(entry: AuditEntryView) -> AnyView {
    let row = entry.row;
    let release = row.release.clone();
    let event = row.event.clone();
    view! {
        <PageTitle text=format!("Audit entry {}", row.seq) />
        <article class="page entry">
            <nav class="crumbs" aria-label="Where you are">
                <a href="/audit">"‹ Audit trail"</a>
                {(row.seq > 1).then(|| view! { <a rel="prev" href=format!("/audit/{}", row.seq - 1)>"Previous entry"</a> })}
                <a rel="next" href=format!("/audit/{}", row.seq + 1)>"Next entry"</a>
            </nav>
            <h1>"Audit entry " {row.seq}</h1>
            <p class="summary">{row.words} " " <code class="event">{row.event}</code></p>
            <Seal intact=entry.intact />
            <section class="card" aria-labelledby="entry">
                <h2 id="entry">"Entry"</h2>
                <dl class="lines">
                    <div><dt>"Time"</dt><dd><ExactTime when=row.at /></dd></div>
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
                </dl>
            </section>
            <Proof seq=row.seq event leaf_hash=entry.leaf_hash.into() checkpoint=entry.checkpoint />
            {(!entry.records.is_empty())
                .then(|| {
                    view! {
                        <section class="card" aria-labelledby="records">
                            <h2 id="records">"Records in this entry"</h2>
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
            <section class="card" aria-labelledby="content" data-content>
                <h2 id="content">"Content"</h2>
                <CodeBlock text=entry.content what="the content as canonical JSON" />
            </section>
            {entry
                .payload
                .map(|(text, is_same)| {
                    view! {
                        <section class="card" aria-labelledby="payload">
                            <h2 id="payload">"Submitted payload"</h2>
                            {(!is_same)
                                .then(|| {
                                    view! {
                                        <p class="seal seal-broken" role="alert">
                                            "Changed: the stored payload no longer has the digest of this entry. Tell your operator, who runs loopiq audit verify."
                                        </p>
                                    }
                                })}
                            <CodeBlock text what="the payload as canonical JSON" />
                        </section>
                    }
                })}
        </article>
    }
    .into_any()
}

/// Whether the content still has the hash that was stored with it.
#[component]
fn Seal(intact: bool) -> impl IntoView {
    if intact {
        view! {
            <p class="seal seal-intact">
                "Unchanged: the content matches its stored hash."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="seal seal-broken" role="alert">
                "Changed: the content no longer matches its stored hash. Tell your operator, who runs loopiq audit verify."
            </p>
        }
        .into_any()
    }
}
