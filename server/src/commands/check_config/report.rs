//! The results of the checks, as lines and as JSON.

use crate::advice::Advice;
use crate::commands::one_line;
use loopiq::domain::text;
use serde::Serialize;
use std::fmt;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// The service works, with a limitation that the operator should know.
    Warning,
    /// The service does not start, or people cannot sign in.
    Problem,
}

/// The result of one check.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    check: &'static str,
    status: Status,
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// The results of all checks.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    checks: Vec<Line>,
}

impl Report {
    /// Something is as it should be.
    pub(super) fn ok(&mut self, check: &'static str, message: impl AsRef<str>) {
        self.add(check, Status::Ok, message.as_ref(), None);
    }

    /// Something works with a limitation.
    pub(super) fn warning(&mut self, check: &'static str, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(check, Status::Warning, message.as_ref(), Some(fix.as_ref()));
    }

    /// Something does not work.
    pub(super) fn problem(&mut self, check: &'static str, message: impl AsRef<str>, fix: impl AsRef<str>) {
        self.add(check, Status::Problem, message.as_ref(), Some(fix.as_ref()));
    }

    /// Something fails with an error that often says itself what to do.
    pub(super) fn error(&mut self, check: &'static str, error: &anyhow::Error, fix: impl AsRef<str>) {
        match Advice::of(error) {
            Some(fix) => self.problem(check, one_line(error), fix),
            None => self.problem(check, one_line(error), fix),
        }
    }

    /// The number of problems.
    pub(super) fn problems(&self) -> usize {
        self.checks.iter().filter(|line| line.status == Status::Problem).count()
    }

    fn add(&mut self, check: &'static str, status: Status, message: &str, fix: Option<&str>) {
        // A provider or a file wrote parts of these texts, so they could contain line breaks or commands to a terminal.
        let shown = |text: &str| text::visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        self.checks.push(Line {
            check,
            status,
            message: shown(message),
            fix: fix.map(shown).filter(|fix| !fix.is_empty()),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.checks.iter().enumerate() {
            let status = match line.status {
                Status::Ok => "ok",
                Status::Warning => "warning",
                Status::Problem => "problem",
            };
            let (start, check) = (if n == 0 { "" } else { "\n" }, line.check);
            write!(f, "{start}{status:<8} {check}: {}", line.message.trim_end_matches('.'))?;
            if let Some(fix) = &line.fix {
                write!(f, ". To do: {fix}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_check_is_one_line_without_commands_to_a_terminal() {
        let mut report = Report::default();
        report.ok("database", "reachable.");
        report.warning("clock", "5 s off", "");
        report.problem("provider", "it says\n\u{1b}[2Jfine", "ask\nthem");
        assert_eq!(
            report.to_string(),
            "ok       database: reachable\nwarning  clock: 5 s off\nproblem  provider: it says ⟦U+001B⟧[2Jfine. To do: ask them"
        );
        assert_eq!(report.problems(), 1);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["checks"][2]["status"], "problem");
        assert_eq!(json["checks"][2]["fix"], "ask them");
        assert!(json["checks"][1].get("fix").is_none());
    }
}
