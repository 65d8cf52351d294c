use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{Format, ImportError, KeySource, Scan, ScanKind, Severity, read};

fn scan(xml: &str) -> Scan {
    only(Format::JUnit, xml)
}

fn refused(xml: &str) -> ImportError {
    read(Format::JUnit, xml.as_bytes()).expect_err("refused")
}

#[test]
fn a_report_of_passes_is_a_scan_without_findings() {
    let Some(scan) = sample_scan(Format::JUnit, "junit/report.xml") else {
        return;
    };
    assert_eq!((scan.results, scan.findings.len(), scan.not_failures), (570, 0, 570));
    assert_eq!(
        (scan.provider.as_str(), scan.kind, scan.complete),
        ("pytest", ScanKind::Tests, true)
    );
    assert_eq!(scan.collected_at, Some(1_671_546_456_125_393)); // 2022-12-20T14:27:36.125393Z
}

#[test]
fn failures_and_errors_are_findings_and_all_else_is_not() {
    let scan = scan(
        "<testsuites name='all'><testsuite name='s' tests='6' failures='1' errors='1' skipped='1'>\
         <testcase classname='pkg.Class' name='fails' file='a.py' line='12'>\
         <failure type='AssertionError' message='1 &lt; 2&#10;second line'>at <![CDATA[<a.py>]]> &amp; b</failure></testcase>\
         <testcase classname='pkg.Class' name='breaks'><error/><system-out>noise</system-out></testcase>\
         <testcase classname='pkg.Class' name='passes'/><testcase name='skips'><skipped/></testcase>\
         <testcase name='flaky'><flakyFailure message='once'/></testcase>\
         <testcase name='talks'><system-out><failure/></system-out></testcase>\
         </testsuite></testsuites>",
    );
    assert_eq!((scan.provider.as_str(), scan.results, scan.not_failures), ("all", 6, 4));
    assert_eq!(rules(&scan), ["pkg.Class.fails", "pkg.Class.breaks"]);
    let [fails, breaks] = scan.findings.as_slice() else {
        panic!("two")
    };
    assert_eq!(fails.title, "fails: AssertionError: 1 < 2");
    assert_eq!(fails.message, "AssertionError: 1 < 2\nsecond line\nat <a.py> & b");
    assert_eq!((fails.severity, fails.key_source), (Severity::High, KeySource::Name));
    let place = fails.location.as_ref().expect("a place");
    assert_eq!(
        (place.uri.as_deref(), place.line, place.logical.as_deref()),
        (Some("a.py"), Some(12), Some("pkg.Class"))
    );
    assert_eq!(
        (breaks.title.as_str(), breaks.message.as_str()),
        ("breaks failed", "breaks failed")
    );
}

#[test]
fn a_test_is_itself_whatever_its_message_says_and_wherever_it_stands() {
    let suite = |cases: &str| scan(&format!("<testsuite name='s'>{cases}</testsuite>"));
    let a = "<testcase classname='c' name='a'><failure message='one'/></testcase>";
    let b = "<testcase classname='c' name='b'><failure message='two'/></testcase>";
    let before = suite(&format!("{a}{b}"));
    let after = suite(&format!(
        "{b}{}",
        a.replace("failure message='one'", "error message='other'")
    ));
    assert_eq!(identities(&before), identities(&after));
    assert_ne!(
        identities(&before),
        identities(&suite(&format!("{a}{}", b.replace("'b'", "'c'"))))
    );
    // Two tests with one name are two findings.
    assert_eq!(identities(&suite(&format!("{a}{a}"))).len(), 2);
}

#[test]
fn suites_stand_in_suites_and_fail_without_tests() {
    let scan = scan(
        "<testsuites><testsuite name='outer' failures='1' errors='1' tests='1' timestamp='2024-01-02T03:04:05'>\
         <testsuite name='inner' failures='1' tests='1' timestamp='2024-01-02T03:04:06+01:00'>\
         <testcase name='t'><failure>a</failure><failure>b</failure></testcase></testsuite>\
         <error message='no database'>trace</error></testsuite><testcase name='loose'/></testsuites>",
    );
    assert_eq!(scan.provider, "outer", "the only suite that is not in another");
    assert_eq!(rules(&scan), ["t", "outer"]);
    assert_eq!(scan.findings[0].message, "a\n\nb");
    assert_eq!(scan.findings[1].message, "no database\ntrace");
    assert_eq!(scan.findings[1].title, "outer: no database");
    assert_eq!((scan.results, scan.not_failures, scan.complete), (3, 1, true));
    assert_eq!(scan.collected_at, Some(1_704_164_645_000_000), "the latest");
}

