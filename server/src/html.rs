//! HTML written without Leptos.

/// Escapes text for an HTML text node or a quoted attribute value.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_becomes_text_in_elements_and_in_quoted_attributes() {
        assert_eq!(escape("<&>'\""), "&lt;&amp;&gt;&#39;&quot;");
        assert_eq!(
            escape("<a href=\"x\" title='y'>&amp; ü</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp; ü&lt;/a&gt;"
        );
    }
}
