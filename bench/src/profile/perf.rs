//! Stacks, sampled with `perf`.

use super::tool::Attached;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Samples in a second of processor time. An odd number does not beat with timers.
const FREQUENCY: &str = "999";

/// Samples the stacks of a process into a file from now on.
pub(super) fn record(pid: u32, call_graph: &str, file: &Path) -> Result<Attached> {
    let messages = file.with_extension("messages");
    let child = Command::new("perf")
        .args([
            "record",
            "-F",
            FREQUENCY,
            "--call-graph",
            call_graph,
            "-p",
            &pid.to_string(),
            "-o",
        ])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&messages)?)
        .spawn()?;
    let mut attached = Attached::new(child);
    // It writes what is known about the process before it enables the samples.
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        if attached.has_ended()? {
            let said = std::fs::read_to_string(&messages).unwrap_or_default();
            let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            bail!("{said} (run this as root, or allow sampling: sysctl kernel.perf_event_paranoid=1)");
        }
        if std::fs::metadata(file).is_ok_and(|data| data.len() > 0) {
            std::thread::sleep(Duration::from_millis(100));
            std::fs::remove_file(messages)?;
            return Ok(attached);
        }
    }
    bail!("it did not begin within five seconds")
}

/// The samples as text, each with its stack.
pub(super) fn script(file: &Path) -> Result<String> {
    let output = Command::new("perf")
        .args(["script", "--no-inline", "-F", "comm,ip,sym,dso", "-i"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .context("perf script")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
