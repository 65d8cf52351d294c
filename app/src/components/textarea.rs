//! A text area that is safe on the server.

use leptos::prelude::*;

/// Leptos 0.8 writes the children of `<textarea>` into the page as they are, so the server must escape them here. In the
/// browser they become a text node, which needs no escaping (and hydration leaves them alone).
pub(crate) fn content(text: &str) -> String {
    if !cfg!(feature = "ssr") {
        return text.to_owned();
    }
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // The HTML parser drops one line break at the very start.
    if escaped.starts_with(['\n', '\r']) {
        format!("\n{escaped}")
    } else {
        escaped
    }
}

/// The field `text` of a decision's form, with its label. It must be filled in.
#[component]
pub fn TextArea(
    /// The element's ID.
    id: &'static str,
    /// The label.
    label: &'static str,
    /// The initial text.
    value: String,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <textarea id=id name="text" rows="4" maxlength="2000" required>
                {content(&value)}
            </textarea>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn html(value: &str) -> String {
        let value = value.to_owned();
        Owner::new().with(|| view! { <TextArea id="t" label="Why" value /> }.to_html())
    }

    #[test]
    fn text_cannot_leave_the_text_area() {
        let html = html("</textarea><script>alert(1)</script> & \"x\"");
        assert!(
            html.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"x\""),
            "{html}"
        );
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
    }

    #[test]
    fn a_leading_line_break_survives_the_parser() {
        assert!(html("\nfirst").contains(">\n\nfirst</textarea>"));
    }
}
