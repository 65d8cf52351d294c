//! The work-item tree: every title in full, never "and 9 more".

use super::lines::Lines;
use super::record::{address, short};
use leptos::prelude::*;
use loopiq::domain::{PlainText, Section};
use loopiq::views::{Label, RecordLabel, TreeItem};
use std::collections::HashSet;

/// The items of one level with their children. With `open`, descriptions are open and marked as sections that have to be read. The view is
/// boxed because the function is recursive.
pub(crate) fn tree(items: Vec<TreeItem>, on_page: &HashSet<String>, open: bool) -> AnyView {
    let items: Vec<AnyView> = items.into_iter().map(|item| node(item, on_page, open)).collect();
    view! { <ol class="tree">{items}</ol> }.into_any()
}

fn node(item: TreeItem, on_page: &HashSet<String>, open: bool) -> AnyView {
    let below = (!item.children.is_empty()).then(|| tree(item.children, on_page, open));
    let references: Vec<AnyView> = item.references.into_iter().map(|named| chip(named, on_page)).collect();
    view! {
        <li>
            <div class="node">
                <p class="node-title">
                    <span class="node-kind">{item.kind}</span>
                    " "
                    {item.key.map(|key| view! { <code class="key">{key}</code> " " })}
                    <bdi>{item.title}</bdi>
                    " "
                    {if item.created {
                        view! { <code class="id" title=item.id.clone()>{short(&item.id)}</code> }.into_any()
                    } else {
                        view! { <span class="tag">"existing"</span> }.into_any()
                    }}
                </p>
                <Lines lines=item.lines class="inline" />
                {description(item.description, item.section, open)}
                {(!references.is_empty())
                    .then(|| view! { <p class="chips"><span class="quiet">"Based on "</span> {references}</p> })}
            </div>
            {below}
        </li>
    }
    .into_any()
}

/// The description, folded if it is a section.
fn description(text: PlainText, section: Option<Section>, open: bool) -> Option<AnyView> {
    if text.as_str().trim().is_empty() {
        return None;
    }
    Some(match section {
        None => view! { <p class="prose" dir="auto">{text}</p> }.into_any(),
        Some(section) => view! {
            <details
                open=open
                data-section=open.then_some(section.id)
                data-section-title=open.then(|| section.title.to_string())
            >
                <summary>"Description"</summary>
                <p class="prose" dir="auto">
                    {text}
                </p>
            </details>
        }
        .into_any(),
    })
}

fn chip(named: RecordLabel, on_page: &HashSet<String>) -> AnyView {
    let name = named.key.unwrap_or_else(|| short(&named.id).into());
    let title = format!("{} {}", named.name, named.id);
    let label = view! {
        <span class="record-kind">{named.kind.label()}</span>
        " "
        <code class="key">{name}</code>
    };
    match address(named.kind, &named.id, on_page.contains(&named.id)) {
        Some(href) => view! { <a class="chip" href=href title=title>{label}</a> " " }.into_any(),
        None => view! { <span class="chip" title=title>{label}</span> " " }.into_any(),
    }
}
