//! A page's title.

use leptos::prelude::*;
use loopiq::domain::PlainText;

/// The document's title. leptos_meta 0.8 writes the text of its own `<Title>` into the page without escaping it (`lib.rs`, where the
/// title is pushed), so markup in a title would be markup in the page; this component escapes it first. `clippy.toml` refuses the
/// other one.
#[component]
pub(crate) fn PageTitle(
    /// What the page is about.
    #[prop(into)]
    text: PlainText,
) -> impl IntoView {
    #[expect(clippy::disallowed_methods, reason = "the only place that escapes for it")]
    leptos_meta::Title(leptos_meta::TitleProps::builder().text(escaped(text.as_str())).build())
}

/// The suffix of every page's title.
#[component]
pub(crate) fn TitleFormat() -> impl IntoView {
    #[expect(clippy::disallowed_methods, reason = "the formatter adds only our own name")]
    leptos_meta::Title(
        leptos_meta::TitleProps::builder()
            .formatter(|title| format!("{title} · LoopIQ"))
            .build(),
    )
}

/// The text as the parser of `<title>` reads it: only `&` and `<` mean something there (HTML, 13.2.5.2, RCDATA).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_end_its_element() {
        assert_eq!(
            escaped("</title><form action=/do/approve> & more"),
            "&lt;/title&gt;&lt;form action=/do/approve&gt; &amp; more"
        );
    }
}
