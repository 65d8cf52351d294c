//! A small reader and writer of JSON. `serde_json` reads and writes numbers with fractions and describes each error, which would make the WASM
//! file twice as large.

/// The deepest nesting that is read.
const MAX_DEPTH: u32 = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A number without sign, fraction and exponent below 2^64; `None` for any other number, which nothing here needs.
    Number(Option<u64>),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text. `None` if it is not JSON, is nested too deeply, or has an object with two fields of one name, which programs read
    /// differently.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(MAX_DEPTH)?;
        reader.space();
        (reader.at == text.len()).then_some(value)
    }

    /// The value of a field. `None` if there is no such field.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The field, if it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The field, if it is a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Self::Number(number) => *number,
            _ => None,
        }
    }

    /// The field, if it is a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let Self::Array(values) = self.get(name)? else {
            return None;
        };
        fn text(value: &Json) -> Option<&str> {
            match value {
                Json::Text(text) => Some(text),
                _ => None,
            }
        }
        values.iter().map(text).collect()
    }

    /// The field, or `None` if it is null or missing.
    pub(crate) fn some(&self, name: &str) -> Option<&Self> {
        self.get(name).filter(|value| **value != Self::Null)
    }
}

/// The rest of a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes the byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let is_next = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_next.then_some(value)
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.space();
        match self.peek()? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => self.digits(),
        }
    }

    fn array(&mut self, depth: u32) -> Option<Json> {
        self.at += 1;
        let mut values = Vec::new();
        self.space();
        if self.takes(b']') {
            return Some(Json::Array(values));
        }
        loop {
            values.push(self.value(depth)?);
            self.space();
            if self.takes(b']') {
                return Some(Json::Array(values));
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        self.at += 1;
        let mut fields: Vec<(String, Json)> = Vec::new();
        self.space();
        if self.takes(b'}') {
            return Some(Json::Object(fields));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.takes(b':').then_some(())?;
            if fields.iter().any(|(field, _)| *field == name) {
                return None;
            }
            let value = self.value(depth)?;
            fields.push((name, value));
            self.space();
            if self.takes(b'}') {
                return Some(Json::Object(fields));
            }
            self.takes(b',').then_some(())?;
        }
    }

    fn digits(&mut self) -> Option<Json> {
        let mut is_whole = !self.takes(b'-');
        let whole = self.at;
        if !self.takes(b'0') {
            self.some_digits()?;
        }
        let end = self.at;
        if self.takes(b'.') {
            is_whole = false;
            self.some_digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            is_whole = false;
            let _ = self.takes(b'+') || self.takes(b'-');
            self.some_digits()?;
        }
        let mut digits = self.text.get(whole..end)?.bytes();
        let number = digits.try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        Some(Json::Number(number.filter(|_| is_whole)))
    }

    fn some_digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.takes(b'"').then_some(())?;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let end = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
            text.push_str(rest.get(..end)?);
            self.at += end;
            if self.takes(b'"') {
                return Some(text);
            }
            self.takes(b'\\').then_some(())?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escaped = self.peek()?;
        self.at += 1;
        Some(match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let is_first_of_two = (0xD800..0xDC00).contains(&unit);
                let code = if is_first_of_two {
                    (self.takes(b'\\') && self.takes(b'u')).then_some(())?;
                    let second = self.unit()?.checked_sub(0xDC00).filter(|second| *second < 0x400)?;
                    0x10000 + ((unit - 0xD800) << 10) + second
                } else {
                    unit
                };
                char::from_u32(code)?
            }
            _ => return None,
        })
    }

    /// Four hex digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .chars()
            .try_fold(0, |unit, digit| Some(unit << 4 | digit.to_digit(16)?))
    }
}

/// Writes a text with its quotation marks.
pub(crate) fn write_text(out: &mut String, text: &str) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\0'..' ' => {
                out.push_str("\\u00");
                out.push(DIGITS[(char as usize) >> 4]);
                out.push(DIGITS[(char as usize) & 15]);
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// The same value as `serde_json` has it.
    fn same(ours: &Json, theirs: &Value) -> bool {
        match (ours, theirs) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
            (Json::Number(ours), Value::Number(theirs)) => *ours == theirs.as_u64(),
            (Json::Text(ours), Value::String(theirs)) => ours == theirs,
            (Json::Array(ours), Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
            }
            (Json::Object(ours), Value::Object(theirs)) => {
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .all(|(name, value)| theirs.get(name).is_some_and(|other| same(value, other)))
            }
            _ => false,
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_writes(value in value(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let read = Json::read(&text.unwrap());
            prop_assert!(read.is_some_and(|read| same(&read, &value)), "{}", value);
        }

        #[test]
        fn accepts_only_json(text in r#"([\[\]{}:,]|"[a-f\\u0-9/"n]*|true|null|-?[0-9]{1,3}([.eE][+-]?[0-9]*)?|[ \n]){0,12}"#) {
            if let Some(read) = Json::read(&text) {
                match serde_json::from_str::<Value>(&text) {
                    Ok(value) => prop_assert!(same(&read, &value), "{}", text),
                    // `serde_json` refuses numbers that are too large for a double.
                    Err(error) => prop_assert!(error.to_string().contains("out of range"), "{}: {}", text, error),
                }
            }
        }

        #[test]
        fn texts_are_written_as_they_are_read(text: String) {
            let mut out = String::new();
            write_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text.clone());
            prop_assert_eq!(Json::read(&out), Some(Json::Text(text)));
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::read(&deep(MAX_DEPTH as usize)).is_some());
        assert!(Json::read(&deep(MAX_DEPTH as usize + 1)).is_none());
        assert!(Json::read(&"[".repeat(1_000_000)).is_none());
        for text in [
            "",
            " ",
            "nul",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "\"\n\"",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "1 1",
            "{\"a\":1,\"a\":1}",
            "\"\\u00é\"",
        ] {
            assert_eq!(Json::read(text), None, "{text}");
        }
        let clef = Json::read(r#""\ud834\udd1e\u00e9\/""#);
        assert_eq!(clef, Some(Json::Text("\u{1D11E}é/".to_owned())));
        assert_eq!(Json::read("18446744073709551616"), Some(Json::Number(None)));
        assert_eq!(Json::read("-1"), Some(Json::Number(None)));
    }
}
