//! The type in which untrusted text reaches a page.

use super::{hides, visible};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Text from outside the service, ready to be shown: each character that could hide or reorder text is written as its code point
/// (see [`visible`]). The text is characters, not markup: a page escapes it. A value can be
/// made in no other way, so a view that holds `PlainText` cannot hold a hidden character.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct PlainText(String);

impl PlainText {
    /// The text, with hidden characters made visible.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it holds these words.
    pub fn contains(&self, words: &str) -> bool {
        self.0.contains(words)
    }

    /// Whether it begins with these words.
    pub fn starts_with(&self, words: &str) -> bool {
        self.0.starts_with(words)
    }
}

impl From<&str> for PlainText {
    fn from(text: &str) -> Self {
        Self(visible(text))
    }
}

impl From<String> for PlainText {
    fn from(text: String) -> Self {
        if hides(&text) { Self(visible(&text)) } else { Self(text) }
    }
}

impl From<&String> for PlainText {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&PlainText> for PlainText {
    fn from(text: &PlainText) -> Self {
        text.clone()
    }
}

impl fmt::Display for PlainText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for PlainText {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for PlainText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A page renders it as a text node or as an attribute's value, both of which Leptos escapes.
#[cfg(feature = "render")]
mod render {
    use super::PlainText;
    use tachys::html::attribute::IntoAttributeValue;
    use tachys::view::IntoRender;

    impl IntoRender for PlainText {
        type Output = String;

        fn into_render(self) -> String {
            self.0
        }
    }

    impl IntoAttributeValue for PlainText {
        type Output = String;

        fn into_attribute_value(self) -> String {
            self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_making_it_leaves_a_hidden_character() {
        let hidden = "pay\u{202E}tnem";
        let read: PlainText = serde_json::from_str("\"pay\\u202Etnem\"").unwrap();
        for text in [
            PlainText::from(hidden),
            hidden.to_owned().into(),
            (&hidden.to_owned()).into(),
            read,
        ] {
            assert_eq!(text, "pay⟦U+202E⟧tnem");
        }
    }

    #[test]
    fn it_is_read_as_the_text_that_is_shown() {
        let text = PlainText::from("pay\u{202E}tnem");
        assert_eq!(text.as_str(), "pay⟦U+202E⟧tnem");
        assert!(text.contains("U+202E") && !text.contains("\u{202E}"));
        assert!(text.starts_with("pay⟦") && !text.starts_with("tnem"));
        assert!(text == *"pay⟦U+202E⟧tnem" && text != *"pay" && text != "pay");
        assert!(!text.is_empty() && PlainText::default().is_empty());
        assert_eq!(format!("{:>4}", PlainText::from("a")), "   a");
        assert_eq!(PlainText::from(&text), text);
        assert_eq!(PlainText::from("a".to_owned()), "a");
    }
}
