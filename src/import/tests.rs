//! What every reader does with invalid files. The tests of valid files are in each reader's module.

use super::{ControlReport, Format, ImportError, Scan, ScanFinding, detect, read, read_any};
use crate::domain::text::is_forbidden;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A sample file of another project (see SOURCES.md in its folder). `None`, with a line on stderr, if the samples are
/// missing; CI has them and fails.
pub(super) fn sample(path: &str) -> Option<Vec<u8>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("LOOPIQ_TEST_DATA")
        .map_or(beside, PathBuf::from)
        .join(path);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!(
                "skipped: {} ({error}); set LOOPIQ_TEST_DATA to the folder with the sample files",
                path.display()
            );
            None
        }
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The only scan of a sample.
pub(super) fn sample_scan(format: Format, path: &str) -> Option<Scan> {
    let (found, scans) = read_any(&sample(path)?).expect(path);
    assert_eq!(found, format, "{path}");
    let [scan] = <[Scan; 1]>::try_from(scans).expect("one scan");
    Some(scan)
}

/// The only scan of a valid file.
pub(super) fn only(format: Format, file: &str) -> Scan {
    let (found, scans) = read_any(file.as_bytes()).expect("a sound file");
    assert_eq!(found, format);
    assert_eq!(read(format, file.as_bytes()), Ok(scans.clone()));
    let [scan] = <[Scan; 1]>::try_from(scans).expect("one scan");
    scan
}

