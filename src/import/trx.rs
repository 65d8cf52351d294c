//! Reads TRX, the XML of `dotnet test` and Visual Studio. A file is one scan. A test that failed, ran too long or was
//! aborted is a finding, identified by its class and name. The rows of a data-driven test are tests of their own.
//!
//! An error of the run itself, such as a test host that crashed, is a finding as well, and so are failures that the run
//! counts and does not show.

#[cfg(test)]
mod tests;

use super::assemble::{Assembly, Draft, named, utc};
use super::xml::{Element, Piece, Xml};
use super::{ImportError, KeySource, Location, Scan, ScanKind, Severity};
use serde_json::json;
use std::collections::BTreeMap;

/// The most bytes of a text of a test that are kept while the file is read.
const MAX_TEXT: usize = 64 << 10;

pub(super) fn read(text: &str) -> Result<Vec<Scan>, ImportError> {
    let mut xml = Xml::new(text);
    let mut report = Report::default();
    loop {
        match xml.next()? {
            Piece::Start(element) => report.start(&element, &xml)?,
            Piece::Text(text) => report.text(&text),
            Piece::End => report.end(),
            Piece::Eof => break,
        }
    }
    report.scan().map(|scan| vec![scan])
}

/// An open element.
enum Open {
    Run,
    Result(Box<Test>),
    /// `Message` or `StackTrace` of a result's error.
    Message,
    Trace,
    /// A definition of a test, with its ID.
    Definition(Option<String>),
    /// A message of the run, with its outcome.
    RunInfo(bool, String),
    /// The text in a message of the run.
    RunText,
    Other,
}

#[derive(Default)]
struct Test {
    id: Option<String>,
    name: Option<String>,
    failed: bool,
    message: String,
    trace: String,
    /// Whether it holds the results of rows.
    has_rows: bool,
    /// Whether a row has failed.
    row_failed: bool,
}

#[derive(Default)]
struct Report {
    open: Vec<Open>,
    failed: Vec<Test>,
    passed: usize,
    /// All results that failed, with those that hold rows.
    failures: u64,
    results: u64,
    classes: BTreeMap<String, String>,
    finished: Option<i64>,
    /// Failures and tests that the run counts.
    counted: Option<(u64, u64)>,
    outcome: Option<String>,
    errors: Vec<String>,
}

/// Only these say that a test has not failed. An absent or unknown outcome is an error.
fn is_failure(outcome: Option<&str>) -> bool {
    !matches!(
        outcome.map(str::trim),
        Some(
            "Passed"
                | "NotExecuted"
                | "Inconclusive"
                | "Warning"
                | "Pending"
                | "InProgress"
                | "Completed"
                | "NotRunnable"
                | "PassedButRunAborted"
        )
    )
}

impl Report {
    fn start(&mut self, element: &Element<'_>, xml: &Xml<'_>) -> Result<(), ImportError> {
        if self.open.is_empty() && element.name() != "TestRun" {
            return Err(xml.malformed("the file begins with another element than TestRun"));
        }
        let attribute = |name: &str| element.attribute(name);
        let opened = match (element.name(), self.open.last()) {
            ("TestRun", None) => Open::Run,
            ("Times", Some(Open::Run)) => {
                self.finished = ["finish", "start", "creation"]
                    .iter()
                    .find_map(|name| utc(&attribute(name)?));
                Open::Other
            }
            (name, _) if name.ends_with("Result") && attribute("testName").is_some() => Open::Result(Box::new(Test {
                id: attribute("testId"),
                name: named(attribute("testName").as_deref()),
                failed: is_failure(attribute("outcome").as_deref()),
                ..Test::default()
            })),
            ("Message", _) if self.is_in_result() => Open::Message,
            ("StackTrace", _) if self.is_in_result() => Open::Trace,
            ("UnitTest", _) => Open::Definition(attribute("id")),
            ("TestMethod", Some(Open::Definition(Some(id)))) => {
                // Older versions add the assembly after a comma.
                let class = attribute("className").map(|name| name.split(',').next().unwrap_or_default().to_owned());
                if let Some(class) = named(class.as_deref()) {
                    self.classes.insert(id.clone(), class);
                }
                Open::Other
            }
            ("ResultSummary", _) => {
                self.outcome = attribute("outcome");
                Open::Other
            }
            ("Counters", _) => {
                let count = |name: &str| {
                    attribute(name)
                        .and_then(|text| text.trim().parse::<u64>().ok())
                        .unwrap_or(0)
                };
                let failures = ["failed", "error", "timeout", "aborted"]
                    .iter()
                    .fold(0, |sum: u64, name| sum.saturating_add(count(name)));
                self.counted = Some((failures, count("total")));
                Open::Other
            }
            ("RunInfo", _) => {
                let outcome = attribute("outcome");
                Open::RunInfo(
                    matches!(outcome.as_deref(), Some("Error" | "Failed" | "Aborted" | "Timeout")),
                    String::new(),
                )
            }
            ("Text", Some(Open::RunInfo(..))) => Open::RunText,
            _ => Open::Other,
        };
        self.open.push(opened);
        Ok(())
    }

