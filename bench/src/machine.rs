//! Describes the machine of a measurement.

use std::fmt::Write;

/// Processor, cores, memory and system.
pub(crate) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let field = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| Some(line.strip_prefix(name)?.trim_start_matches([' ', '\t', ':']).to_owned()))
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = String::new();
    let _ = write!(
        text,
        "{} cores of {}, {} memory, Linux {}",
        cores,
        field(&cpu, "model name"),
        field(&memory, "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim()
    );
    text
}

/// Processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cpu {
    /// In the program.
    pub(crate) user: f64,
    /// In the kernel, for the program.
    pub(crate) kernel: f64,
}

/// The processor time that a process has used, in seconds, with the threads that have ended.
pub(crate) fn cpu(pid: u32) -> Cpu {
    cpu_of(&std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default())
}

fn cpu_of(stat: &str) -> Cpu {
    /// Linux counts in hundredths of a second, whatever its own clock is.
    const TICKS: f64 = 100.0;
    // The name of the program, in parentheses, may contain spaces. The 12th and 13th fields after it are user and system time.
    let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut next = || {
        fields
            .next()
            .and_then(|ticks| ticks.parse::<f64>().ok())
            .unwrap_or(f64::NAN)
    };
    Cpu {
        user: next() / TICKS,
        kernel: next() / TICKS,
    }
}

/// The processor time that a process has used, in seconds.
pub(crate) fn cpu_time(pid: u32) -> f64 {
    let Cpu { user, kernel } = cpu(pid);
    user + kernel
}

/// The peak resident memory of a process, in MiB.
pub(crate) fn peak_memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::{Cpu, cpu_of};

    #[test]
    fn times_are_counted_from_the_end_of_the_name() {
        let stat = "7834 (a (b) c) S 1 7834 7834 0 -1 4194560 11263 0 12 0 253 71 0 0 20 0 7 0 3902583 1 1";
        assert_eq!(
            cpu_of(stat),
            Cpu {
                user: 2.53,
                kernel: 0.71
            }
        );
        assert!(cpu_of("").user.is_nan());
    }
}
