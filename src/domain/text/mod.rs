//! Text from agents, scanners, identity providers and operators: what is refused in a proposal, and the type in which everything else
//! reaches a page.

mod plain;

pub use plain::PlainText;

use super::FieldError;
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

/// The text with each forbidden character written as its code point, `⟦U+202E⟧`, so that a reader sees it.
pub fn visible(text: &str) -> String {
    if !text.contains(is_forbidden) {
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

/// Every string (and key) of a payload that holds a forbidden character, with the place it stands at.
pub fn forbidden_in(payload: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(payload, &mut String::new(), &mut errors);
    errors
}

/// More than these help nobody, and each holds a pointer of its own.
const MOST_ERRORS: usize = 50;

fn walk(value: &Value, pointer: &mut String, errors: &mut Vec<FieldError>) {
    if errors.len() >= MOST_ERRORS {
        return;
    }
    let length = pointer.len();
    match value {
        Value::String(text) => report(text, pointer, errors),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(item, pointer, errors);
                pointer.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                report(key, pointer, errors);
                pointer.push_str(&super::pointer(&[key]));
                walk(item, pointer, errors);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn report(text: &str, pointer: &str, errors: &mut Vec<FieldError>) {
    let plain = text.chars().find(|c| is_forbidden(*c)).map(|c| (c, ""));
    // Whoever shows the text later may decode it: what an entity hides is hidden all the same.
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

/// The text with its HTML entities decoded, and those that come out of that again; `None` if it has none.
fn decoded(text: &str) -> Option<String> {
    // Deeper than this nobody decodes.
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

/// Lower-case words of a text for search: letters and digits, two characters or more, each once.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().nth(1).is_some())
        .map(|word| {
            let lower = word.chars().take(40).flat_map(char::to_lowercase);
            // A dot of its own comes out of İ, which would part the word if it were read again.
            lower.filter(|c| c.is_alphanumeric()).collect()
        })
        .collect();
    words.sort();
    words.dedup();
    words
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
    fn a_word_is_its_own_word() {
        assert_eq!(words("İstanbul ǅ STRAẞE x"), ["istanbul", "straße"]);
        assert_eq!(words("istanbul"), ["istanbul"]);
    }

    #[test]
    fn older_text_is_made_visible() {
        assert_eq!(visible("pay\u{200B}ment"), "pay⟦U+200B⟧ment");
        assert_eq!(visible("plain"), "plain");
    }
}