pub(super) fn rules(scan: &Scan) -> Vec<&str> {
    scan.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

pub(super) fn identities(scan: &Scan) -> std::collections::BTreeSet<&str> {
    scan.findings.iter().map(|finding| finding.identity.as_str()).collect()
}

/// The number of kinds of files that [`file`] writes.
const KINDS: usize = 18;

/// The kind that holds exactly one record.
const RECORD: usize = 2;

/// Valid files of every kind, each with `count` findings (an OSCAL catalog: controls), with `word` as every name and
/// text.
pub(super) fn files(word: &str, count: usize) -> Vec<(Format, String)> {
    (0..KINDS).map(|kind| file(kind, word, count)).collect()
}

fn file(kind: usize, word: &str, count: usize) -> (Format, String) {
    let many = |value: &dyn Fn(usize) -> Value| Value::from_iter((0..count).map(value));
    let record = |n: usize| {
        json!({
            "id": format!("{n}-{word}"), "modified": "2024-01-01T00:00:00Z", "summary": word, "details": word,
            "aliases": [word], "affected": [{ "package": { "name": word, "ecosystem": word } }],
        })
    };
    let metadata = json!({ "title": word, "version": word, "oscal-version": "1.1.2" });
    let (format, file) = match kind {
        0 => {
            let results = many(&|n| {
                json!({
                    "ruleId": word, "message": { "text": format!("{word} {n}") },
                    "locations": [{ "physicalLocation": { "artifactLocation": { "uri": word } } }],
                })
            });
            let run = json!({ "tool": { "driver": { "name": word } }, "results": results });
            (Format::Sarif, json!({ "version": "2.1.0", "runs": [run] }))
        }
        1 => (Format::Osv, many(&record)),
        RECORD => (Format::Osv, record(0)),
        3 => {
            let package = json!({ "name": word, "version": word, "ecosystem": word });
            let packages = json!([{ "package": package, "vulnerabilities": many(&record) }]);
            let source = json!({ "path": word, "type": "lockfile" });
            (
                Format::Osv,
                json!({ "results": [{ "source": source, "packages": packages }] }),
            )
        }
        4 => {
            let named = json!({ "name": word, "version": word });
            let vulnerabilities = many(&|n| {
                json!({
                    "id": format!("{n}-{word}"), "description": word, "affects": [{ "ref": "a" }],
                    "analysis": { "state": "exploitable", "detail": word },
                })
            });
            let bom = json!({
                "bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": vulnerabilities,
                "metadata": { "tools": { "components": [named] }, "component": named },
                "components": [{ "bom-ref": "a", "name": word, "version": word, "purl": word }],
            });
            (Format::CycloneDx, bom)
        }
        5 => return (Format::JUnit, junit(word, count)),
        6 => {
            let findings = many(&|n| {
                json!({
                    "title": format!("{word} {n}"), "description": word,
                    "target": { "target-id": word, "status": { "state": "not-satisfied" } },
                })
            });
            let results = json!([{ "findings": findings, "risks": [] }]);
            let document = json!({ "metadata": metadata, "results": results });
            (Format::Oscal, json!({ "assessment-results": document }))
        }
        7 => {
            let controls = many(&|n| json!({ "id": format!("{n}-{word}"), "title": word }));
            let document = json!({ "metadata": metadata, "groups": [{ "controls": controls }] });
            (Format::Oscal, json!({ "catalog": document }))
        }
        9.. => return newer(kind, word, count),
        _ => {
            let items = many(&|n| json!({ "title": format!("{word} {n}"), "description": word }));
            let document = json!({ "metadata": metadata, "poam-items": items });
            (Format::Oscal, json!({ "plan-of-action-and-milestones": document }))
        }
    };
    (format, file.to_string())
}

/// The kinds of the formats that were added last.
fn newer(kind: usize, word: &str, count: usize) -> (Format, String) {
    let many = |value: &dyn Fn(usize) -> Value| Value::from_iter((0..count).map(value));
    let (format, file) = match kind {
        9 => return (Format::CycloneDx, cyclonedx(word, count)),
        10 => {
            let statements = many(&|n| {
                json!({
                    "vulnerability": { "name": format!("{n}-{word}"), "description": word }, "status": "affected",
                    "products": [{ "@id": word }], "action_statement": word,
                })
            });
            let context = "https://openvex.dev/ns/v0.2.0";
            (
                Format::OpenVex,
                json!({ "@context": context, "author": word, "statements": statements }),
            )
        }
        11 => {
            let vulnerabilities = many(&|n| {
                json!({
                    "cve": format!("{n}-{word}"), "title": word, "notes": [{ "category": "description", "text": word }],
                    "product_status": { "known_affected": ["a"] },
                    "threats": [{ "category": "impact", "details": word, "product_ids": ["a"] }],
                })
            });
            let product = json!({ "product_id": "a", "name": word, "product_identification_helper": { "purl": word } });
            let document = json!({ "csaf_version": "2.0", "publisher": { "name": word } });
            let tree = json!({ "full_product_names": [product] });
            (
                Format::Csaf,
                json!({ "document": document, "product_tree": tree, "vulnerabilities": vulnerabilities }),
            )
        }
        12 => {
            let packages = many(&|n| {
                let advisory =
                    json!({ "referenceType": "advisory", "referenceLocator": format!("{n}-{word}"), "comment": word });
                json!({ "name": word, "versionInfo": word, "externalRefs": [advisory] })
            });
            (Format::Spdx, json!({ "spdxVersion": "SPDX-2.3", "packages": packages }))
        }
        13 => {
            let mut graph =
                vec![json!({ "type": "software_Package", "spdxId": "p", "name": word, "software_packageUrl": word })];
            for n in 0..count {
                let id = format!("v{n}");
                graph.push(json!({ "type": "security_Vulnerability", "spdxId": id, "name": format!("{n}-{word}"), "description": word }));
                graph.push(json!({
                    "type": "security_VexAffectedVulnAssessmentRelationship", "spdxId": format!("r{n}"), "from": id, "to": ["p"],
                    "security_actionStatement": word,
                }));
            }
            (
                Format::Spdx,
                json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph }),
            )
        }
        14 => return (Format::Trx, trx(word, count)),
        15 => {
            let alerts = many(&|n| {
                json!({
                    "number": n, "state": "open", "rule": { "id": word, "description": word }, "tool": { "name": word },
                    "most_recent_instance": { "message": { "text": word }, "location": { "path": word } },
                })
            });
            (Format::GitHub, alerts)
        }
        16 => {
            let alerts = many(&|n| {
                json!({
                    "number": n, "state": "dismissed", "dismissed_comment": word,
                    "dependency": { "package": { "ecosystem": word, "name": word }, "manifest_path": word },
                    "security_advisory": { "ghsa_id": word, "summary": word, "description": word },
                })
            });
            (Format::GitHub, alerts)
        }
        _ => {
            let vulnerabilities = many(&|n| {
                json!({
                    "name": word, "description": word, "identifiers": [{ "value": format!("{n}-{word}") }],
                    "location": { "file": word, "class": word },
                })
            });
            let scan = json!({ "type": "sast", "scanner": { "name": word, "version": word } });
            (
                Format::GitLab,
                json!({ "version": "15.0.0", "scan": scan, "vulnerabilities": vulnerabilities }),
            )
        }
    };
    (format, file.to_string())
}

