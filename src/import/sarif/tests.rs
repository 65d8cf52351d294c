//! Tests with files of other projects' scanners (see SOURCES.md in their folder), and with small files for what the
//! samples lack. Counts are of raw results unless noted.

use crate::import::{Format, ImportError, KeySource, Scan, ScanFinding, Severity, detect, read, read_any};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All sample files, with their raw results.
const SAMPLES: [(&str, usize); 7] = [
    ("semgrep-juice-shop", 77),
    ("codeql-python", 72),
    ("grype-cxf-3.4.6", 22),
    ("dependency-check", 13),
    ("mobsfscan", 9),
    ("dockle", 4),
    ("suppressions", 5),
];

/// A sample file, or `None` without the samples.
fn sample(name: &str) -> Option<Vec<u8>> {
    crate::import::tests::sample(&format!("scans/{name}.sarif"))
}

/// The only run of a sample.
fn scan(name: &str) -> Option<Scan> {
    let (format, scans) = read_any(&sample(name)?).expect(name);
    assert_eq!(format, Format::Sarif);
    let [scan] = <[Scan; 1]>::try_from(scans).expect("one run");
    Some(scan)
}

/// A file with these results and these further fields of the run.
fn own(results: Value, run: Value) -> Value {
    let mut whole = json!({"tool": {"driver": {"name": "own"}}, "results": results});
    whole.as_object_mut().unwrap().extend(run.as_object().unwrap().clone());
    json!({"version": "2.1.0", "runs": [whole]})
}

fn read_value(file: &Value) -> Result<Vec<Scan>, ImportError> {
    read(Format::Sarif, file.to_string().as_bytes())
}

fn own_scan(results: Value, run: Value) -> Scan {
    read_value(&own(results, run)).expect("a sound file").remove(0)
}

fn only(result: Value) -> ScanFinding {
    own_scan(json!([result]), json!({})).findings.remove(0)
}

fn count(scan: &Scan, severity: Severity) -> usize {
    scan.findings
        .iter()
        .filter(|finding| finding.severity == severity)
        .count()
}

fn severities(scan: &Scan) -> [usize; 5] {
    [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::None,
    ]
    .map(|one| count(scan, one))
}

fn identities(scan: &Scan) -> BTreeSet<String> {
    scan.findings.iter().map(|finding| finding.identity.clone()).collect()
}

#[test]
fn every_result_of_the_samples_is_read_and_known_by_one_identity() {
    for (name, results) in SAMPLES {
        let Some(scan) = scan(name) else { return };
        assert_eq!(
            (scan.results, scan.findings.len(), scan.not_failures),
            (results, results, 0),
            "{name}"
        );
        assert_eq!(identities(&scan).len(), results, "{name}");
        assert!(scan.complete, "{name}");
        for finding in &scan.findings {
            assert!(finding.identity.starts_with("sha256:") && finding.identity.len() == 71);
            assert!(
                !finding.rule.is_empty() && !finding.title.is_empty() && !finding.message.is_empty(),
                "{name}"
            );
            assert!(
                finding.title.chars().count() <= 200 && !finding.title.contains('\n'),
                "{name}"
            );
        }
        assert_eq!(
            self::scan(name).as_ref(),
            Some(&scan),
            "{name}: reading twice gives the same"
        );
    }
    let none = sample("no-runs").expect("the others were there");
    assert_eq!(read_any(&none), Ok((Format::Sarif, Vec::new())));
}

/// Verified with jq against the files.
#[test]
fn severities_come_from_score_word_level_or_default() {
    for (name, expected) in [
        ("semgrep-juice-shop", [34, 1, 42, 0, 0]), // words on rules, above the levels
        ("grype-cxf-3.4.6", [1, 11, 4, 6, 0]),     // scores on rules
        ("codeql-python", [0, 11, 4, 57, 0]),      // no score, no level: the rules' defaults
        ("mobsfscan", [0, 1, 1, 7, 0]),            // one result without level: warning
        ("dockle", [0, 1, 0, 3, 0]),
        ("suppressions", [0, 0, 5, 0, 0]),
    ] {
        let Some(scan) = scan(name) else { return };
        assert_eq!(severities(&scan), expected, "{name}");
    }
}

