use super::super::tests::{files, sample};
use super::super::{Format, ImportError, detect, read, read_any};
use super::unread::tables;

#[test]
fn a_known_format_that_is_not_read_is_refused_by_name() {
    for (file, what, instead) in tables() {
        assert_eq!(detect(file.as_bytes()), None, "{file}");
        let error = read_any(file.as_bytes()).expect_err("refused");
        let line = error.to_string();
        assert!(line.contains(what) && line.contains(instead), "{file}: {line}");
    }
    for (file, word) in [
        (&b"\x1F\x8B\x08\0\0\0\0\0\0\xFFabc"[..], "gzip"),
        (b"PK\x03\x04\x14\0\x06\0", "ZIP"),
        (b"<!DOCTYPE html><html><body></body></html>", "web page"),
        (
            b"[{\"RuleID\": \"a\", \"Secret\": \"b\", \"Fingerprint\": \"c\"}]",
            "Gitleaks",
        ),
        (b"{\"reportFormat\": \"CTRF\", \"results\": {}}", "CTRF"),
    ] {
        let line = read_any(file).expect_err("refused").to_string();
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn text_before_a_report_is_pointed_at() {
    for (format, file) in files("word", 2) {
        for (chatter, line, quoted) in [
            ("Scanning 12 files ...\n", 1, "Scanning 12 files ..."),
            ("\n\n[INFO] scanning\n[INFO] {done}\n  \n", 3, "[INFO] scanning"),
            ("warning: x\r\n", 1, "warning: x"),
        ] {
            let what = if file.starts_with('<') { "XML" } else { "JSON" };
            let expected = ImportError::TextBefore {
                what,
                line,
                text: quoted.to_owned(),
            };
            let mixed = format!("{chatter}{file}");
            assert_eq!(read_any(mixed.as_bytes()), Err(expected.clone()), "{mixed}");
            assert_eq!(read(format, mixed.as_bytes()), Err(expected), "{mixed}");
        }
    }
    let same_line = "done: {\"version\": \"2.1.0\", \"runs\": []}";
    assert!(matches!(
        read_any(same_line.as_bytes()),
        Err(ImportError::TextBefore { line: 1, .. })
    ));
    for other in ["only words\n", "words\n{\"a\": 1}\n", "[INFO]\n[]\n"] {
        assert_eq!(read_any(other.as_bytes()), Err(ImportError::Unrecognised), "{other}");
    }
    let many = format!("words\n{}", "{\n".repeat(100_000));
    assert_eq!(read_any(many.as_bytes()), Err(ImportError::Unrecognised));

    let Some(case) = sample("cases/other/chatter-before.sarif") else {
        return;
    };
    let error = read_any(&case).expect_err("refused").to_string();
    assert!(
        error.starts_with("text stands before the JSON, line 1 (Scanning 12 files ...)"),
        "{error}"
    );
    assert_eq!(read(Format::Sarif, &case).expect_err("refused").to_string(), error);
}
