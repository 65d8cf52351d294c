//! The agent's reason. It has a box of its own because nobody has verified it.

use crate::components::record::RecordLink;
use crate::components::time::RelativeTime;
use leptos::prelude::*;
use loopiq::views::{Claim, ReadView, RecordLabel};
use std::collections::HashSet;

/// The reason, the records that the agent read in this trace, and the records that it cites without having read them.
#[component]
pub(super) fn ClaimBox<'a>(claim: Claim, on_page: &'a HashSet<String>, open: bool) -> impl IntoView + use<> {
    let section = claim.section.filter(|_| open);
    let title = section.as_ref().map(|section| section.title.to_string());
    let records: usize = claim
        .reads
        .iter()
        .map(|read| read.records.len() + read.more as usize)
        .sum();
    let read = match (records, claim.reads.len()) {
        (_, 0) => "No reads are recorded between this proposal and the agent's previous one".to_owned(),
        (1, 1) => "The agent read 1 record in 1 call".to_owned(),
        (records, 1) => format!("The agent read {records} records in 1 call"),
        (records, calls) => format!("The agent read {records} records in {calls} calls"),
    };
    let link = |record: RecordLabel| {
        let here = on_page.contains(&record.id);
        view! { <li><RecordLink record on_page=here /></li> }
    };
    let unread = claim.unread.into_iter().map(link).collect_view();
    let cites_unread = !unread.is_empty();
    let reads: Vec<AnyView> = claim.reads.into_iter().map(|read| call(read, on_page)).collect();
    view! {
        <section class="card claim" aria-labelledby="claim">
            <h2 id="claim">"The agent's reason (not verified)"</h2>
            <blockquote class="prose" dir="auto">{claim.reason}</blockquote>
            <p class="quiet">"Proposed by " <bdi dir="ltr">{claim.asked_by}</bdi></p>
            {cites_unread
                .then(|| {
                    view! {
                        <h3>"Cited but never read"</h3>
                        <ul class="records">{unread}</ul>
                    }
                })}
            {if reads.is_empty() {
                view! { <p>{read} "."</p> }.into_any()
            } else {
                view! {
                    <details open=open data-section=section.map(|section| section.id) data-section-title=title>
                        <summary>{read}</summary>
                        <ol class="reads">{reads}</ol>
                    </details>
                }
                    .into_any()
            }}
        </section>
    }
    .into_any()
}

fn call(read: ReadView, on_page: &HashSet<String>) -> AnyView {
    let records = read.records.into_iter().map(|record| {
        let here = on_page.contains(&record.id);
        view! { <li><RecordLink record on_page=here /></li> }
    });
    let records: Vec<_> = records.collect();
    view! {
        <li>
            <p><code>{read.tool}</code> " " <span class="quiet"><RelativeTime when=read.at /></span></p>
            <ul class="records">
                {records}
                {(read.more > 0).then(|| view! { <li class="quiet">"and " {read.more} " more"</li> })}
            </ul>
        </li>
    }
    .into_any()
}