#[test]
fn the_samples_keep_their_peculiarities() {
    let Some(mobsfscan) = scan("mobsfscan") else { return };
    let places: usize = mobsfscan
        .findings
        .iter()
        .map(|one| usize::from(one.location.is_some()) + one.more_locations.len())
        .sum();
    assert_eq!(places, 18);
    assert_eq!(mobsfscan.collected_at, Some(1_628_864_831_000_000)); // 2021-08-13T14:27:11Z
    assert_eq!(mobsfscan.findings[0].title, "AndroidLogging");
    assert!(
        mobsfscan.findings[0]
            .help_uri
            .as_deref()
            .is_some_and(|uri| uri.starts_with("https://github.com/MobSF/"))
    );

    let dockle = scan("dockle").expect("there");
    assert!(
        dockle
            .findings
            .iter()
            .all(|one| one.location.is_none() && one.key_source == KeySource::Message)
    );

    let suppressions = scan("suppressions").expect("there");
    let suppressed: Vec<bool> = suppressions.findings.iter().map(|one| one.suppressed).collect();
    assert_eq!(suppressed, [true, true, true, false, false]);
    assert_eq!(
        suppressions.findings[0]
            .location
            .as_ref()
            .and_then(|place| place.uri.as_deref()),
        Some("C:/code/file1.c")
    );

    let check = scan("dependency-check").expect("there");
    assert_eq!(check.provider_version.as_deref(), Some("6.1.2"));
    let html = check
        .findings
        .iter()
        .filter(|one| one.message.contains("<option>"))
        .count();
    assert_eq!(html, 2, "text that looks like HTML stays text");

    let semgrep = scan("semgrep-juice-shop").expect("there");
    assert_eq!(
        (semgrep.provider.as_str(), semgrep.provider_version.as_deref()),
        ("Semgrep OSS", Some("1.69.0"))
    );
    assert!(
        semgrep
            .findings
            .iter()
            .all(|one| one.key_source == KeySource::Fingerprint)
    );
    let codeql = scan("codeql-python").expect("there");
    assert!(
        codeql
            .findings
            .iter()
            .all(|one| one.key_source == KeySource::PartialFingerprint)
    );
}

#[test]
fn identities_do_not_depend_on_the_order_of_results() {
    for (name, _) in SAMPLES {
        let (Some(bytes), Some(scan)) = (sample(name), scan(name)) else {
            return;
        };
        let mut file: Value = serde_json::from_slice(&bytes).unwrap();
        file["runs"][0]["results"].as_array_mut().unwrap().reverse();
        let turned = read_value(&file).unwrap().remove(0);
        assert_eq!(identities(&turned), identities(&scan), "{name}");
        for (one, other) in turned.findings.iter().rev().zip(&scan.findings) {
            assert_eq!(one, other, "{name}: each keeps its own");
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for name in ["mobsfscan", "suppressions"] {
        let Some(bytes) = sample(name) else { return };
        let end = bytes.iter().rposition(|byte| *byte == b'}').unwrap();
        for position in 0..200 {
            let cut = &bytes[..end * position / 199];
            assert!(
                matches!(read(Format::Sarif, cut), Err(ImportError::Truncated { .. })),
                "{name} at {}",
                cut.len()
            );
            assert!(
                cut.len() < 200 || detect(cut) == Some(Format::Sarif),
                "{name} at {}",
                cut.len()
            );
        }
    }
}

#[test]
fn a_damaged_file_never_panics() {
    for name in ["suppressions", "dockle", "mobsfscan"] {
        let Some(bytes) = sample(name) else { return };
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize
        };
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            for _ in 0..=next() % 4 {
                let at = next() % damaged.len();
                damaged[at] = b"{}[],:\"0-\x00\xFFn"[next() % 12];
            }
            let _ = read_any(&damaged);
        }
    }
}

mod identity;
mod own;
mod places;
