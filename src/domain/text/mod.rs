//! Text from agents, scanners, identity providers and operators: what is refused in a proposal, and the type in which everything else
//! reaches a page.

mod plain;
pub mod prose;
mod words;

pub use plain::PlainText;
pub use words::{folded, index_words, is_unspaced, normalized, query_words, words};

use super::{FieldError, walk};
use serde_json::Value;

/// Whether a character may hide or reorder text: control characters (but tab and line breaks), bidirectional controls,
/// zero-width characters and tags. See Unicode UTS #39 and TR #36.
pub fn is_forbidden(c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' => false,
        c if c.is_control() => true,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' => true,
        '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => true,
        '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' => true,
        '\u{E0000}'..='\u{E0FFF}' => true,
        _ => false,
    }
}

/// Whether the text contains a forbidden character. Pages ask this of every text, and most are ASCII, which one loop without branches finds.
fn has_forbidden(text: &str) -> bool {
    let is_ascii_text = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    !text.bytes().fold(true, |all, byte| all & is_ascii_text(byte)) && text.contains(is_forbidden)
}

/// The text with each forbidden character written as its code point, `⟦U+202E⟧`, so that a reader sees it.
pub fn visible(text: &str) -> String {
    if !has_forbidden(text) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if is_forbidden(c) {
            out.push_str(&format!("⟦U+{:04X}⟧", u32::from(c)));
        } else {
            out.push(c);
        }
        out
    })
}

/// Every string and every field name of a payload that contains a forbidden character, with its pointer. A field name is reported at the
/// object that has it.
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
    let plain = text.chars().find(|c| is_forbidden(*c)).map(|c| (c, ""));
    // A program that shows the text later may decode its entities, so a character is not allowed as an entity either.
    let found = plain.or_else(|| {
        Some((
            decoded(text)?.chars().find(|c| is_forbidden(*c))?,
            " (written as an entity)",
        ))
    });
    if let Some((c, how)) = found {
        errors.push(FieldError::new(
            pointer,
            format!(
                "holds the character U+{:04X}{how}, which can hide or reorder text; send plain text without it",
                u32::from(c)
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
    fn a_character_that_hides_or_reorders_text_is_forbidden() {
        for (first, last) in [
            (0x00, 0x08),
            (0x0B, 0x0C),
            (0x0E, 0x1F),
            (0x7F, 0x9F),
            (0xAD, 0xAD),
            (0x34F, 0x34F),
            (0x61C, 0x61C),
            (0x115F, 0x1160),
            (0x17B4, 0x17B5),
            (0x180E, 0x180E),
            (0x200B, 0x200F),
            (0x2028, 0x202E),
            (0x2060, 0x206F),
            (0x3164, 0x3164),
            (0xFEFF, 0xFEFF),
            (0xFFA0, 0xFFA0),
            (0xFFF9, 0xFFFB),
            (0xE0000, 0xE0FFF),
        ] {
            let forbidden = |code: u32| char::from_u32(code).is_some_and(is_forbidden);
            assert!((first..=last).all(forbidden), "U+{first:04X} to U+{last:04X}");
            let around = [first.wrapping_sub(1), last + 1];
            assert!(
                !around.into_iter().any(forbidden),
                "U+{first:04X} to U+{last:04X} and no further"
            );
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
