//! The text of a file in any encoding that its byte order mark or its XML declaration names. JSON is UTF-8 (RFC 8259),
//! but PowerShell writes UTF-16, and test runners for Java, .NET and PHP write what their system uses.

use super::{ImportError, MAX_BYTES, shown_line};
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// The most bytes of an XML declaration.
const MAX_DECLARATION: usize = 1_000;

/// By how many bytes the text grows at a time, so that it is never much longer than it has to be.
const STEP: usize = 4 << 20;

/// The text of a file within [`MAX_BYTES`], without its byte order mark. The text is within [`MAX_BYTES`] as well.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ImportError> {
    decode_within(bytes, MAX_BYTES)
}

fn decode_within(bytes: &[u8], limit: usize) -> Result<Cow<'_, str>, ImportError> {
    if bytes.len() > limit {
        return Err(ImportError::TooLarge { limit });
    }
    if matches!(bytes, [0, 0, ..] | [0xFF, 0xFE, 0, 0, ..] | [_, 0, 0, 0, ..]) {
        return Err(other("UTF-32"));
    }
    let (encoding, mark) = match bytes {
        [0xEF, 0xBB, 0xBF, ..] => (UTF_8, 3),
        [0xFF, 0xFE, ..] => (UTF_16LE, 2),
        [0xFE, 0xFF, ..] => (UTF_16BE, 2),
        // Without a mark. In UTF-16, an ASCII character has a zero byte.
        [_, 0, ..] => (UTF_16LE, 0),
        [0, _, ..] => (UTF_16BE, 0),
        _ => (declared(bytes)?, 0),
    };
    let body = &bytes[mark..];
    if encoding == UTF_8 {
        return utf8(body, mark).map(Cow::Borrowed);
    }
    decoded(encoding, body, mark, limit).map(Cow::Owned)
}

/// The encoding of the XML declaration, or else UTF-8. The first bytes are ASCII, whatever the declaration says:
/// UTF-16 is what .NET declares for any text that it has in memory.
fn declared(bytes: &[u8]) -> Result<&'static Encoding, ImportError> {
    let head = bytes.trim_ascii_start();
    let head = &head[..head.len().min(MAX_DECLARATION)];
    let declaration = head.strip_prefix(b"<?xml").and_then(|rest| {
        let end = rest.windows(2).position(|two| two == b"?>")?;
        std::str::from_utf8(&rest[..end]).ok()
    });
    let Some(name) = declaration.and_then(encoding_name) else {
        return Ok(UTF_8);
    };
    match Encoding::for_label_no_replacement(name.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(other(name)),
    }
}

