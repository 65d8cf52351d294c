//! Statements, counted in the service's log.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// A statement.
#[derive(Debug, PartialEq)]
pub(super) struct Statement {
    /// Its text in one line.
    pub(super) text: String,
    /// How often a request runs it.
    pub(super) runs: f64,
    /// The rows that it returns for a request.
    pub(super) rows: f64,
}

/// Reads lines of the log in JSON. Other lines are warnings, which are shown.
pub(super) fn parse(log: &str, requests: usize) -> Result<Vec<Statement>> {
    let mut counts = BTreeMap::<String, (u64, u64)>::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        if entry["target"] != "loopiq::sql" {
            eprintln!("{line}");
            continue;
        }
        let text = entry["statement"].as_str().context("a statement")?;
        let (runs, rows) = counts.entry(one_line(text)).or_default();
        *runs += 1;
        *rows += entry["rows"].as_u64().context("its rows")?;
    }
    let each = |count: u64| count as f64 / requests as f64;
    let mut statements: Vec<Statement> = counts
        .into_iter()
        .map(|(text, (runs, rows))| Statement {
            text,
            runs: each(runs),
            rows: each(rows),
        })
        .collect();
    statements.sort_by(|one, other| other.runs.total_cmp(&one.runs));
    Ok(statements)
}

/// A comment to the end of its line would contain the rest of the statement.
fn one_line(statement: &str) -> String {
    let lines = statement.lines().map(|line| {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.strip_prefix("-- ") {
            Some(comment) => format!("/* {comment} */"),
            None => words,
        }
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::parse;

    const LOG: &str = r#"{"timestamp":"2026-11-26T10:59:21.136918Z","level":"TRACE","statement":"SELECT kind FROM installation","rows":1,"target":"loopiq::sql"}
{"timestamp":"2026-11-26T10:59:21.136925Z","level":"WARN","message":"something else","target":"loopiq"}
{"timestamp":"2026-11-26T10:59:21.137216Z","level":"TRACE","statement":"-- The words.\nSELECT word\n    FROM words","rows":3,"target":"loopiq::sql"}
{"timestamp":"2026-11-26T10:59:21.137220Z","level":"TRACE","statement":"SELECT kind FROM installation","rows":0,"target":"loopiq::sql"}
"#;

    #[test]
    fn runs_and_rows_are_counted_for_a_request() {
        let statements = parse(LOG, 2).unwrap();
        let found: Vec<_> = statements.iter().map(|s| (s.text.as_str(), s.runs, s.rows)).collect();
        let expected = [
            ("SELECT kind FROM installation", 1.0, 0.5),
            ("/* The words. */ SELECT word FROM words", 0.5, 1.5),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_statement_without_its_rows_is_an_error() {
        assert!(parse(r#"{"statement":"SELECT 1","target":"loopiq::sql"}"#, 1).is_err());
    }
}
