//! Links to records: kind, key, name and ID, as the database has them.

use leptos::prelude::*;
use loopiq::domain::{FactRef, RecordKind};
use loopiq::views::{Label, RecordLabel};

/// A shortened ID: the prefix and the last five characters. IDs of one time begin alike and differ at their end.
pub(crate) fn short(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, body)) if body.is_ascii() && body.len() > 8 => format!("{prefix}_…{}", &body[body.len() - 5..]),
        _ => id.to_owned(),
    }
}

/// The address of a record's details: the page of an action, or the anchor of a record that this page describes.
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
    /// Whether this page has the record's details.
    #[prop(optional)]
    on_page: bool,
    /// Whether the kind is left out because the label next to it names the kind.
    #[prop(optional)]
    bare: bool,
) -> impl IntoView {
    let RecordLabel { kind, id, key, name } = record;
    // A record of a kind without names is called by its kind.
    let bare = bare || name.as_str() == kind.label();
    let label = view! {
        {(!bare).then(|| view! { <span class="record-kind">{kind.label()}</span> " " })}
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

/// A record that a verdict is based on: its key, or its shortened ID.
#[component]
pub(crate) fn FactLink(
    /// The record.
    fact: FactRef,
    /// Whether this page has the record's details.
    #[prop(optional)]
    on_page: bool,
) -> impl IntoView {
    let FactRef { kind, id, key } = fact;
    let name = key.unwrap_or_else(|| short(&id).into());
    let label = view! {
        <span class="record-kind">{kind.label()}</span>
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
