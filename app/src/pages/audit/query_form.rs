//! The query box, with its help and with an error that points at the character.

use super::super::link::link;
use super::Asked;
use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::domain::TermField;

/// Example queries.
const EXAMPLES: [(&str, &str); 6] = [
    ("state:executed", "executed actions"),
    (
        "event:action.rejected person:reviewer@acme.example",
        "rejections by one person",
    ),
    ("release:SHOP-2026.12 injection", "one release and a word"),
    ("tool:loopiq_create_remediation_work_package", "one tool"),
    ("person:\"Rita Reviewer\"", "quotes around a value with a space"),
    ("after:2026-11-01 before:2026-12-01", "one month"),
];

#[component]
pub(super) fn QueryForm(asked: Asked, error: Option<(u32, PlainText)>) -> impl IntoView {
    let invalid = error.is_some();
    let text = asked.text();
    view! {
        <form class="filters audit-query" method="get" action="/audit" role="search" aria-label="Search the audit trail">
            <div class="field grow">
                <label for="q">"Query"</label>
                <input
                    id="q"
                    name="q"
                    type="search"
                    value=asked.q
                    spellcheck="false"
                    autocapitalize="off"
                    autocomplete="off"
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=if invalid { "query-error" } else { "query-help" }
                />
            </div>
            <div class="field">
                <label for="from">"From"</label>
                <input id="from" name="from" type="date" value=asked.from />
            </div>
            <div class="field">
                <label for="to">"Before"</label>
                <input id="to" name="to" type="date" value=asked.to />
            </div>
            <div class="buttons">
                <button type="submit" class="button primary">"Search"</button>
                <a class="button plain" href="/audit">"Clear"</a>
            </div>
        </form>
        {error
            .map(|(at, message)| {
                view! {
                    <div class="query-error" id="query-error" role="alert">
                        <p>{message} " (character " {at + 1} ")"</p>
                        <pre aria-hidden="true">{marked(&text, at)}</pre>
                    </div>
                }
            })}
        <Help />
    }
    .into_any()
}

/// The query with a caret below the character. Tabs count as one column, so they are shown as spaces.
fn marked(text: &str, at: u32) -> String {
    let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    format!("{line}\n{}^", " ".repeat(at as usize))
}

#[component]
fn Help() -> impl IntoView {
    let fields: Vec<_> = TermField::NAMED
        .into_iter()
        .map(|(_, name)| view! { <li><code>{name} ":"</code></li> })
        .collect();
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
            <p>"Search words and " <code>"field:value"</code> " filters. All must match. Fields:"</p>
            <ul class="inline-list">{fields} <li><code>"after:"</code></li> <li><code>"before:"</code></li></ul>
            <ul>{examples.into_iter().collect_view()}</ul>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn the_caret_stands_below_the_character() {
        assert_eq!(marked("injection perso:rita", 10), "injection perso:rita\n          ^");
    }
}
