use crate::import::tests::{identities, only, rules, sample_scan};
use crate::import::{Format, ImportError, Scan, ScanKind, read};

fn scan(inside: &str) -> Scan {
    only(Format::Trx, &run(inside))
}

fn run(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><TestRun id='1' name='me@machine' xmlns='http://microsoft.com/schemas/VisualStudio/TeamTest/2010'>{inside}</TestRun>"
    )
}

const DEFINITIONS: &str = "<TestDefinitions><UnitTest name='pays' id='t1'><TestMethod className='Shop.Pay, Shop.Tests' name='pays'/></UnitTest>\
    <UnitTest name='adds' id='t2'><TestMethod className='Shop.Cart' name='adds'/></UnitTest></TestDefinitions>";

#[test]
fn tests_that_fail_are_findings() {
    let scan = scan(&format!(
        "<Times creation='2026-11-20T09:00:00Z' start='2026-11-20T09:00:00Z' finish='2026-11-20T10:00:00Z'/><Results>\
         <UnitTestResult testId='t1' testName='pays' outcome='Failed'><Output><StdOut>noise</StdOut><ErrorInfo>\
         <Message>Expected 1 &lt; 2&#xD;\nmore</Message><StackTrace>  at Shop.Pay</StackTrace></ErrorInfo></Output></UnitTestResult>\
         <UnitTestResult testId='t2' testName='Shop.Cart.adds(1)' outcome='Timeout'/>\
         <UnitTestResult testId='t3' testName='lost'/><UnitTestResult testName='good' outcome='Passed'/>\
         <UnitTestResult testName='left' outcome='NotExecuted'><Output><ErrorInfo><Message>skip</Message></ErrorInfo></Output></UnitTestResult>\
         </Results>{DEFINITIONS}<ResultSummary outcome='Failed'><Counters total='5' failed='1' error='1' timeout='1' passed='1'/></ResultSummary>"
    ));
    assert_eq!(
        (scan.provider.as_str(), scan.kind, scan.complete),
        ("trx", ScanKind::Tests, true)
    );
    assert_eq!(
        (scan.results, scan.not_failures, scan.collected_at),
        (5, 2, Some(1_795_168_800_000_000))
    );
    assert_eq!(rules(&scan), ["Shop.Pay.pays", "Shop.Cart.adds(1)", "lost"]);
    let first = &scan.findings[0];
    assert_eq!(first.title, "pays: Expected 1 < 2");
    assert_eq!(first.message, "Expected 1 < 2\nmore\n\n  at Shop.Pay");
    assert_eq!(
        first.location.as_ref().and_then(|place| place.logical.as_deref()),
        Some("Shop.Pay")
    );
    assert_eq!(scan.findings[2].title, "lost failed");
}

#[test]
fn rows_of_a_data_driven_test_are_tests() {
    let scan = scan(
        "<Results><UnitTestResult testName='t' outcome='Failed'><InnerResults>\
         <UnitTestResult testName='t (1)' outcome='Passed'/><UnitTestResult testName='t (2)' outcome='Failed'/></InnerResults></UnitTestResult>\
         <UnitTestResult testName='all fine' outcome='Passed'><InnerResults><UnitTestResult testName='r' outcome='Passed'/></InnerResults></UnitTestResult>\
         <UnitTestResult testName='set-up' outcome='Failed'><InnerResults><UnitTestResult testName='r' outcome='Passed'/></InnerResults></UnitTestResult>\
         </Results><ResultSummary outcome='Failed'><Counters total='7' failed='3'/></ResultSummary>",
    );
    assert_eq!(
        (rules(&scan), scan.results, scan.complete),
        (vec!["t (2)", "set-up"], 5, true)
    );
}

#[test]
fn a_run_that_failed_or_hides_failures_says_so() {
    let one = "<Results><UnitTestResult testName='t' outcome='Passed'/></Results>";
    for (summary, title) in [
        (
            "<ResultSummary outcome='Failed'><Counters total='1' failed='2'/></ResultSummary>",
            "The test run counts 2 failures that it does not show",
        ),
        (
            "<ResultSummary outcome='Aborted'><Counters total='1'/></ResultSummary>",
            "The test run ended as Aborted, and shows no failure",
        ),
        (
            "<ResultSummary outcome='Failed'><RunInfos><RunInfo outcome='Error'><Text>Test host process crashed\nmore</Text></RunInfo>\
             <RunInfo outcome='Warning'><Text>slow</Text></RunInfo></RunInfos></ResultSummary>",
            "The test run reports an error: Test host process crashed",
        ),
    ] {
        let scan = scan(&format!("{one}{summary}"));
        let titles: Vec<&str> = scan.findings.iter().map(|one| one.title.as_str()).collect();
        assert_eq!((titles, scan.complete), (vec![title], false));
    }
    assert!(
        scan(&format!(
            "{one}<ResultSummary outcome='Completed'><Counters total='1'/></ResultSummary>"
        ))
        .complete
    );
    assert!(
        !scan(&format!(
            "{one}<ResultSummary outcome='Completed'><Counters total='2'/></ResultSummary>"
        ))
        .complete
    );
    let Some(case) = sample_scan(Format::Trx, "cases/other/results.trx") else {
        return;
    };
    assert_eq!((case.results, case.complete), (0, false), "it has no summary");
}

#[test]
fn a_test_is_itself_whatever_its_message_and_id_are() {
    let failing = |id: &str, message: &str| {
        scan(&format!(
            "<Results><UnitTestResult testId='{id}' testName='t' outcome='Failed'><Output><ErrorInfo><Message>{message}</Message>\
             </ErrorInfo></Output></UnitTestResult></Results>"
        ))
    };
    assert_eq!(identities(&failing("a", "one")), identities(&failing("b", "two")));
}

#[test]
fn damaged_and_hostile_files_are_refused() {
    let refused = |xml: &str| read(Format::Trx, xml.as_bytes()).expect_err("refused");
    assert!(matches!(refused("<testsuites/>"), ImportError::Malformed { .. }));
    assert!(matches!(
        refused("<!DOCTYPE a [<!ENTITY b 'c'>]><TestRun/>"),
        ImportError::DocumentType { .. }
    ));
    let deep = run(&"<InnerResults><UnitTestResult testName='t'>".repeat(100_000));
    assert!(matches!(refused(&deep), ImportError::Malformed { .. }));
    let huge = scan(
        "<Results/><ResultSummary outcome='Completed'><Counters total='99999999999999999999' failed='18446744073709551615' error='18446744073709551615'/></ResultSummary>",
    );
    assert_eq!((huge.findings.len(), huge.complete), (1, false));
}
