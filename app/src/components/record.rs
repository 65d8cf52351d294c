//! Naming records: by the name that the database holds, with its kind and its ID.

use leptos::prelude::*;
use loopiq::domain::{FactRef, RecordKind};
use loopiq::views::RecordLabel;

/// An ID short enough for a line: its kind and its last digits, which are the ones that differ.
pub(crate) fn short(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, body)) if body.is_ascii() && body.len() > 8 => format!("{prefix}_…{}", &body[body.len() - 5..]),
        _ => id.to_owned(),
    }
}

/// The address of a record's detail: an action has a page, what this page describes has an anchor on it.
pub(crate) fn address(kind: RecordKind, id: &str, on_page: bool) -> Option<String> {
    match kind {
        RecordKind::Action => Some(format!("/actions/{id}")),
        _ if on_page => Some(format!("#{}", anchor(id))),
        _ => None,
    }
}

/// The anchor of a record's detail on the action's page.
pub(crate) fn anchor(id: &str) -> String {
    format!("ref-{id}")
}

/// A record by kind, key and name, with its ID in short.
#[component]
pub(crate) fn RecordLink(
    /// The record.
    record: RecordLabel,
    /// Whether this page holds its detail.
    #[prop(optional)]
    on_page: bool,
    /// Whether the kind is left out, because a label beside it says it.
    #[prop(optional)]
    bare: bool,
) -> impl IntoView {
    let RecordLabel { kind, id, key, name } = record;
    let label = view! {
        {(!bare).then(|| view! { <span class="record-kind">{kind.word()}</span> " " })}
        {key.filter(|key| *key != name).map(|key| view! { <code class="key">{key}</code> " " })}
        <bdi>{name}</bdi>
    };
    let label = match address(kind, &id, on_page) {
        Some(href) => view! { <a href=href>{label}</a> }.into_any(),
        None => label.into_any(),
    };
    view! {
        <span class="record">
            {label} " " <code class="id" title=id.clone()>
                {short(&id)}
            </code>
        </span>
    }
}

/// A record that a verdict rests on: its key, or its ID in short.
#[component]
pub(crate) fn FactLink(
    /// The record.
    fact: FactRef,
    /// Whether this page holds its detail.
    #[prop(optional)]
    on_page: bool,
) -> impl IntoView {
    let FactRef { kind, id, key } = fact;
    let name = key.unwrap_or_else(|| short(&id).into());
    let label = view! {
        <span class="record-kind">{kind.word()}</span>
        " "
        <code class="key">{name}</code>
    };
    match address(kind, &id, on_page) {
        Some(href) => view! { <a class="chip" href=href title=id>{label}</a> }.into_any(),
        None => view! { <span class="chip" title=id>{label}</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shortened_from_its_front() {
        assert_eq!(short("act_01kawx2zr5e8r9q3v4c7m6n3f9"), "act_…6n3f9");
        assert_eq!(short("no id"), "no id");
        assert_eq!(short("x_日本語日本語日本語"), "x_日本語日本語日本語");
    }
}
