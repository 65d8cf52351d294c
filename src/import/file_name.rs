//! Names files in one spelling, for display and for identity: percent-encoding is decoded, `\` becomes `/`, and the path
//! contains no `.`, no `..` and no double `/` that could be left out.

use super::assemble::named;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The most bytes of a name that are read. [`super::assemble::MAX_NAME`] characters remain in the end, and percent-encoding
/// makes a character at most twelve bytes long. Many results can refer to one long name.
pub(super) const LONGEST: usize = 16 << 10;

/// The most bytes of a scheme with its colon, so that a long name is not searched for one.
const LONGEST_SCHEME: usize = 64;

/// The name of a file that a URI or a path names; `None` if blank. A URI of another scheme than `file` is not changed.
pub(super) fn file_name(uri: &str) -> Option<String> {
    named(Some(&normal(uri)))
}

/// Whether a URI or a path is absolute: it has a scheme, a drive or a leading slash.
pub(super) fn is_absolute(uri: &str) -> bool {
    let uri = uri.trim_start();
    scheme(uri).is_some() || uri.starts_with(['/', '\\']) || drive(uri)
}

/// The name in one spelling, not yet safe to show.
pub(super) fn normal(uri: &str) -> Cow<'_, str> {
    let uri = uri.trim();
    let uri = &uri[..uri.floor_char_boundary(LONGEST)];
    let path = match scheme(uri) {
        None => uri,
        Some(scheme) if scheme.eq_ignore_ascii_case("file") => {
            let rest = &uri[scheme.len() + 1..];
            match rest.strip_prefix("//") {
                // An empty authority, or this machine's own name.
                Some(path) if path.starts_with('/') => path,
                Some(path) if path.starts_with("localhost/") => &path["localhost".len()..],
                // Another machine, or a drive (`file://C:/a`, which some tools write).
                Some(path) if drive(path) => path,
                _ => rest,
            }
        }
        Some(_) => return Cow::Borrowed(uri),
    };
    let decoded = percent_decode_str(path).decode_utf8();
    let path = decoded.unwrap_or(Cow::Borrowed(path)).replace('\\', "/");
    let path = path.strip_prefix('/').filter(|rest| drive(rest)).unwrap_or(&path);
    Cow::Owned(without_dots(path))
}

/// A scheme has at least two letters; one letter is a drive.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri[..uri.floor_char_boundary(LONGEST_SCHEME)].split_once(':')?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme =
        scheme.len() > 1 && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(letters);
    is_scheme.then_some(scheme)
}

fn drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', rest @ ..] if letter.is_ascii_alphabetic() && matches!(rest, [] | [b'/' | b'\\', ..]))
}

fn without_dots(path: &str) -> String {
    // Two slashes begin the name of another machine (`//server/share`).
    let root = match path {
        _ if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<Cow<'_, str>> = Vec::new();
    for (index, part) in path.split('/').enumerate() {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            // Nothing is above the root.
            ".." if !root.is_empty() => {}
            _ if index == 0 && drive(part) => parts.push(part.to_ascii_uppercase().into()),
            _ => parts.push(part.into()),
        }
    }
    if parts.is_empty() && root.is_empty() && !path.is_empty() {
        return "./".to_owned();
    }
    let directory = path.ends_with('/') && !parts.is_empty();
    format!("{root}{}{}", parts.join("/"), if directory { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name_however_it_is_spelled() {
        for (spellings, expected) in [
            (
                &[
                    "src/my%20file.c",
                    "src/my file.c",
                    "src\\my file.c",
                    "./src//x/../my%20file.c",
                ][..],
                "src/my file.c",
            ),
            (&["src/%C3%BCber.c", "src/über.c"], "src/über.c"),
            (
                &[
                    "file:///C:/a/b.c",
                    "file:///c:/a/b.c",
                    "file:/C:/a/b.c",
                    "C:\\a\\b.c",
                    "c:/a/b.c",
                    "/C:/a/b.c",
                    "file:///C%3A/a/b.c",
                    "file://C:/a/b.c",
                    "C:%5Ca%5Cb.c",
                ],
                "C:/a/b.c",
            ),
            (
                &[
                    "file:///a/b.c",
                    "/a/b.c",
                    "file:/a/b.c",
                    "file://localhost/a/b.c",
                    "/../a/./b.c",
                ],
                "/a/b.c",
            ),
            (
                &[
                    "\\\\server\\share\\b.c",
                    "//server/share/b.c",
                    "file://server/share/b.c",
                ],
                "//server/share/b.c",
            ),
            (&["../a.c"], "../a.c"),
            (&["../../a.c"], "../../a.c"),
            (&["a/100%.c"], "a/100%.c"),
            (&["a/%zz%ff.c"], "a/%zz%ff.c"),
            (&["https://host/a%20b/../c?d=%2F"], "https://host/a%20b/../c?d=%2F"),
            (&["pkg:npm/%40a/b@1"], "pkg:npm/%40a/b@1"),
            (&["a%E2%80%AEb.c"], "a⟦U+202E⟧b.c"),
            (&["a/b/"], "a/b/"),
        ] {
            for spelling in spellings {
                assert_eq!(file_name(spelling).as_deref(), Some(expected), "{spelling}");
            }
        }
        for here in [".", "./", "a/.."] {
            assert_eq!(file_name(here).as_deref(), Some("./"), "{here}");
        }
        assert_eq!((file_name(""), file_name(" ")), (None, None));
        assert!(file_name(&"a/".repeat(1 << 20)).is_some_and(|name| name.len() <= 1_002));
    }

    #[test]
    fn absolute_names() {
        for name in ["/a", "\\a", "C:/a", "c:\\a", "file:///a", "https://host/", "C:"] {
            assert!(is_absolute(name), "{name}");
        }
        for name in ["a", "a/b", "./a", "", "C:a", "a:b/c".get(2..).unwrap_or_default()] {
            assert!(!is_absolute(name), "{name}");
        }
    }
}
