//! System calls, counted with `strace`.

use super::tool::Attached;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// System calls for a request, by name, the most frequent first.
#[derive(Debug, PartialEq)]
pub(super) struct Calls(pub(super) Vec<(String, f64)>);

impl Calls {
    /// The calls with one of these names.
    pub(super) fn of(&self, names: &[&str]) -> f64 {
        let found = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        // The sum of no numbers is -0.
        found.fold(0.0, |sum, (_, calls)| sum + calls)
    }

    /// All calls.
    pub(super) fn all(&self) -> f64 {
        self.0.iter().map(|(_, calls)| calls).sum()
    }
}

/// Counts the calls of a process and its threads from now on, and writes them to a file in the end.
pub(super) fn attach(pid: u32, file: &Path) -> Result<Attached> {
    let mut child = Command::new("strace")
        .args(["-f", "-c", "-p", &pid.to_string(), "-o"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("its messages")?).lines();
    let attached = Attached::new(child);
    let first = lines.next().transpose()?.unwrap_or_default();
    if !first.contains(" attached") {
        bail!("{first} (run this as root, or allow tracing: sysctl kernel.yama.ptrace_scope=0)");
    }
    // It reports each new thread.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    Ok(attached)
}

/// Reads the table of `strace -c`: `% time`, `seconds`, `usecs/call`, `calls`, `errors` (empty for none), `syscall`.
pub(super) fn parse(table: &str, requests: usize) -> Result<Calls> {
    let mut calls = Vec::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(name), Some(count)) = (fields.last(), fields.get(3)) else {
            continue;
        };
        let Ok(count) = count.parse::<f64>() else { continue };
        if (5..=6).contains(&fields.len()) && *name != "total" {
            calls.push(((*name).to_owned(), count / requests as f64));
        }
    }
    ensure!(!calls.is_empty(), "the table is empty: {table}");
    calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Ok(Calls(calls))
}

#[cfg(test)]
mod tests {
    use super::{Calls, parse};

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 85.54    0.000207          25         8         4 futex
  8.26    0.000020           1        16           pread64
  0.00    0.000000           0         1         1 fdatasync
------ ----------- ----------- --------- --------- ----------------
100.00    0.000227           0        25         5 total
";

    #[test]
    fn calls_are_counted_with_and_without_errors() {
        let calls = parse(TABLE, 2).unwrap();
        let expected = [("pread64", 8.0), ("futex", 4.0), ("fdatasync", 0.5)];
        assert_eq!(
            calls,
            Calls(expected.map(|(name, count)| (name.to_owned(), count)).into())
        );
        assert_eq!(calls.of(&["fsync", "fdatasync"]), 0.5);
        assert!(calls.of(&["read"]).is_sign_positive());
        assert_eq!(calls.all(), 12.5);
    }

    #[test]
    fn a_process_without_calls_is_an_error() {
        assert!(parse("strace: Process 7 detached\n", 1).is_err());
    }
}
