//! A PostgreSQL cluster for tests, in a temporary folder and with a socket there. Dropping the cluster removes it;
//! clusters of the machine are never touched.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The cluster's superuser and its password, which are only valid in this cluster.
const ADMIN: &str = "cluster_admin";
const PASSWORD: &str = "of-this-cluster-alone";
/// The oldest version that the service supports.
const OLDEST: u32 = 15;

/// Whether committed data survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is flushed to disk, as for measurements.
    Full,
    /// Nothing is flushed: faster, for tests that do not cut the power.
    None,
}

/// A running cluster.
pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    durability: Durability,
    server: Option<Child>,
}

impl Cluster {
    /// Creates and starts a cluster.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start; the message says what to do.
    pub fn start(durability: Durability) -> Result<Self> {
        let bin = programs()?;
        let folder = tempfile::Builder::new().prefix("loopiq-pg-").tempdir()?;
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD)?;
        give_away(folder.path())?;
        give_away(&password)?;
        let made = as_nobody(&bin.join("initdb"))
            .current_dir(folder.path())
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .args(["--username", ADMIN, "--auth", "scram-sha-256", "--encoding", "UTF8"])
            .args(["--no-locale", "--no-sync", "--pwfile"])
            .arg(&password)
            .stdin(Stdio::null())
            .output()
            .context("initdb cannot be started")?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let mut cluster = Self {
            folder,
            bin,
            durability,
            server: None,
        };
        cluster.resume()?;
        Ok(cluster)
    }

    /// The URL of a database of the cluster, as its superuser.
    pub fn url(&self, database: &str) -> String {
        url_of(&self.folder.path().display().to_string(), ADMIN, PASSWORD, database)
    }

    /// Starts the cluster again after [`Cluster::halt`].
    ///
    /// # Errors
    /// The cluster does not start.
    pub fn resume(&mut self) -> Result<()> {
        let log = self.folder.path().join("log");
        let setting = |flag| {
            format!(
                "{flag}={}",
                if self.durability == Durability::Full {
                    "on"
                } else {
                    "off"
                }
            )
        };
        let child = as_nobody(&self.bin.join("postgres"))
            .current_dir(self.folder.path())
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            // Without a port, no other server on the machine can conflict.
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "max_connections=200",
                "-c",
                "shared_buffers=256MB",
            ])
            .args(["-c", "log_min_messages=fatal", "-c"])
            .arg(setting("fsync"))
            .arg("-c")
            .arg(setting("synchronous_commit"))
            .arg("-c")
            .arg(setting("full_page_writes"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // The server logs every killed client, of which tests have many.
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .context("postgres cannot be started")?;
        self.server = Some(child);
        for _ in 0..600 {
            let ready = Command::new(self.bin.join("pg_isready"))
                .args(["--quiet", "--host"])
                .arg(self.folder.path())
                .status()?;
            if ready.success() {
                return Ok(());
            }
            if let Some(ended) = self.server.as_mut().and_then(|server| server.try_wait().transpose()) {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("postgres ended with {} before it was ready: {said}", ended?);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("postgres was not ready after 30 seconds")
    }

    /// Stops the server immediately, like a crash; connections break.
    pub fn halt(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // QUIT skips the shutdown, so that the next start recovers as after a crash.
        let told = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
        if told.is_err() {
            let _ = server.kill();
        }
        let _ = server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.halt();
    }
}

/// The URL of a database behind the socket in this folder.
pub(crate) fn url_of(folder: &str, user: &str, password: &str, database: &str) -> String {
    format!("postgres://{user}:{password}@localhost/{database}?host={folder}")
}

/// The folder of PostgreSQL's programs, in the newest installed version.
fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .filter(|(version, bin)| *version >= OLDEST && bin.join("initdb").is_file())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").is_file())
        .with_context(|| {
            format!("no PostgreSQL {OLDEST} or newer is here; on Debian and Ubuntu: apt-get install postgresql")
        })
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// PostgreSQL refuses to run as root, so root runs it as the user that the package created. The server ends with its
/// parent process.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn give_away(path: &Path) -> Result<()> {
    if is_root() {
        let done = Command::new("chown").arg("postgres").arg(path).status()?;
        if !done.success() {
            bail!("{} cannot be given to the user postgres", path.display());
        }
    }
    Ok(())
}
