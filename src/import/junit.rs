//! Reads the XML of test runners that is named after JUnit. There is no standard for it; this reader takes what Ant,
//! Maven, Gradle, pytest, Jest, Go and Rust runners have in common.
//!
//! A file is one scan, whatever number of suites it holds, because Maven and Gradle write a suite for each class. A
//! failed or aborted test is a finding, identified by its suite, class and name, so that the message can change. A test
//! that passed on a later run (`flakyFailure`) is not a finding. Surefire counts each of its runs, so these are subtracted
//! from the counts of a suite. What a suite counts beyond that and does not show is a finding as well.
//!
//! Entities are never expanded, and a file that declares any is refused: an entity could contain a failure.

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, missing, named, utc};
use super::xml::{Element, Piece, Xml};
use super::{ImportError, KeySource, Location, Scan, ScanKind, Severity};
use serde_json::json;

/// The most bytes of one test's failures that are kept while the file is read; the rest is cut off.
const MAX_CASE: usize = 64 << 10;

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let mut xml = Xml::new(text);
    let mut report = Report::new();
    loop {
        match xml.next()? {
            Piece::Start(element) => report.start(&element, &xml)?,
            Piece::Text(text) => report.text(&text),
            Piece::End => report.end()?,
            Piece::Eof => break,
        }
    }
    report.scan().map(|scan| vec![scan])
}

/// An open element.
enum Open {
    Suite(Suite),
    Case(Box<Case>),
    /// A failure or an error of the enclosing test, or, with a generated test, of the enclosing suite.
    Failure(Option<Box<Case>>),
    /// Any other element: properties, output.
    Other,
}

#[derive(Default)]
struct Suite {
    name: Option<String>,
    file: Option<String>,
    /// The counts in its attributes.
    tests: u64,
    failures: u64,
    /// The counts of its elements.
    cases: u64,
    failed: u64,
    /// The tests that did not fail.
    passed: u64,
    /// The failed runs of tests that were run again.
    again: u64,
    /// The failures that are counted and not shown.
    hidden: u64,
}

#[derive(Default)]
struct Case {
    class: Option<String>,
    name: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    /// The number of failures in it, and their text.
    failures: u64,
    title: String,
    message: String,
}

struct Report {
    open: Vec<Open>,
    found: Assembly,
    root: Option<String>,
    /// The names of the outermost suites, at most two. A single one names the scan.
    suites: Vec<Option<String>>,
    latest: Option<i64>,
    complete: bool,
}

impl Report {
    fn new() -> Self {
        Self {
            open: Vec::new(),
            found: Assembly::new(),
            root: None,
            suites: Vec::new(),
            latest: None,
            complete: true,
        }
    }

