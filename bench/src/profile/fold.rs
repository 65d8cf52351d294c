//! Folds samples: the same stack is one line with the number of its samples, from the thread's name to the innermost function.
//! <https://www.speedscope.app> and other programs read this format.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Stacks with the number of their samples.
pub(super) type Stacks = BTreeMap<Vec<String>, u64>;

/// The end of the name of a kernel function.
const KERNEL: &str = "_[k]";

/// Reads the output of `perf script -F comm,ip,sym,dso`: a line with the thread's name, a line with a tab for each function
/// from the innermost to the outermost, and an empty line.
pub(super) fn fold(script: &str) -> Stacks {
    let mut stacks = Stacks::new();
    for sample in script.split("\n\n") {
        let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
        let Some(thread) = lines.next() else { continue };
        let mut stack: Vec<String> = lines.filter_map(function).collect();
        stack.push(thread.trim().to_owned());
        stack.reverse();
        *stacks.entry(stack).or_default() += 1;
    }
    stacks
}

/// `7f93a1 name (file)`. The name can contain spaces and parentheses.
fn function(line: &str) -> Option<String> {
    let (_, rest) = line.trim().split_once(' ')?;
    let (symbol, file) = rest.rsplit_once(" (")?;
    let file = file.trim_end_matches(')');
    let name = if symbol == "[unknown]" {
        format!("[{}]", file.rsplit('/').next().unwrap_or(file))
    } else {
        format!("{:#}", rustc_demangle::demangle(symbol))
    };
    let end = if file.starts_with("[kernel") || file.ends_with(".ko") {
        KERNEL
    } else {
        ""
    };
    // A semicolon separates functions.
    Some(format!("{}{end}", name.replace(';', ":")))
}

/// The folded format.
pub(super) fn text(stacks: &Stacks) -> String {
    let mut text = String::new();
    for (stack, samples) in stacks {
        let _ = writeln!(text, "{} {samples}", stack.join(";"));
    }
    text
}

/// Shares of processor time.
#[derive(Debug, PartialEq)]
pub(super) struct Shares {
    /// In the kernel.
    pub(super) kernel: f64,
    /// In the allocator, without its time in the kernel.
    pub(super) allocator: f64,
    /// In SQLite, without its time in the kernel and the allocator.
    pub(super) sqlite: f64,
}

impl Shares {
    /// The shares of these samples.
    pub(super) fn of(stacks: &Stacks) -> Self {
        let (mut kernel, mut allocator, mut sqlite, mut all) = (0, 0, 0, 0);
        for (stack, samples) in stacks {
            all += samples;
            if is_kernel(stack.last().map_or("", String::as_str)) {
                kernel += samples;
            } else if stack.iter().any(|name| is_allocator(name)) {
                allocator += samples;
            } else if stack.iter().any(|name| is_sqlite(name)) {
                sqlite += samples;
            }
        }
        let share = |samples: u64| samples as f64 / all as f64;
        Self {
            kernel: share(kernel),
            allocator: share(allocator),
            sqlite: share(sqlite),
        }
    }
}

/// A function of the kernel.
pub(super) fn is_kernel(name: &str) -> bool {
    name.ends_with(KERNEL)
}

/// A function of mimalloc, or one that it replaces.
pub(super) fn is_allocator(name: &str) -> bool {
    let names = [
        "malloc",
        "calloc",
        "realloc",
        "free",
        "cfree",
        "posix_memalign",
        "aligned_alloc",
    ];
    names.contains(&name) || name.starts_with("mi_") || name.starts_with("_mi_")
}

/// A function of SQLite's interface, through which every one of its functions is called.
pub(super) fn is_sqlite(name: &str) -> bool {
    name.starts_with("sqlite3")
}

#[cfg(test)]
mod tests {
    use super::{Shares, fold, text};

    /// Samples in the kernel, in the allocator and in SQLite, one stack twice, and a function without a name.
    const SCRIPT: &str = "\
sqlite-writer 
\tffffffff815b9a34 vfs_read ([kernel.kallsyms])
\t          1019b3 __libc_pread (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t           32f72 sqlite3_step (/opt/loopiq)

tokio-rt-worker 
\t          4f1b30 mi_malloc (/opt/loopiq)
\t          32d300 _RNvNtCs1234_6loopiq6engine7propose (/opt/loopiq)

tokio-rt-worker 
\t          4f1b36 mi_malloc (/opt/loopiq)
\t          32d300 _RNvNtCs1234_6loopiq6engine7propose (/opt/loopiq)

sqlite-writer 
\t          33f72 [unknown] (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t          32f72 sqlite3_step (/opt/loopiq)
\t          32a11 <core::iter::Map<I,F> as Iterator>::next;x (inlined) (/opt/loopiq)

";

    #[test]
    fn the_same_stack_is_one_line_from_the_outermost_function() {
        let expected = "\
sqlite-writer;<core::iter::Map<I,F> as Iterator>::next:x (inlined);sqlite3_step;[libc.so.6] 1
sqlite-writer;sqlite3_step;__libc_pread;vfs_read_[k] 1
tokio-rt-worker;loopiq::engine::propose;mi_malloc 2
";
        assert_eq!(text(&fold(SCRIPT)), expected);
        assert!(fold("").is_empty());
    }

    #[test]
    fn a_sample_counts_for_one_share() {
        let expected = Shares {
            kernel: 0.25,
            allocator: 0.5,
            sqlite: 0.25,
        };
        assert_eq!(Shares::of(&fold(SCRIPT)), expected);
    }
}
