//! How two texts differ, line by line.

use leptos::prelude::*;
use loopiq::views::DiffLine;

/// The lines that differ, with the lines around them. Each mark has a text for screen readers.
#[component]
pub(crate) fn Difference(
    /// The lines.
    lines: Vec<DiffLine>,
) -> impl IntoView {
    if lines.is_empty() {
        return view! { <p>"No differences."</p> }.into_any();
    }
    view! { <ol class="difference">{lines.into_iter().map(line).collect_view()}</ol> }.into_any()
}

fn line(DiffLine { mark, text }: DiffLine) -> AnyView {
    // An empty line would have no height.
    let text = if text.is_empty() { "\u{a0}".into() } else { text };
    let (class, words, text) = match mark {
        '+' => ("added", "Added: ", view! { <ins>{text}</ins> }.into_any()),
        '-' => ("removed", "Removed: ", view! { <del>{text}</del> }.into_any()),
        '…' => ("left-out", "Unchanged lines left out.", ().into_any()),
        _ => ("", "", view! { {text} }.into_any()),
    };
    view! {
        <li class=class>
            <span class="mark" aria-hidden="true">{mark.to_string()}</span>
            <code>
                {(!words.is_empty()).then(|| view! { <span class="unseen">{words}</span> })}
                {text}
            </code>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_by_mark_and_by_word_what_became_of_it() {
        let line = |mark, text: &str| DiffLine {
            mark,
            text: text.to_owned().into(),
        };
        let lines = vec![
            line(' ', "[checks]"),
            line('-', "a = 1 < 2"),
            line('+', ""),
            line('…', ""),
        ];
        let html = Owner::new().with(|| view! { <Difference lines /> }.to_html());
        for part in [
            "Removed: </span><del>a = 1 &lt; 2</del>",
            "Added: </span><ins>\u{a0}</ins>",
            "Unchanged lines left out.",
            ">-</span>",
            ">+</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let html = Owner::new().with(|| view! { <Difference lines=Vec::new() /> }.to_html());
        assert!(html.contains("No differences."), "{html}");
    }
}