    fn start(&mut self, element: &Element<'_>, xml: &Xml<'_>) -> Result<(), ImportError> {
        let name = element.name();
        if self.open.is_empty() && !matches!(name, "testsuites" | "testsuite") {
            return Err(xml.malformed("the file begins with another element than testsuites or testsuite"));
        }
        let opened = match name {
            "testsuites" | "testsuite" => Open::Suite(self.suite(element)),
            "testcase" => Open::Case(Box::new(Case {
                class: named(element.attribute("classname").as_deref()),
                name: named(element.attribute("name").as_deref()),
                file: named(element.attribute("file").as_deref()),
                line: element.attribute("line").and_then(|line| line.trim().parse().ok()),
                ..Case::default()
            })),
            "failure" | "error" => match self.open.last_mut() {
                Some(Open::Case(case)) => {
                    case.begin(&failure_text(element));
                    Open::Failure(None)
                }
                // A suite whose set-up failed has a failure outside its tests.
                Some(Open::Suite(suite)) => {
                    let mut case = Case {
                        class: suite.name.clone(),
                        file: suite.file.clone(),
                        ..Case::default()
                    };
                    case.begin(&failure_text(element));
                    Open::Failure(Some(Box::new(case)))
                }
                _ => Open::Other,
            },
            "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                if let Some(suite) = self.suite_around() {
                    suite.again += 1;
                }
                Open::Other
            }
            _ => Open::Other,
        };
        self.open.push(opened);
        Ok(())
    }

    fn suite(&mut self, element: &Element<'_>) -> Suite {
        let count = |name: &str| element.attribute(name).and_then(|text| text.trim().parse::<u64>().ok());
        let name = named(element.attribute("name").as_deref());
        let at = element.attribute("timestamp").and_then(|text| utc(&text));
        self.latest = self.latest.max(at);
        if element.name() == "testsuites" {
            if self.open.is_empty() {
                self.root.clone_from(&name);
            }
        } else if self.open.len() <= 1 && self.suites.len() < 2 {
            self.suites.push(name.clone());
        }
        Suite {
            name,
            file: named(element.attribute("file").as_deref()),
            tests: count("tests").unwrap_or(0),
            failures: count("failures")
                .unwrap_or(0)
                .saturating_add(count("errors").unwrap_or(0)),
            ..Suite::default()
        }
    }

    /// Appends text inside a failure; other text is output and white space.
    fn text(&mut self, text: &str) {
        match self.open.as_mut_slice() {
            [.., Open::Failure(Some(case))] | [.., Open::Case(case), Open::Failure(None)] => case.push(text),
            _ => {}
        }
    }

    fn end(&mut self) -> Result<(), ImportError> {
        match self.open.pop() {
            Some(Open::Suite(suite)) => self.close_suite(&suite),
            Some(Open::Case(case) | Open::Failure(Some(case))) => self.close_case(&case),
            Some(Open::Failure(None) | Open::Other) | None => Ok(()),
        }
    }

    fn close_suite(&mut self, suite: &Suite) -> Result<(), ImportError> {
        let known = suite.failed + suite.again + suite.hidden;
        let hidden = suite.failures.saturating_sub(known);
        if suite.cases == 0 && suite.tests > 0 && hidden == 0 {
            let name = suite.name.as_deref().unwrap_or("without a name");
            return Err(missing(&format!(
                "tests in suite {name}, though it counts {}",
                suite.tests
            )));
        }
        self.complete &= hidden == 0 && suite.tests <= suite.cases + suite.again;
        if hidden > 0 {
            self.add_hidden(suite, hidden)?;
        }
        if let Some(around) = self.suite_around() {
            around.cases += suite.cases;
            around.failed += suite.failed;
            around.passed += suite.passed;
            around.again += suite.again;
            around.hidden += suite.hidden + hidden;
        }
        Ok(())
    }

    /// Adds a finding for failures that a suite counts and does not show.
    fn add_hidden(&mut self, suite: &Suite, hidden: u64) -> Result<(), ImportError> {
        // If all tests are shown, one of those that seem to have passed has not.
        if suite.tests <= suite.cases && suite.passed > 0 {
            self.found.not_failures -= 1;
        }
        let name = suite.name.as_deref().unwrap_or("without a name");
        let (failures, they) = if hidden == 1 {
            ("failure", "it")
        } else {
            ("failures", "them")
        };
        let title = format!("Suite {name} counts {hidden} {failures} that it does not show");
        let message = format!(
            "{title}. The report has no test for {they}. Look in the log of the test run, and let the runner write the \
             report again."
        );
        self.found.add(Draft {
            rule: name,
            title: &title,
            message: &message,
            severity: Severity::High,
            location: None,
            component: None,
            vulnerability: None,
            suppressed: false,
            help: None,
            key: (KeySource::Name, json!(["suite", suite.name])),
        })
    }

    fn suite_around(&mut self) -> Option<&mut Suite> {
        self.open.iter_mut().rev().find_map(|open| match open {
            Open::Suite(suite) => Some(suite),
            _ => None,
        })
    }

    fn close_case(&mut self, case: &Case) -> Result<(), ImportError> {
        let suite = self.suite_around().and_then(|suite| {
            suite.cases += 1;
            suite.failed += case.failures;
            suite.passed += u64::from(case.failures == 0);
            suite.name.clone()
        });
        if case.failures == 0 {
            self.found.not_failures += 1;
            return Ok(());
        }
        let whole = [&case.class, &case.name].into_iter().flatten().cloned();
        let whole = whole.collect::<Vec<_>>().join(".");
        let logical = case.class.clone().or_else(|| suite.clone());
        let location = (case.file.is_some() || logical.is_some()).then(|| Location {
            uri: case.file.clone(),
            line: case.line.filter(|line| *line > 0),
            column: None,
            logical,
        });
        let test = case
            .name
            .as_deref()
            .or(case.class.as_deref())
            .unwrap_or("(unnamed test)");
        let title = match case.title.trim() {
            "" => format!("{test} failed"),
            text => format!("{test}: {text}"),
        };
        self.found.add(Draft {
            rule: if whole.is_empty() { "(unnamed test)" } else { &whole },
            title: &title,
            message: &case.message,
            severity: Severity::High,
            location,
            component: None,
            vulnerability: None,
            suppressed: false,
            help: None,
            key: (KeySource::Name, json!(["test", suite, case.class, case.name])),
        })
    }

    fn scan(self) -> Result<Scan, ImportError> {
        let alone = match self.suites.as_slice() {
            [name] => name.clone(),
            _ => None,
        };
        let provider = self.root.or(alone).unwrap_or_else(|| "junit".to_owned());
        let mut scan = self.found.scan(provider, ScanKind::Tests, None);
        scan.collected_at = self.latest;
        scan.complete = self.complete;
        Ok(scan)
    }
}

impl Case {
    /// Adds a failure of the test, with the runner's text.
    fn begin(&mut self, text: &str) {
        self.failures += 1;
        if self.title.trim().is_empty() {
            text.lines().next().unwrap_or_default().clone_into(&mut self.title);
        }
        if !self.message.is_empty() {
            self.push("\n\n");
        }
        self.push(text);
        if !text.is_empty() {
            self.push("\n");
        }
    }

    /// Appends text, up to [`MAX_CASE`] bytes.
    fn push(&mut self, text: &str) {
        let room = MAX_CASE.saturating_sub(self.message.len());
        self.message.push_str(&text[..text.floor_char_boundary(room)]);
    }
}

/// The type and the message of a failure.
fn failure_text(element: &Element<'_>) -> String {
    let text = [element.attribute("type"), element.attribute("message")];
    let text: Vec<String> = text
        .into_iter()
        .flatten()
        .filter(|text| !text.trim().is_empty())
        .collect();
    text.join(": ")
}
