//! The service's binary with a demo.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running service.
pub struct Service {
    /// The service's address.
    pub url: String,
    /// The time from start to ready.
    pub ready_after: Duration,
    bin: PathBuf,
    data_dir: PathBuf,
    database: String,
    child: Child,
}

impl Service {
    /// Starts the demo on this database. `listen` is `127.0.0.1:0` for any free port.
    ///
    /// # Errors
    /// The service ended before it was ready; stderr has its messages.
    pub fn start(bin: &Path, site: &Path, data_dir: &Path, database: &str, listen: &str) -> Result<Self> {
        Self::start_with(bin, site, data_dir, database, listen, &[], Stdio::inherit())
    }

    /// Starts the demo with further settings. Its messages go to `log`.
    ///
    /// # Errors
    /// See [`Service::start`].
    pub fn start_with(
        bin: &Path,
        site: &Path,
        data_dir: &Path,
        database: &str,
        listen: &str,
        settings: &[(&str, &str)],
        log: Stdio,
    ) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "measures how long a start takes")]
        let began = Instant::now();
        let mut child = clean(bin)
            .args(["serve", "--demo", "--listen", listen, "--data-dir"])
            .arg(data_dir)
            .env("LOOPIQ_DATABASE_URL", database)
            .env("LOOPIQ_LOG", "warn")
            // One address sends more requests here than a hundred people. Rate limits have tests of their own.
            .envs([
                ("LOOPIQ_RATE_ANONYMOUS", "off"),
                ("LOOPIQ_RATE_PERSON", "off"),
                ("LOOPIQ_RATE_CLIENT", "off"),
            ])
            .envs(settings.iter().copied())
            .env("LEPTOS_SITE_ROOT", site)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", bin.display()))?;
        let mut ready = String::new();
        let out = child.stdout.take().context("its output")?;
        BufReader::new(out).read_line(&mut ready)?;
        let Some(url) = ready.trim().strip_prefix("ready on ") else {
            let status = child.wait()?;
            bail!("the service ended with {status} before it was ready");
        };
        Ok(Self {
            url: url.to_owned(),
            ready_after: began.elapsed(),
            bin: bin.to_owned(),
            data_dir: data_dir.to_owned(),
            database: database.to_owned(),
            child,
        })
    }

    /// The process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process, like a power cut: no cleanup runs.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the service and waits for its end.
    ///
    /// # Errors
    /// The service ended with an error.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the service ended with {status}");
        }
        Ok(())
    }

    /// Runs a command of the binary on the same installation and returns its output.
    ///
    /// # Errors
    /// The command failed; the error contains its messages.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = clean(&self.bin)
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.data_dir)
            .env("LOOPIQ_DATABASE_URL", &self.database)
            .output()?;
        if !output.status.success() {
            bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A bearer token for an agent that acts for a person of acme.
    ///
    /// # Errors
    /// See [`Service::command`].
    pub fn token(&self, email: &str) -> Result<String> {
        self.command(&["token", "--tenant", "acme", "--as", email])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary without inherited settings.
fn clean(bin: &Path) -> Command {
    let mut command = Command::new(bin);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOOPIQ_")) {
        command.env_remove(name);
    }
    command
}