fn encoding_name(declaration: &str) -> Option<&str> {
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

fn other(name: &str) -> ImportError {
    ImportError::OtherEncoding {
        name: shown_line(name, 40),
    }
}

fn utf8(body: &[u8], mark: usize) -> Result<&str, ImportError> {
    std::str::from_utf8(body).map_err(|error| {
        let valid = error.valid_up_to();
        if error.error_len().is_some() {
            return ImportError::NotText {
                encoding: UTF_8.name(),
                offset: mark + valid,
            };
        }
        // The file ends inside a character, so it was cut off.
        cut(std::str::from_utf8(&body[..valid]).unwrap_or_default())
    })
}

/// The error for a file that ends after this text.
fn cut(text: &str) -> ImportError {
    let line = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = text.bytes().rev().take_while(|byte| *byte != b'\n').count();
    ImportError::Truncated { line, column }
}

fn decoded(encoding: &'static Encoding, body: &[u8], mark: usize, limit: usize) -> Result<String, ImportError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    let mut read = 0;
    loop {
        // A few bytes more than the limit, so that a text within it always fits.
        let room = (limit + 16).saturating_sub(text.len());
        text.reserve_exact(room.min(STEP));
        let (result, more) = decoder.decode_to_string_without_replacement(&body[read..], &mut text, true);
        read += more;
        if text.len() > limit {
            return Err(ImportError::DecodesTooLarge { limit });
        }
        match result {
            DecoderResult::InputEmpty => return Ok(text),
            DecoderResult::OutputFull if room < 16 => return Err(ImportError::DecodesTooLarge { limit }),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(_, _) if read == body.len() => return Err(cut(&text)),
            DecoderResult::Malformed(length, after) => {
                let offset = mark + read.saturating_sub(usize::from(length) + usize::from(after));
                return Err(ImportError::NotText {
                    encoding: encoding.name(),
                    offset,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn a_mark_or_a_declaration_names_the_encoding() {
        let text = "<a>grün 𝄞</a>";
        let (little, big) = (wide(text, u16::to_le_bytes), wide(text, u16::to_be_bytes));
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            [&b"\xFF\xFE"[..], &little].concat(),
            [&b"\xFE\xFF"[..], &big].concat(),
            little,
            big,
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        for (name, word, expected) in [
            ("ISO-8859-1", &b"gr\xFCn"[..], "grün"),
            ("windows-1252", b"\x80", "€"),
            ("Windows-1251", b"\xE4\xE0", "да"),
            ("Shift_JIS", b"\x83e\x83X\x83g", "テスト"),
            ("utf-8", "grün".as_bytes(), "grün"),
            ("UTF-16", "grün".as_bytes(), "grün"),
        ] {
            for declaration in [
                format!("<?xml version=\"1.0\" encoding=\"{name}\"?>"),
                format!("\n<?xml version='1.0' encoding = '{name}' standalone='yes' ?>"),
            ] {
                let bytes = [declaration.as_bytes(), b"<a>", word, b"</a>"].concat();
                let expected = format!("{declaration}<a>{expected}</a>");
                assert_eq!(decode(&bytes).as_deref(), Ok(expected.as_str()), "{name}");
            }
        }
        // A mark is right even if the declaration says otherwise.
        let marked = "<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>";
        assert_eq!(
            decode(&[b"\xEF\xBB\xBF", marked.as_bytes()].concat()).as_deref(),
            Ok(marked)
        );
        // JSON that quotes a declaration is UTF-8.
        let json = "{\"a\": \"<?xml encoding='ISO-8859-1'?>ü\"}";
        assert_eq!(decode(json.as_bytes()).as_deref(), Ok(json));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let not = |encoding, offset| Err(ImportError::NotText { encoding, offset });
        assert_eq!(decode(b"{\"a\": \"\xE9t\xE9\"}"), not("UTF-8", 7));
        assert_eq!(decode(b"\xFF\xFE{\0\x00\xD8}\0 \0"), not("UTF-16LE", 4));
        assert_eq!(decode(b"<?xml encoding='EUC-JP'?>\xFF<a/>"), not("EUC-JP", 25));
        for name in ["EBCDIC", "UTF-7", "UTF-32", "iso-2022-kr"] {
            let file = format!("<?xml version='1.0' encoding='{name}'?><a/>");
            assert_eq!(decode(file.as_bytes()), Err(other(name)), "{name}");
        }
        for bytes in [
            &b"\xFF\xFE\0\0<\0\0\0"[..],
            b"<\0\0\0a\0\0\0",
            b"\0\0\0<",
            b"\0\0\xFE\xFF",
        ] {
            assert_eq!(decode(bytes), Err(other("UTF-32")), "{bytes:?}");
        }
        for cut in [&b"{\n\"\xC3"[..], b"\xFF\xFE{\0\n\0\"\0\xFC"] {
            assert_eq!(
                decode(cut),
                Err(ImportError::Truncated { line: 2, column: 1 }),
                "{cut:?}"
            );
        }
    }

    #[test]
    fn a_text_does_not_grow_beyond_the_limit() {
        let file = |euros: usize| [b"<?xml encoding='windows-1252'?>".as_slice(), &vec![0x80; euros]].concat();
        let declaration = file(0).len();
        let limit = declaration + 300;
        assert_eq!(decode_within(&file(100), limit).map(|text| text.len()), Ok(limit));
        assert_eq!(
            decode_within(&file(101), limit),
            Err(ImportError::DecodesTooLarge { limit })
        );
        assert_eq!(decode_within(&file(301), limit), Err(ImportError::TooLarge { limit }));
        let wide = wide(&"語".repeat(1_000), u16::to_le_bytes);
        let marked = [&b"\xFF\xFE"[..], &wide].concat();
        assert_eq!(
            decode_within(&marked, 2_999),
            Err(ImportError::DecodesTooLarge { limit: 2_999 })
        );
        assert_eq!(decode_within(&marked, 3_000).map(|text| text.len()), Ok(3_000));
    }
}
