//! The table and its details, as Markdown.

use super::cases::Case;
use super::fold::Shares;
use super::statements::Statement;
use super::strace::Calls;
use super::wal::Written;
use crate::machine::Cpu;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The figures of a use case, for one request. A figure that a missing tool would give is absent.
pub(super) struct Figures {
    /// The use case.
    pub(super) case: Case,
    /// Processor time, in milliseconds.
    pub(super) cpu: Option<Cpu>,
    /// Shares of processor time.
    pub(super) shares: Option<Shares>,
    /// The statements.
    pub(super) statements: Vec<Statement>,
    /// The system calls.
    pub(super) calls: Option<Calls>,
    /// Frames of the write-ahead log.
    pub(super) wal: Option<Written>,
}

impl Figures {
    /// No figures yet.
    pub(super) fn new(case: Case) -> Self {
        Self {
            case,
            cpu: None,
            shares: None,
            statements: Vec::new(),
            calls: None,
            wal: None,
        }
    }
}

/// Columns of system calls, each with its names.
const CALLS: [(&str, &[&str]); 8] = [
    ("futex", &["futex"]),
    ("epoll_wait", &["epoll_wait", "epoll_pwait", "epoll_pwait2"]),
    ("read", &["read", "readv", "recvfrom", "recvmsg"]),
    ("pread64", &["pread64"]),
    ("write", &["write"]),
    ("send", &["writev", "sendto", "sendmsg"]),
    ("pwrite64", &["pwrite64"]),
    ("sync", &["fsync", "fdatasync"]),
];

/// A line for each use case.
pub(super) fn table(figures: &[Figures]) -> String {
    let mut heads = vec![
        "one request",
        "CPU ms",
        "user",
        "kernel",
        "in kernel",
        "allocator",
        "SQLite",
    ];
    heads.extend(["statements", "rows", "system calls"]);
    heads.extend(CALLS.map(|(head, _)| head));
    heads.extend(["WAL frames", "WAL KB", "commits"]);
    let mut text = format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for figures in figures {
        let _ = writeln!(text, "| {} |", line(figures).join(" | "));
    }
    text
}

fn line(figures: &Figures) -> Vec<String> {
    let Figures {
        cpu,
        shares,
        statements,
        calls,
        wal,
        ..
    } = figures;
    let mut cells = vec![figures.case.what().to_owned()];
    let time = |of: &dyn Fn(&Cpu) -> f64| cell(cpu.as_ref().map(of), 2);
    cells.push(time(&|cpu| cpu.user + cpu.kernel));
    cells.push(time(&|cpu| cpu.user));
    cells.push(time(&|cpu| cpu.kernel));
    let share = |of: &dyn Fn(&Shares) -> f64| match shares {
        Some(shares) => format!("{:.0} %", of(shares) * 100.0),
        None => cell(None, 0),
    };
    cells.push(share(&|shares| shares.kernel));
    cells.push(share(&|shares| shares.allocator));
    cells.push(share(&|shares| shares.sqlite));
    cells.push(cell(Some(statements.iter().map(|statement| statement.runs).sum()), 1));
    cells.push(cell(Some(statements.iter().map(|statement| statement.rows).sum()), 1));
    cells.push(cell(calls.as_ref().map(Calls::all), 1));
    cells.extend(CALLS.map(|(_, names)| cell(calls.as_ref().map(|calls| calls.of(names)), 1)));
    cells.push(cell(wal.as_ref().map(Written::frames), 1));
    cells.push(cell(wal.as_ref().map(|wal| wal.bytes() / 1024.0), 0));
    cells.push(cell(wal.as_ref().map(Written::transactions), 1));
    cells
}

fn cell(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.digits$}"))
}

/// For each use case: frames by table, system calls by name, and statements. `names` are those of the database's pages.
pub(super) fn details(figures: &[Figures], names: &BTreeMap<u32, String>) -> String {
    let mut text = String::new();
    for figures in figures {
        let _ = writeln!(text, "\n## {}", figures.case.what());
        if let Some(wal) = figures.wal.as_ref().filter(|wal| wal.frames() > 0.0) {
            let _ = writeln!(text, "\n| WAL frames | of |\n|---|---|");
            for (name, frames) in wal.by_name(names) {
                let _ = writeln!(text, "| {frames:.2} | {name} |");
            }
        }
        if let Some(calls) = &figures.calls {
            let _ = writeln!(text, "\n| calls | system call |\n|---|---|");
            for (name, calls) in &calls.0 {
                let _ = writeln!(text, "| {calls:.2} | {name} |");
            }
        }
        let _ = writeln!(text, "\n| runs | rows | statement |\n|---|---|---|");
        for Statement {
            text: statement,
            runs,
            rows,
        } in &figures.statements
        {
            let _ = writeln!(text, "| {runs:.2} | {rows:.2} | `{}` |", statement.replace('|', "\\|"));
        }
    }
    text
}