#[test]
fn several_suites_are_one_scan() {
    let scan =
        scan("<testsuites><testsuite name='a'><testcase name='t'/></testsuite><testsuite name='b'/></testsuites>");
    assert_eq!((scan.provider.as_str(), scan.results), ("junit", 1));
    assert_eq!(only(Format::JUnit, "<testsuites/>").results, 0);
}

#[test]
fn what_a_suite_counts_and_does_not_show_is_a_finding() {
    for (file, results, title) in [
        (
            "<testsuite name='s' failures='2'><testcase name='t'/></testsuite>",
            1,
            "Suite s counts 2 failures that it does not show",
        ),
        (
            "<testsuite name='s' tests='3' errors='1'><testcase name='t'/></testsuite>",
            2,
            "Suite s counts 1 failure that it does not show",
        ),
        (
            "<testsuite failures='1'/>",
            1,
            "Suite without a name counts 1 failure that it does not show",
        ),
        (
            "<testsuites name='all' errors='1'><testsuite name='s'><testcase name='t'/></testsuite></testsuites>",
            1,
            "Suite all counts 1 failure that it does not show",
        ),
        // Counted by the suites around it as well, and reported once.
        (
            "<testsuites failures='1'><testsuite name='o' failures='1'><testsuite name='s' failures='1'><testcase name='t'/></testsuite></testsuite></testsuites>",
            1,
            "Suite s counts 1 failure that it does not show",
        ),
    ] {
        let scan = scan(file);
        let titles: Vec<&str> = scan.findings.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(
            (titles, scan.results, scan.complete),
            (vec![title], results, false),
            "{file}"
        );
    }
    let some = scan("<testsuite name='s' failures='3'><testcase name='t'><failure/></testcase></testsuite>");
    assert_eq!((rules(&some), some.complete), (vec!["t", "s"], false));
    let before = "<testsuite name='s' failures='1'><testcase name='t'/></testsuite>";
    let after = before.replace("failures='1'", "failures='2'");
    assert_eq!(
        identities(&scan(before)),
        identities(&scan(&after)),
        "the number may change"
    );
    // Tests that are missing must not count as passed; if there are none at all, nothing can be kept.
    assert!(!scan("<testsuite tests='2'><testcase name='t'/></testsuite>").complete);
    assert!(matches!(
        refused("<testsuite name='s' tests='3'/>"),
        ImportError::Missing { .. }
    ));

    let Some(scan) = sample_scan(Format::JUnit, "cases/junit/counted-not-shown.xml") else {
        return;
    };
    assert_eq!((scan.results, scan.findings.len(), scan.complete), (2, 2, false));
    assert_eq!(scan.findings[0].title, "a: is red");
    assert_eq!(
        scan.findings[1].title,
        "Suite shop.Hidden counts 1 failure that it does not show"
    );
}

#[test]
fn runs_of_a_test_that_was_run_again_are_not_counted() {
    // Surefire counts each run of a test.
    let flaky = "<testcase name='t'><flakyFailure message='once'><stackTrace>x</stackTrace></flakyFailure><flakyError/></testcase>";
    let failed = "<testcase name='f'><failure/><rerunFailure/><rerunError/></testcase>";
    for (file, findings, complete) in [
        (
            format!("<testsuite tests='3' failures='1' errors='1'>{flaky}</testsuite>"),
            0,
            true,
        ),
        (
            format!("<testsuite tests='1' failures='0'>{flaky}</testsuite>"),
            0,
            true,
        ),
        (
            format!("<testsuite tests='3' failures='3'>{failed}</testsuite>"),
            1,
            true,
        ),
        (
            format!("<testsuite tests='1' failures='1'>{failed}</testsuite>"),
            1,
            true,
        ),
        (
            format!("<testsuite tests='6' failures='5'>{flaky}{failed}</testsuite>"),
            1,
            true,
        ),
        (
            format!("<testsuite tests='3' failures='3'>{flaky}</testsuite>"),
            1,
            false,
        ),
    ] {
        let scan = scan(&file);
        assert_eq!((scan.findings.len(), scan.complete), (findings, complete), "{file}");
    }
    let Some(scan) = sample_scan(Format::JUnit, "cases/junit/flaky-only.xml") else {
        return;
    };
    assert_eq!((scan.results, scan.not_failures, scan.complete), (1, 1, true));
}

