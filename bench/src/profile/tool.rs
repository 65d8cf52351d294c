//! Programs that look at a running process.

use anyhow::{Result, bail};
use std::process::{Child, Command, Stdio};

/// A program that may not be installed.
pub(super) struct Tool {
    name: &'static str,
    /// The package that contains it.
    package: &'static str,
    /// What is missing without it.
    gives: &'static str,
}

/// Samples stacks.
pub(super) const PERF: Tool = Tool {
    name: "perf",
    package: "linux-perf (on Ubuntu linux-tools-generic)",
    gives: "the flame graphs and the shares of processor time",
};

/// Counts system calls.
pub(super) const STRACE: Tool = Tool {
    name: "strace",
    package: "strace",
    gives: "the system calls",
};

impl Tool {
    /// Whether the program is installed. If not, one line says what to install.
    pub(super) fn is_here(&self) -> bool {
        let mut command = Command::new(self.name);
        command
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let here = command.status().is_ok_and(|status| status.success());
        if !here {
            let Self { name, package, gives } = self;
            eprintln!("{name} is missing, so {gives} are left out. To get them: apt-get install {package}");
        }
        here
    }
}

/// A program that is attached to a process until it is interrupted.
pub(super) struct Attached(Child);

impl Attached {
    /// A program that was started.
    pub(super) fn new(child: Child) -> Self {
        Self(child)
    }

    /// Whether the program has ended by itself.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    /// Interrupts the program, and waits until it has written its results.
    pub(super) fn stop(mut self) -> Result<()> {
        if self.has_ended()? {
            bail!("it ended before the requests did");
        }
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        // Both programs end with the signal that they received, so the status says nothing.
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