fn cyclonedx(word: &str, count: usize) -> String {
    let word = quick_xml::escape::escape(word).into_owned();
    let vulnerability = |n: usize| {
        format!(
            "<vulnerability><id>{n}-{word}</id><ratings><rating><score>7.5</score></rating></ratings>\
             <description>{word}</description><analysis><state>exploitable</state><detail>{word}</detail></analysis>\
             <affects><target><ref>a</ref></target></affects></vulnerability>"
        )
    };
    let vulnerabilities: String = (0..count).map(vulnerability).collect();
    format!(
        "<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\" version=\"1\"><metadata><tools><tool>\
         <name>{word}</name></tool></tools></metadata><components><component bom-ref=\"a\"><name>{word}</name>\
         <version>{word}</version></component></components><vulnerabilities>{vulnerabilities}</vulnerabilities></bom>"
    )
}

fn trx(word: &str, count: usize) -> String {
    let word = quick_xml::escape::escape(word).into_owned();
    let result = |n: usize| {
        format!(
            "<UnitTestResult testId=\"t\" testName=\"{word} {n}\" outcome=\"Failed\"><Output><ErrorInfo>\
             <Message>{word}</Message><StackTrace>{word}</StackTrace></ErrorInfo></Output></UnitTestResult>"
        )
    };
    let results: String = (0..count).map(result).collect();
    format!(
        "<?xml version=\"1.0\"?><TestRun><Results>{results}</Results><TestDefinitions><UnitTest id=\"t\">\
         <TestMethod className=\"{word}\"/></UnitTest></TestDefinitions></TestRun>"
    )
}

fn junit(word: &str, count: usize) -> String {
    let word = quick_xml::escape::escape(word).into_owned();
    let case = |n: usize| {
        format!(
            "<testcase classname=\"{word}\" name=\"{word} {n}\" file=\"{word}\">\
             <failure type=\"{word}\" message=\"{word}\">{word}<![CDATA[{n}]]></failure></testcase>"
        )
    };
    let cases: String = (0..count).map(case).collect();
    format!("<?xml version=\"1.0\"?><testsuites><testsuite name=\"{word}\">{cases}</testsuite></testsuites>")
}

/// Every text of a scan that a page can show.
fn texts(scan: &Scan) -> Vec<String> {
    let of_finding = |one: &ScanFinding| {
        let place = one.location.clone();
        let place = place.map(|place| [place.uri, place.logical].into_iter().flatten());
        let mut texts = vec![one.rule.clone(), one.title.clone(), one.message.clone()];
        texts.extend(place.into_iter().flatten().chain(one.component.clone()));
        texts
    };
    let of_control = |one: &ControlReport| match one {
        ControlReport::Declared { key, title } => vec![key.clone(), title.clone()],
        ControlReport::Assessed { key, .. } => vec![key.clone()],
    };
    let whole = [
        Some(&scan.provider),
        scan.provider_version.as_ref(),
        scan.component.as_ref(),
    ];
    let whole = whole.into_iter().flatten().cloned();
    let findings = scan.findings.iter().flat_map(of_finding);
    whole
        .chain(findings)
        .chain(scan.controls.iter().flat_map(of_control))
        .collect()
}