/// The billion laughs, an external entity, and a document type that declares nothing.
#[test]
fn entities_are_neither_expanded_nor_fetched() {
    for doctype in [
        "<!DOCTYPE s [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>",
        "<!DOCTYPE s [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE s SYSTEM 'http://127.0.0.1/s.dtd'>",
        "<!DOCTYPE s>",
    ] {
        let xml = format!(
            "<?xml version='1.0'?>\n{doctype}\n<testsuite><testcase name='&b;'><failure>&b;</failure></testcase></testsuite>"
        );
        assert!(matches!(refused(&xml), ImportError::DocumentType { line: 2 }), "{xml}");
    }
    let undeclared = scan("<testsuite><testcase name='&b;'><failure>&b; &#0;</failure></testcase></testsuite>");
    assert_eq!(
        (rules(&undeclared), undeclared.findings[0].message.as_str()),
        (vec!["&b;"], "&b; &#0;")
    );
}

#[test]
fn damaged_xml_is_refused() {
    for xml in [
        "<testsuite><testcase></testsuite>",
        "<testsuite></testsuite><testsuite></testsuite>",
        "<testsuite></testsuite> words",
        "<testsuite name='a' name='b'></testsuite>",
        "<testsuite name=a></testsuite>",
        "<testsuite><testcase name='t'><failure>a & b</failure></testcase></testsuite>",
        "</testsuite>",
    ] {
        assert!(
            matches!(refused(xml), ImportError::Malformed { .. }),
            "{xml}: {:?}",
            refused(xml)
        );
    }
    assert!(matches!(refused("<html></html>"), ImportError::Malformed { .. }));
    let deep = "<testsuite>".repeat(1_000_000);
    assert!(matches!(refused(&deep), ImportError::Malformed { .. }));
}

#[test]
fn a_failure_with_endless_words_is_cut() {
    let words = "ü".repeat(3 << 20);
    let scan = scan(&format!(
        "<testsuite><testcase name='t'><failure>{words}</failure></testcase></testsuite>"
    ));
    assert_eq!(scan.findings[0].message.chars().count(), crate::import::MAX_MESSAGE);
}

#[test]
fn encodings_are_those_that_the_file_declares() {
    let report = |encoding: &str, word: &[u8]| {
        let head = format!(
            "<?xml version='1.0' encoding='{encoding}'?><testsuite name='s'><testcase name='t'><failure message='"
        );
        let file = [head.as_bytes(), word, b"'/></testcase></testsuite>"].concat();
        read(Format::JUnit, &file).map(|mut scans| scans.remove(0).findings.remove(0).message)
    };
    assert_eq!(report("ISO-8859-1", b"gr\xF6\xDFer").as_deref(), Ok("größer"));
    assert_eq!(
        report("windows-1252", b"\x80 5\x9D").as_deref(),
        Ok("€ 5⟦U+009D⟧"),
        "control characters are shown"
    );
    assert!(matches!(
        report("x-unheard-of", b"a"),
        Err(ImportError::OtherEncoding { .. })
    ));
    // An encoding hides no document type.
    let hidden = b"<?xml version='1.0' encoding='ISO-2022-JP'?>\x1b(B<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite/>";
    assert!(matches!(
        read(Format::JUnit, hidden),
        Err(ImportError::DocumentType { .. })
    ));

    let Some(scan) = sample_scan(Format::JUnit, "cases/junit/latin1.xml") else {
        return;
    };
    assert_eq!(scan.findings.len(), 1);
    assert_eq!(scan.findings[0].title, "prüft: größer als erwartet");
}
