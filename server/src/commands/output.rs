//! What commands print.

use anyhow::{Context, Result};
use loopiq::views::Outcome;
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;

/// An error with its causes, in one line.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Many errors repeat their cause in their own message.
        if !line.contains(&cause) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&cause);
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints a result on stdout: as text, or as one JSON object.
pub(super) fn print<T: Display + Serialize>(result: &T, json: bool) -> Result<()> {
    let text = if json {
        serde_json::to_string(result)?
    } else {
        result.to_string()
    };
    print_line(&text)
}

/// Prints a line on stdout.
pub(super) fn print_line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("the result cannot be printed")
}

/// Prints what was done on stdout: the sentence, or a JSON object with it.
pub(super) fn print_outcome(outcome: &Outcome, json: bool) -> Result<()> {
    let message = outcome.message.to_string();
    match json {
        true => print_line(&serde_json::json!({ "message": message }).to_string()),
        false => print_line(&message),
    }
}
