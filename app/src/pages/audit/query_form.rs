//! The query box, with its help and with errors that mark the wrong characters.

use super::super::link::link;
use super::Asked;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::TermField;
use loopiq::views::AuditFault;

/// Example queries.
const EXAMPLES: [(&str, &str); 10] = [
    ("injection login", "both words, anywhere in an entry"),
    ("\"sql injection\"", "these words one after the other"),
    ("injection OR traversal", "one of the words"),
    (
        "release:SHOP-2026.12 -event:action.viewed",
        "one release, without views",
    ),
    (
        "person:reviewer@acme.example (state:executed OR state:failed)",
        "what one person's actions came to",
    ),
    ("event:action.rejected", "one kind of event"),
    ("tool:loopiq_create_remediation_work_package", "one tool"),
    ("record:FND-84", "everything about a record, by its key or ID"),
    (
        "person:\"Rita Reviewer\"",
        "quotation marks around a value with a space",
    ),
    ("from:2026-11-01 to:2026-11-30", "one month"),
];

#[component]
pub(super) fn QueryForm(asked: Asked, errors: Vec<AuditFault>) -> impl IntoView {
    let is_wrong = |field: &str| errors.iter().any(|fault| fault.field == field).then_some("true");
    let described = |field: &str, otherwise: &'static str| is_wrong(field).map_or(otherwise, |_| "query-error");
    let form = asked.form;
    let faults: Vec<_> = errors
        .iter()
        .map(|fault| {
            let text = match fault.field {
                "from" => &form.from,
                "to" => &form.to,
                _ => &form.q,
            };
            fault_view(fault, text)
        })
        .collect();
    view! {
        <form class="filters audit-query" method="get" action="/audit" role="search" aria-label="Search the audit trail">
            <div class="field grow">
                <label for="q">"Query"</label>
                <input
                    id="q"
                    name="q"
                    type="search"
                    value=form.q.clone()
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    aria-invalid=is_wrong("q")
                    aria-describedby=described("q", "query-help")
                />
            </div>
            <div class="field">
                <label for="from">"From (UTC)"</label>
                <input
                    id="from"
                    name="from"
                    type="date"
                    value=form.from.clone()
                    aria-invalid=is_wrong("from")
                    aria-describedby=described("from", "query-help")
                />
            </div>
            <div class="field">
                <label for="to">"To (UTC, inclusive)"</label>
                <input
                    id="to"
                    name="to"
                    type="date"
                    value=form.to.clone()
                    aria-invalid=is_wrong("to")
                    aria-describedby=described("to", "query-help")
                />
            </div>
            <div class="buttons">
                <button type="submit" class="button primary">"Search"</button>
                <a class="button plain" href="/audit">"Clear"</a>
            </div>
        </form>
        {(!faults.is_empty())
            .then(|| {
                view! {
                    <div class="query-error" id="query-error" role="alert">
                        <p>"Nothing was searched."</p>
                        {faults}
                    </div>
                }
            })}
        <Help />
    }
    .into_any()
}

/// A mistake: what is wrong, and the text with the wrong characters marked.
fn fault_view(fault: &AuditFault, text: &str) -> AnyView {
    let place = match fault.field {
        "from" => "From".to_owned(),
        "to" => "To".to_owned(),
        _ => format!("character {}", fault.at + 1),
    };
    let [before, wrong, behind] = around(text, fault.at as usize, fault.length as usize);
    view! {
        <p>{fault.message.clone()} " (" {place} ")"</p>
        <pre>{before}<mark>{wrong}</mark>{behind}</pre>
    }
    .into_any()
}

/// The text before, at and behind a place, cut off far from it. An ellipsis replaces missing characters.
fn around(text: &str, at: usize, length: usize) -> [PlainText; 3] {
    const FAR: usize = 60;
    let shown = |from: usize, count: usize| -> String {
        let part = text.chars().skip(from).take(count);
        part.map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
    };
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let start = at.saturating_sub(FAR);
    let before = cut(start > 0).to_owned() + &shown(start, at - start);
    let wrong = match length {
        0 => "▲".to_owned(),
        length => shown(at, length.min(FAR)) + cut(length > FAR),
    };
    let end = at + length;
    let behind = if length > FAR {
        String::new()
    } else {
        shown(end, FAR) + cut(text.chars().nth(end + FAR).is_some())
    };
    [before.into(), wrong.into(), behind.into()]
}

#[component]
fn Help() -> impl IntoView {
    let fields: Vec<_> = TermField::NAMED
        .into_iter()
        .map(|(_, name)| view! { <li><code>{name} ":"</code></li> })
        .collect();
    let times = ["after:", "before:", "from:", "to:"].map(|name| view! { <li><code>{name}</code></li> });
    let examples = EXAMPLES.map(|(query, words)| {
        view! {
            <li>
                <a href=link("/audit", &[("q", query)])><code>{query}</code></a>
                " "
                <span class="quiet">{words}</span>
            </li>
        }
    });
    view! {
        <details class="help" id="query-help">
            <summary>"How to search"</summary>
            <p>
                "All conditions must match. " <code>"OR"</code> " between two means one of them, " <code>"-"</code> " or " <code>"NOT"</code>
                " before one excludes it, and parentheses group them. " <code>"AND"</code> ", " <code>"OR"</code> " and " <code>"NOT"</code>
                " are in capitals."
            </p>
            <p>
                "A word is searched in headlines, reasons, titles and names. It also finds the exact ID, e-mail address, key, release, tool, event or trace,
                and the address of an action finds the action. Quotation marks keep words together and take colons, parentheses and hyphens as
                text. Case does not matter. Chinese, Japanese, Korean and Thai are found by any part of the text."
            </p>
            <p>"Fields:"</p>
            <ul class="inline-list">{fields} {times.into_iter().collect_view()}</ul>
            <p>
                <code>"after:"</code> " and " <code>"from:"</code> " include their time, " <code>"before:"</code> " does not, " <code>"to:"</code>
                " includes its whole day. A time without a zone, such as " <code>"2026-11-22T10:30"</code> ", is in UTC."
            </p>
            <ul>{examples.into_iter().collect_view()}</ul>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::around;

    #[test]
    fn the_wrong_characters_are_marked() {
        let marked = |text: &str, at, length| around(text, at, length).map(|part| part.to_string());
        assert_eq!(marked("injection perso:rita", 10, 5), ["injection ", "perso", ":rita"]);
        assert_eq!(marked("a OR", 4, 0), ["a OR", "▲", ""]);
        assert_eq!(marked("ä\t\u{202E}:", 2, 1), ["ä ", "⟦U+202E⟧", ":"]);
        let [before, wrong, behind] = marked(&"abcdefghij".repeat(40), 200, 5);
        assert!(before.starts_with('…') && behind.ends_with('…') && wrong == "abcde");
        assert_eq!((before.chars().count(), behind.chars().count()), (61, 61));
        let [_, wrong, behind] = marked(&"x".repeat(300), 0, 300);
        assert_eq!((wrong.chars().count(), behind.as_str()), (61, ""));
    }

    #[test]
    fn the_examples_are_queries() {
        for (query, _) in super::EXAMPLES {
            let read = loopiq::domain::query::parse(query, &loopiq::engine::audit_vocabulary());
            assert!(read.is_ok(), "{query}: {read:?}");
        }
    }
}
