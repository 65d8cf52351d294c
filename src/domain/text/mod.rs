//! Text from agents, scanners, identity providers and operators: what is refused in a proposal, and the type in which everything else
//! reaches a page.

mod hidden;
mod plain;
pub mod prose;
mod words;

pub use hidden::{first_chars, hides, is_forbidden};
pub use plain::PlainText;
pub use words::{folded, index_words, is_unspaced, normalized, query_words, spellings, words, written_words};

use super::{FieldError, walk};
use hidden::hidden;
use serde_json::Value;

/// The text with each character that may hide or reorder it written as its code point, `⟦U+202E⟧`, so that a reader sees it.
pub fn visible(text: &str) -> String {
    if !hides(text) {
        return text.to_owned();
    }
    let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
    for (at, c) in hidden(text) {
        out.push_str(&text[copied..at]);
        out.push_str(&format!("⟦U+{:04X}⟧", u32::from(c)));
        copied = at + c.len_utf8();
    }
    out.push_str(&text[copied..]);
    out
}

/// Every string and every field name of a payload that contains a character that may hide or reorder text, with its pointer. A field name is
/// reported at the object that has it.
pub fn forbidden_in(payload: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(payload, &mut |pointer, name, value| {
        if errors.len() >= MAX_ERRORS {
            return false;
        }
        if let Some(name) = name {
            let object = pointer.rsplit_once('/').map_or("", |(object, _)| object);
            report(name, object, &mut errors);
        }
        if let Value::String(text) = value {
            report(text, pointer, &mut errors);
        }
        true
    });
    errors
}

/// The most errors that are reported at once; a client that sends more gets the rest with its next attempt.
const MAX_ERRORS: usize = 50;

fn report(text: &str, pointer: &str, errors: &mut Vec<FieldError>) {
    let first = |text: &str| hidden(text).next().map(|(_, c)| c);
    let plain = first(text).map(|c| (c, ""));
    // A program that shows the text later may decode its entities, so a character is not allowed as an entity either.
    let found = plain.or_else(|| Some((first(&decoded(text)?)?, " (written as an entity)")));
    if let Some((c, how)) = found {
        errors.push(FieldError::new(
            pointer,
            format!(
                "holds the character U+{:04X}{how}, which can hide or reorder text{}; send plain text without it",
                u32::from(c),
                match c {
                    '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' =>
                        " and is not needed here by a script or an emoji",
                    _ => "",
                }
            ),
        ));
    }
}

/// The text with its HTML entities decoded, repeatedly where the result contains entities again; `None` if it has none.
fn decoded(text: &str) -> Option<String> {
    // Rounds of decoding. No program known to us decodes more often, so text that is encoded more often stays text.
    const TIMES: usize = 3;
    let mut text = std::borrow::Cow::Borrowed(text);
    let mut any = false;
    for _ in 0..TIMES {
        if !text.contains('&') {
            break;
        }
        let next = html_escape::decode_html_entities(&text).into_owned();
        if next == text {
            break;
        }
        (text, any) = (next.into(), true);
    }
    any.then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forbidden_characters_are_found_where_they_stand() {
        let errors = forbidden_in(&json!({"parent": {"title": "safe"}, "children": [{"title": "a\u{202E}b"}]}));
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].pointer, "/children/0/title");
        for entity in [
            "&#x202E;",
            "&#8238;",
            "&#X202e;",
            "&amp;#x202e;",
            "&amp;amp;#8238;",
            "&ZeroWidthSpace;",
            "&rlm;",
            "&shy;",
            "&zwj;",
        ] {
            let errors = forbidden_in(&json!({ "title": format!("a{entity}b") }));
            assert_eq!(errors.len(), 1, "{entity}");
            assert!(errors[0].message.contains("as an entity"), "{errors:?}");
        }
        for harmless in ["a &amp; b", "x &lt; y", "R&D", "&nbsp;", "AT&T;", "&#65;"] {
            assert!(forbidden_in(&json!({ "title": harmless })).is_empty(), "{harmless}");
        }
        assert!(forbidden_in(&json!({"text": "line\nline\tüñ 漢字 👍"})).is_empty());
    }

    #[test]
    fn older_text_is_made_visible() {
        assert_eq!(visible("pay\u{200B}ment"), "pay⟦U+200B⟧ment");
        assert_eq!(visible("plain"), "plain");
    }

    #[test]
    fn text_of_any_script_is_accepted() {
        for text in ["به‌روزرسانی نرم‌افزار", "सॉफ़्टवेयर क्‍ष", "👩‍👩‍👧 sign in", "👩&zwj;👧"]
        {
            assert!(forbidden_in(&json!({ "title": text })).is_empty(), "{text}");
            assert_eq!(visible(text), text);
        }
        let errors = forbidden_in(&json!({ "title": "pay\u{200D}ment" }));
        assert!(errors[0].message.contains("U+200D, which") && errors[0].message.contains("not needed here"));
        assert!(!forbidden_in(&json!("\u{202E}"))[0].message.contains("needed here"));
    }

    #[test]
    fn what_was_made_visible_hides_nothing() {
        let parts = [
            "a", "م", "क", "\u{94D}", "👩", "🏽", "1", "\u{20E3}", "\u{200C}", "\u{200D}", "\u{FE0F}", "\u{301}",
            "\u{202E}",
        ];
        for first in parts {
            for second in parts {
                for third in parts {
                    for fourth in parts {
                        let text = [first, second, third, fourth].concat();
                        let shown = visible(&text);
                        assert!(!hides(&shown), "{}", text.escape_unicode());
                        assert!(!hides(first_chars(&shown, 3)), "{}", text.escape_unicode());
                    }
                }
            }
        }
    }

    #[test]
    fn a_key_is_text_as_well_and_errors_are_bounded() {
        let errors = forbidden_in(&json!({ "a": [{ "b\u{200B}": 1 }], "c": "\u{200B}" }));
        let places: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/a/0", "/c"]);
        assert_eq!(
            forbidden_in(&json!(vec!["\u{200B}"; MAX_ERRORS + 10])).len(),
            MAX_ERRORS
        );
        let four_times = "&amp;amp;amp;#8238;";
        assert!(forbidden_in(&json!(four_times)).is_empty(), "nobody decodes so often");
    }

    #[test]
    fn other_control_characters_are_made_visible_too() {
        assert_eq!(visible("a\u{7}é"), "a⟦U+0007⟧é");
    }
}
