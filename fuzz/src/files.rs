//! Files of scanners: reading is deterministic and bounded, and an error points into the file.

use loopiq::domain::text::hides;
use loopiq::import::{self, Format, ImportError, Location, MAX_MESSAGE, Scan, ScanFinding, ScanKind, Vulnerability};
use std::collections::HashSet;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The most characters of an error message, which people read on a console.
const LONGEST_ERROR: usize = 1_000;

pub(crate) fn hold(format: Format, data: &[u8]) {
    let outcome = import::read(format, data);
    assert_eq!(outcome, import::read(format, data), "two readings differ");
    match &outcome {
        Ok(scans) => {
            scans.iter().for_each(scan);
            distinct(scans);
            let mut named = scans.clone();
            import::identify(&mut named, Some("told"));
            distinct(&named);
            whole(format, data, scans);
        }
        Err(error) => refused(data, error),
    }
}

/// The findings are those of the whole file.
fn whole(format: Format, data: &[u8], scans: &[Scan]) {
    if std::str::from_utf8(data).ok() == import::text(data).ok().as_deref() {
        let marked = [BOM, data].concat();
        assert_eq!(
            import::read(format, &marked).as_deref(),
            Ok(scans),
            "a byte order mark changes it"
        );
    }
    // A truncated file is refused, unless the missing part has no content.
    for part in [1, 2, 3] {
        let head = &data[..data.len() * part / 4];
        if let Ok(fewer) = import::read(format, head) {
            assert_eq!(fewer, scans, "cut off after {} bytes, it reads otherwise", head.len());
        }
    }
}

fn scan(scan: &Scan) {
    assert_eq!(scan.results, scan.findings.len() + scan.not_failures);
    line(&scan.provider, 1_000);
    assert!(!scan.provider.is_empty());
    scan.findings.iter().for_each(finding);
    for statement in &scan.statements {
        shown(&statement.reason, MAX_MESSAGE);
        names(&statement.vulnerability);
        let own = statement.finding.map(|at| &scan.findings[at]);
        assert!(own.is_none_or(|own| own.vulnerability.as_ref() == Some(&statement.vulnerability)));
    }
}

fn names(vulnerability: &Vulnerability) {
    let names = vulnerability.ids.iter().chain(&vulnerability.products);
    names.for_each(|name| line(name, 1_000));
}

/// Each finding of a file has an identity of its own. Assessments may hold one finding at several times.
fn distinct(scans: &[Scan]) {
    let mut all = HashSet::new();
    for scan in scans {
        if scan.kind == ScanKind::Assessment {
            all.clear();
        }
        for finding in &scan.findings {
            assert!(all.insert(&finding.identity), "two findings are taken for one");
        }
    }
}

fn finding(finding: &ScanFinding) {
    line(&finding.title, 200);
    line(&finding.rule, 1_000);
    shown(&finding.message, MAX_MESSAGE);
    for digest in [&finding.identity, &finding.key] {
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    if let Some(link) = &finding.help_uri {
        assert!(
            link.len() <= 2_000 && link.chars().all(|c| c.is_ascii_graphic()),
            "{link:?}"
        );
        let link = link.to_ascii_lowercase();
        assert!(link.starts_with("http://") || link.starts_with("https://"), "{link}");
    }
    if let Some(component) = &finding.component {
        line(component, 3_000);
    }
    finding.vulnerability.iter().for_each(names);
    finding.location.iter().chain(&finding.more_locations).for_each(place);
}

fn place(place: &Location) {
    assert!(
        place.line != Some(0) && place.column != Some(0),
        "lines and columns count from 1"
    );
    for text in place.uri.iter().chain(&place.logical) {
        line(text, 2_000);
    }
}

/// Text for display is bounded, and contains no character that hides or reorders other text.
fn shown(text: &str, most: usize) {
    assert!(
        text.chars().count() <= most,
        "{} characters, not {most}",
        text.chars().count()
    );
    assert!(!hides(text), "{text:?} hides something");
}

fn line(text: &str, most: usize) {
    shown(text, most);
    assert!(!text.contains(['\n', '\r']), "{text:?} is more than a line");
}

/// An error is one line, and its position is inside the text.
fn refused(data: &[u8], error: &ImportError) {
    line(&error.to_string(), LONGEST_ERROR);
    let text = import::text(data);
    let text = text.as_ref().map_or(data, |text| text.as_bytes());
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    match error {
        ImportError::Truncated { line, column } | ImportError::Malformed { line, column, .. } => {
            assert!((1..=lines).contains(line), "line {line} of {lines}");
            let length = text.split(|byte| *byte == b'\n').nth(line - 1).map_or(0, <[u8]>::len);
            // A character that the end of the file cuts off can be longer in UTF-8.
            assert!(*column <= length * 3 + 1, "column {column} of {length} in line {line}");
        }
        ImportError::DocumentType { line } => assert!((1..=lines).contains(line), "line {line} of {lines}"),
        ImportError::NotText { offset, .. } => assert!(*offset < data.len()),
        _ => {}
    }
}