#[test]
fn formats_are_known_by_their_names_and_their_contents() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
    assert_eq!(Format::parse("csv"), None);
    for (format, file) in files("word", 2) {
        assert_eq!(detect(file.as_bytes()), Some(format), "{file}");
        let padded = format!("\u{FEFF}\n  {}\n", file.replace("<?xml version=\"1.0\"?>", ""));
        assert_eq!(
            read_any(padded.as_bytes()).map(|(format, _)| format),
            Ok(format),
            "{file}"
        );
    }
    // Files of other tools, some of them similar.
    for other in [
        "",
        "   ",
        "hello",
        "[]",
        "{}",
        "null",
        "7",
        "[[{\"id\": \"a\", \"modified\": \"b\"}]]",
        "{\"results\": [], \"errors\": []}",
        "{\"results\": [{\"check_id\": \"a\"}], \"version\": \"1.0\"}",
        "{\"results\": {\"packages\": []}}",
        "{\"id\": 1}",
        "<other></other>",
        "<",
        "<?xml version=\"1.0\"?>",
    ] {
        assert_eq!(detect(other.as_bytes()), None, "{other}");
        assert_eq!(read_any(other.as_bytes()), Err(ImportError::Unrecognised), "{other}");
    }
}

#[test]
fn no_reader_takes_another_formats_file_or_other_json() {
    let sound = files("word", 1);
    for format in Format::ALL {
        for (_, file) in sound.iter().filter(|(other, _)| *other != format) {
            assert!(read(format, file.as_bytes()).is_err(), "{format:?}: {file}");
        }
        for other in [
            "{}",
            "null",
            "7",
            "\"text\"",
            "[1]",
            "{\"a\": 1}",
            "<html></html>",
            "text",
        ] {
            assert!(read(format, other.as_bytes()).is_err(), "{format:?}: {other}");
        }
        // GitHub's pages may be empty.
        assert_eq!(read(format, b"[[]]").is_ok(), format == Format::GitHub, "{format:?}");
        for empty in ["", " \n "] {
            assert!(
                matches!(read(format, empty.as_bytes()), Err(ImportError::Truncated { .. })),
                "{format:?}"
            );
        }
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    for (format, file) in files("word", 2) {
        for end in 0..file.len() {
            let cut = &file.as_bytes()[..end];
            assert!(
                matches!(read(format, cut), Err(ImportError::Truncated { .. })),
                "{format:?} cut to {}: {:?}",
                &file[..end],
                read(format, cut)
            );
        }
        // The format is detected without the last two bytes.
        assert_eq!(detect(&file.as_bytes()[..file.len() - 2]), Some(format), "{file}");
    }
}

#[test]
fn other_encodings_are_read_or_named() {
    for (format, file) in files("größer", 1) {
        let bytes = file.as_bytes();
        let at = file.find("gr").expect("it holds the word");
        let latin = [&bytes[..at], b"caf\xE9 ", &bytes[at..]].concat();
        let encoding = "UTF-8";
        assert_eq!(
            read(format, &latin),
            Err(ImportError::NotText {
                encoding,
                offset: at + 3
            })
        );
        let plain = read(format, bytes);
        for (mark, unit) in [
            ("\u{FEFF}", u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ("\u{FEFF}", u16::to_be_bytes),
            ("", u16::to_le_bytes),
        ] {
            let wide: Vec<u8> = format!("{mark}{file}").encode_utf16().flat_map(unit).collect();
            assert_eq!(read(format, &wide), plain, "{format:?}");
            assert_eq!(detect(&wide), Some(format));
        }
    }
}

#[test]
fn hidden_characters_are_made_visible() {
    for (format, file) in files("a\u{202E}b\u{200B}c\u{1b}[31md\u{0}", 2) {
        // XML cannot express this character.
        let file = file.replace('\u{0}', "");
        let scans = read(format, file.as_bytes()).expect("a sound file");
        let texts: Vec<String> = scans.iter().flat_map(texts).collect();
        assert!(texts.len() > 3, "{format:?}");
        for text in &texts {
            assert!(!text.contains(is_forbidden), "{format:?}: {text:?}");
        }
        assert!(
            texts.iter().any(|text| text.contains("a⟦U+202E⟧b")),
            "{format:?}: {texts:?}"
        );
    }
}

#[test]
fn large_files_are_read() {
    let word = "word ".repeat(200);
    // The kinds: osv-scanner's results, a BOM, tests, an assessment, a BOM in XML, an advisory, tests in TRX, alerts.
    for kind in [3, 4, 5, 6, 9, 11, 14, 15] {
        let length = |count| file(kind, &word, count).1.len();
        let count = (20 << 20) / (length(2) - length(1)) + 1;
        let (format, text) = file(kind, &word, count);
        assert!(text.len() > 20 << 20);
        let (found, scans) = read_any(text.as_bytes()).expect("a sound file");
        assert_eq!(found, format);
        let scan = &scans[0];
        assert_eq!(scan.findings.len().max(scan.controls.len()), count, "kind {kind}");
        assert!(
            scan.findings
                .iter()
                .all(|one| one.message.chars().count() <= super::MAX_MESSAGE && one.title.chars().count() <= 200)
        );
    }
}

#[test]
fn a_file_of_too_many_records_is_refused() {
    use super::{MAX_CONTROLS, MAX_FINDINGS, MAX_RUNS};
    let junit = |failures: usize| {
        let case = "<testcase name=\"c\"><failure/></testcase>";
        format!("<testsuite name=\"s\">{}</testsuite>", case.repeat(failures))
    };
    let catalog = |controls: usize| {
        let controls: Vec<_> = (0..controls)
            .map(|n| json!({ "id": format!("c-{n}"), "title": "t" }))
            .collect();
        json!({ "catalog": { "metadata": { "title": "T", "oscal-version": "1.1.2" }, "controls": controls } })
            .to_string()
    };
    let sarif = |runs: usize| {
        let run = json!({ "tool": { "driver": { "name": "t" } }, "results": [] });
        json!({ "version": "2.1.0", "runs": vec![run; runs] }).to_string()
    };
    for (most, over, what, limit) in [
        (junit(MAX_FINDINGS), junit(MAX_FINDINGS + 1), "findings", MAX_FINDINGS),
        (
            catalog(MAX_CONTROLS),
            catalog(MAX_CONTROLS + 1),
            "controls",
            MAX_CONTROLS,
        ),
        (sarif(MAX_RUNS), sarif(MAX_RUNS + 1), "runs", MAX_RUNS),
    ] {
        assert!(read_any(most.as_bytes()).is_ok(), "{what}");
        let refused = read_any(over.as_bytes()).expect_err("too many");
        assert_eq!(
            refused,
            ImportError::TooMany {
                what,
                found: limit + 1,
                limit
            }
        );
        let line = refused.to_string();
        assert!(line.contains(&limit.to_string()) && line.contains("split"), "{line}");
    }
}

#[test]
fn a_damaged_file_never_panics() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for (format, file) in files("word", 3) {
        for _ in 0..400 {
            let mut damaged = file.clone().into_bytes();
            for _ in 0..=next() % 4 {
                let at = next() % damaged.len();
                damaged[at] = b"{}[],:\"0-<>&;/\x00\xFFn"[next() % 17];
            }
            let _ = (read(format, &damaged), read_any(&damaged));
        }
    }
}
