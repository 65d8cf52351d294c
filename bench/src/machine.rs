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

/// The processor time that a process has used, in seconds.
pub(crate) fn cpu_time(pid: u32) -> f64 {
    /// Linux counts in hundredths of a second, whatever its own clock is.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program, in parentheses, may contain spaces. The 12th and 13th fields after it are user and system time.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let times = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    times.sum::<f64>() / TICKS
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