    /// Whether the innermost result is around `Output/ErrorInfo`, which is open.
    fn is_in_result(&self) -> bool {
        matches!(self.open.as_slice(), [.., Open::Result(_), Open::Other, Open::Other])
    }

    fn text(&mut self, text: &str) {
        let target = match self.open.as_mut_slice() {
            [.., Open::Result(test), Open::Other, Open::Other, Open::Message] => &mut test.message,
            [.., Open::Result(test), Open::Other, Open::Other, Open::Trace] => &mut test.trace,
            [.., Open::RunInfo(_, words), Open::RunText] => words,
            _ => return,
        };
        let room = MAX_TEXT.saturating_sub(target.len());
        target.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Result(test)) => self.close(*test),
            Some(Open::RunInfo(true, words)) => self.errors.push(words),
            _ => {}
        }
    }

    fn close(&mut self, test: Test) {
        self.results += 1;
        self.failures += u64::from(test.failed);
        let around = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Result(around) => Some(around),
            _ => None,
        });
        if let Some(around) = around {
            around.has_rows = true;
            around.row_failed |= test.failed || test.row_failed;
        }
        // The rows say what failed, unless none of them has.
        if test.failed && !test.row_failed {
            self.failed.push(test);
        } else if !test.has_rows {
            self.passed += 1;
        }
    }

    fn scan(self) -> Result<Scan, ImportError> {
        let mut found = Assembly::new();
        found.not_failures = self.passed;
        for test in &self.failed {
            add_test(&mut found, test, test.id.as_ref().and_then(|id| self.classes.get(id)))?;
        }
        for words in &self.errors {
            add_whole(&mut found, "The test run reports an error", words)?;
        }
        let (failures, total) = self.counted.unwrap_or_default();
        let hidden = failures.saturating_sub(self.failures);
        let ended = self.outcome.as_deref().unwrap_or_default().trim();
        let ended_badly = matches!(ended, "Failed" | "Error" | "Aborted" | "Timeout" | "Disconnected");
        if hidden > 0 {
            let word = if hidden == 1 { "failure" } else { "failures" };
            add_whole(
                &mut found,
                &format!("The test run counts {hidden} {word} that it does not show"),
                "",
            )?;
        } else if ended_badly && self.failed.is_empty() && self.errors.is_empty() {
            add_whole(
                &mut found,
                &format!("The test run ended as {ended}, and shows no failure"),
                "",
            )?;
        }
        let mut scan = found.scan("trx".to_owned(), ScanKind::Tests, None);
        scan.collected_at = self.finished;
        // A run without summary did not come to its end.
        scan.complete = self.outcome.is_some()
            && hidden == 0
            && total <= self.results
            && self.errors.is_empty()
            && !(ended_badly && self.failed.is_empty());
        Ok(scan)
    }
}

fn add_test(found: &mut Assembly, test: &Test, class: Option<&String>) -> Result<(), ImportError> {
    let name = test.name.as_deref().unwrap_or("(unnamed test)");
    let rule = match class {
        Some(class) if !name.starts_with(class.as_str()) => format!("{class}.{name}"),
        _ => name.to_owned(),
    };
    let first = test.message.trim().lines().next().unwrap_or_default();
    let title = if first.is_empty() {
        format!("{name} failed")
    } else {
        format!("{name}: {first}")
    };
    let parts = [test.message.trim(), test.trace.trim_end()];
    let message = parts
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n");
    found.add(Draft {
        rule: &rule,
        title: &title,
        message: &message,
        severity: Severity::High,
        location: class.map(|class| Location {
            uri: None,
            line: None,
            column: None,
            logical: Some(class.clone()),
        }),
        component: None,
        vulnerability: None,
        suppressed: false,
        help: None,
        key: (KeySource::Name, json!(["test", class, test.name])),
    })
}

/// Adds a finding on the whole run.
fn add_whole(found: &mut Assembly, title: &str, words: &str) -> Result<(), ImportError> {
    let first = words.trim().lines().next().unwrap_or_default();
    let title = if first.is_empty() {
        title.to_owned()
    } else {
        format!("{title}: {first}")
    };
    let hint = "Look in the log of the test run, and let it write the report again.";
    let message = [title.as_str(), words.trim(), hint].join("\n\n");
    found.add(Draft {
        rule: "test run",
        title: &title,
        message: &message,
        severity: Severity::High,
        location: None,
        component: None,
        vulnerability: None,
        suppressed: false,
        help: None,
        key: (KeySource::Name, json!(["run", first])),
    })
}
